"""What an installation allows GptBots to ask for, as the operator's environment says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from gptbot_operator.tenancy.hosts import Host, HostPattern, NotAHost

Network = IPv4Network | IPv6Network

_MODES = ("restricted", "trusted")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_KEY = re.compile(r"[A-Za-z0-9._/-]{1,317}\*?")
_WORD = re.compile(r"[^\s,*]{1,253}")


class NotAnEntry(ValueError):
    """An environment variable makes no sense; the text names it and says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenancy:
    """What GptBots may ask for. Without `restricted`, anything: the rest has no effect then."""

    restricted: bool = True
    hosts: tuple[HostPattern, ...] = ()
    """Hosts that bots, and secrets with them, may be sent to, besides Services of their own namespace."""
    expose_hosts: tuple[HostPattern, ...] = (HostPattern("", below=True),)
    """Names that bots may be reached by."""
    ingress_classes: tuple[str, ...] = ()
    """Classes that an Ingress may name. None: the cluster's default alone."""
    ingress_annotations: tuple[str, ...] = ()
    """Annotations of Ingresses and HTTPRoutes; with `*` at the end, all that begin so."""
    labels: tuple[str, ...] = ()
    """Labels of pods, likewise."""
    annotations: tuple[str, ...] = ()
    """Annotations of pods, likewise."""
    egress: tuple[Network | str, ...] = ()
    """Networks and namespaces that further egress rules may name, besides the bot's own namespace; `*`: anything."""
    platforms: tuple[str, ...] = ()
    """Platforms of installed packages that bots may use."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], own: Iterable[str] = ()) -> Tenancy:
        """Read it. `own`: addresses that the installation gives to bots anyway. Raises NotAnEntry."""
        mode = environment.get("GPTBOT_TENANCY") or "restricted"
        if mode not in _MODES:
            raise NotAnEntry(f"GPTBOT_TENANCY must be restricted or trusted, not {mode!r}")
        hosts = _hosts(environment, "GPTBOT_ALLOWED_HOSTS")
        return cls(
            restricted=mode == "restricted",
            hosts=(*hosts, *_own(own)),
            expose_hosts=_hosts(environment, "GPTBOT_ALLOWED_EXPOSE_HOSTS", "*"),
            ingress_classes=_words(environment, "GPTBOT_ALLOWED_INGRESS_CLASSES", _WORD),
            ingress_annotations=_words(environment, "GPTBOT_ALLOWED_INGRESS_ANNOTATIONS", _KEY),
            labels=_words(environment, "GPTBOT_ALLOWED_LABELS", _KEY),
            annotations=_words(environment, "GPTBOT_ALLOWED_ANNOTATIONS", _KEY),
            egress=tuple(map(_egress, _entries(environment, "GPTBOT_ALLOWED_EGRESS"))),
            platforms=_words(environment, "GPTBOT_ALLOWED_PLATFORMS", _WORD),
        )


def _entries(environment: Mapping[str, str], variable: str, default: str = "") -> list[str]:
    return [entry for part in environment.get(variable, default).split(",") if (entry := part.strip())]


def _hosts(environment: Mapping[str, str], variable: str, default: str = "") -> tuple[HostPattern, ...]:
    try:
        return tuple(map(HostPattern.of, _entries(environment, variable, default)))
    except NotAHost as error:
        raise NotAnEntry(f"{variable}: {error}") from None


def _own(addresses: Iterable[str]) -> Iterable[HostPattern]:
    for address in addresses:
        try:
            host = Host.of(address)
        except NotAHost:
            continue  # no client can use it, and bots that are given it say so
        yield HostPattern(host.name, host.port)


def _words(environment: Mapping[str, str], variable: str, form: re.Pattern[str]) -> tuple[str, ...]:
    words = _entries(environment, variable)
    for word in words:
        if form.fullmatch(word) is None:
            raise NotAnEntry(f"{variable}: {word!r} is no such name; separate by commas, and end what begins so by *")
    return tuple(words)


def _egress(entry: str) -> Network | str:
    if "/" not in entry:
        if entry != "*" and _NAMESPACE.fullmatch(entry) is None:
            raise NotAnEntry(f"GPTBOT_ALLOWED_EGRESS: {entry!r} is neither a namespace, a network (CIDR) nor *")
        return entry
    try:
        return ip_network(entry)
    except ValueError:
        raise NotAnEntry(
            f"GPTBOT_ALLOWED_EGRESS: {entry!r} is no network: write ADDRESS/BITS, with no bit set behind those"
        ) from None
