"""Where a bot's pods have to get to, as far as the spec and the store's URL tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from gptbot_api import GptBot
from gptbot_api.platforms import Discord, Telegram
from gptbot_api.store_url import Address, StoreUrl
from gptbot_operator.desired.context import Context
from gptbot_operator.desired.secret import SHARED

IpAddress = IPv4Address | IPv6Address
_HTTPS = 443
_STORE_PORT = 6379
_OWN_ADDRESSES = {cls.model_fields["api_base_url"].default for cls in (Telegram, Discord)}
"""Of the platforms themselves: on the internet, whatever a cluster's DNS may say of other names."""
_ON_THE_INTERNET = frozenset(
    {"api.anthropic.com", "api.deepseek.com", "api.groq.com", "api.mistral.ai", "api.openai.com", "openrouter.ai"}
)
"""Hosts of models likewise, asked at port 443."""


@dataclass(slots=True)
class Destinations:
    """Whom the pods talk to, DNS left out."""

    namespaces: set[str] = field(default_factory=set[str])
    """Of Services that are named. A policy sees the pods behind them, on ports that no URL tells."""
    ports: set[int] = field(default_factory=set[int])
    """Ports of hosts that may be anywhere."""
    addresses: set[tuple[IpAddress, int]] = field(default_factory=set[tuple[IpAddress, int]])
    """Addresses that are named as such, with their ports; private ones, which may be a Service's, are in `ports`."""
    https: bool = False
    """Whether public addresses are asked over HTTPS."""
    internet: bool = False
    """Whether any port of a public address may be."""


def destinations(bot: GptBot, context: Context) -> Destinations:
    """Where the bot's pods have to get to."""
    found = Destinations()
    for host, port in _addresses(bot, context):
        _add(found, bot.metadata.namespace, host, port)
    platforms = bot.spec.platforms
    # A Discord gateway's address is what the API says, and attachments lie elsewhere: always HTTPS.
    found.https |= platforms.discord is not None or any(url in _OWN_ADDRESSES for url in _platforms(bot))
    found.internet = bool(platforms.extra)  # only they know where they go
    return found


def _platforms(bot: GptBot) -> Iterator[str]:
    for platform in (bot.spec.platforms.telegram, bot.spec.platforms.discord):
        if platform is not None:
            yield platform.api_base_url


def _login(bot: GptBot) -> Iterator[str | None]:
    """Of whom the web page asks who somebody is. An issuer's keys and tokens may lie with another host at its port."""
    if (web := bot.spec.platforms.web) is not None and web.enabled:
        yield web.access.oidc and web.access.oidc.issuer
        yield web.access.token and web.access.token.keys_url


def _addresses(bot: GptBot, context: Context) -> Iterator[Address]:
    yield from _store(context.own_store_url if bot.spec.store is not None else context.settings.store_url)
    # Pods that end answers in the store of before are under the same policy.
    yield from _store(context.settings.store_url if context.used_store == SHARED else context.used_store)
    llm, moderation = bot.spec.llm, bot.spec.safety.moderation
    urls = [llm.base_url if llm.embedded is None else context.settings.model_url]
    urls += [endpoint.base_url for endpoint in llm.fallbacks]
    urls += [other.base_url for other in (llm.transcription, moderation) if other is not None]
    urls += [url for url in _platforms(bot) if url not in _OWN_ADDRESSES]
    urls += _login(bot)
    for url in filter(None, urls):
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            continue  # the bot says what is wrong with it
        if host:
            yield host, port or (443 if parts.scheme == "https" else 80)


def _store(text: str | None) -> Iterator[Address]:
    try:
        url = StoreUrl.parse(text) if text else None
    except ValueError:
        return  # the status says what is wrong with it
    for host, port in url.addresses if url else ():
        yield host, port
        if url and url.kind in ("sentinel", "cluster"):
            yield host, _STORE_PORT  # of the servers that these name


def _add(found: Destinations, namespace: str, host: str, port: int) -> None:
    """Sort a host in. A name that may be a Service's or another's is taken for both: a bot must not be cut off."""
    labels = host.lower().rstrip(".").split(".")
    if port == _HTTPS and ".".join(labels) in _ON_THE_INTERNET:
        found.https = True
        return
    try:
        address = ip_address(host)
        if address.is_global or address.is_link_local:
            found.addresses.add((address, port))
            return
    except ValueError:
        service = labels.index("svc") if "svc" in labels[2:] else 0
        if service:
            found.namespaces.add(labels[service - 1])
            if labels[service + 1 :] in ([], ["cluster", "local"]):
                return
        elif len(labels) <= 2:
            found.namespaces.add(labels[1] if len(labels) == 2 else namespace)
    found.ports.add(port)
