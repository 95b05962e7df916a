"""What of a GptBot is not allowed: pure functions of what was written and of what the installation allows.

A bot of which something is not allowed is refused as a whole: nothing of it is applied, and what runs goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Any, cast

from gptbot_api import Fault, GptBot, InvalidManifest
from gptbot_api.network import Expose, NetworkRule
from gptbot_api.references import references
from gptbot_api.store_url import StoreUrl
from gptbot_operator.desired.secret import MOVING_TO, PEPPER, STORE_URL, USED_STORE
from gptbot_operator.settings import COPY_PREFIX
from gptbot_operator.tenancy.allowed import Tenancy
from gptbot_operator.tenancy.hosts import Host, HostPattern, NotAHost, addresses
from gptbot_operator.tenancy.podtemplate import key_faults, template_faults

_MADE_FOR_BOTS = "-gptbot"
"""What names of Secrets that the operator makes end with."""
_OF_OPERATOR = (PEPPER, STORE_URL, USED_STORE, MOVING_TO)
_OWN_CLASS = "kubernetes.io/ingress.class"
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
_STORE = "spec.store.urlSecretRef"
_HOSTS = "operator.allowedHosts"


class NotAllowed(InvalidManifest):
    """A GptBot that asks for what this installation does not give."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults, "not allowed here")


def permit(bot: GptBot, tenancy: Tenancy) -> None:
    """Check a bot as it was written, without the installation's defaults. Raises NotAllowed with all the faults."""
    if found := sorted(faults(bot, tenancy)):
        raise NotAllowed(found)


def permit_store(bot: GptBot, url: str | None, tenancy: Tenancy) -> None:
    """Check a store of a bot's own, once its address is known: the one of its spec, or the one before it.

    Raises NotAllowed, and repeats nothing of the address.
    """
    if url is not None and (fault := store_fault(url, bot.metadata.namespace, tenancy)):
        raise NotAllowed([fault])


def store_fault(url: str, namespace: str, tenancy: Tenancy) -> Fault | None:
    """Why a store is none that bots of a namespace may use; repeats nothing of its address."""
    if not tenancy.restricted:
        return None
    try:
        store = StoreUrl.parse(url)
    except ValueError:
        return None  # StoreReachable says what is wrong with it
    if store.kind == "socket":
        return Fault(_STORE, "its address is a socket, which is nothing a pod has: name a host")
    for name, port in store.addresses:
        address = f"redis://[{name}]:{port}" if ":" in name else f"redis://{name}:{port}"
        if not _reachable_from(address, namespace, tenancy):
            return Fault(_STORE, f"its address has a host that is not one of {_HOSTS}")
    return None


def faults(bot: GptBot, tenancy: Tenancy) -> Iterator[Fault]:
    """What is not allowed of a bot."""
    yield from _keys_of_others(bot)
    if not tenancy.restricted:
        return
    spec = bot.spec
    for template, path in (
        (spec.pod_template, "spec.podTemplate"),
        (spec.gateway.pod_template, "spec.gateway.podTemplate"),
        (spec.workers.pod_template, "spec.workers.podTemplate"),
    ):
        yield from template_faults(template, path, tenancy)
    yield from _addresses(bot, tenancy)
    yield from _platforms(bot, tenancy)
    if spec.expose is not None:
        yield from _expose(spec.expose, tenancy)
    yield from _egress(bot, tenancy)


def _keys_of_others(bot: GptBot) -> Iterator[Fault]:
    """Whoever writes a GptBot may not send on what the operator put beside bots: default keys, logins, peppers.

    By the names alone, so that it holds before there is such a Secret: a pod mounts what comes later too.
    """
    for reference in references(bot):
        of_operator = reference.key in _OF_OPERATOR or reference.key.startswith(COPY_PREFIX)
        if reference.kind == "Secret" and reference.name.endswith(_MADE_FOR_BOTS) and of_operator:
            text = "is a key that the operator makes for a bot, which goes nowhere else: name a Secret of your own"
            yield Fault(reference.path, text)


def _addresses(bot: GptBot, tenancy: Tenancy) -> Iterator[Fault]:
    for path, address in addresses(bot.spec, "spec"):
        if not _reachable(address, bot, tenancy):
            yield Fault(path, _not_a_host(bot))


def _platforms(bot: GptBot, tenancy: Tenancy) -> Iterator[Fault]:
    for name, settings in bot.spec.platforms.extra.items():
        path = f"spec.platforms.extra.{name[:100]}"
        if name not in tenancy.platforms:
            yield Fault(path, "is not one of operator.allowedPlatforms: leave it out")
        for at, text in _texts(settings, path):
            if "://" in text and not _reachable(text, bot, tenancy):
                yield Fault(at, _not_a_host(bot))


def _texts(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Path and value of each text in plain data."""
    pending: list[tuple[str, Any]] = [(path, node)]
    while pending:
        at, value = pending.pop()
        if isinstance(value, str):
            yield at, value
        elif isinstance(value, list):
            pending += [(f"{at}[{index}]", item) for index, item in enumerate(cast("list[Any]", value))]
        elif isinstance(value, dict):
            pending += [(f"{at}.{name[:100]}", item) for name, item in cast("dict[str, Any]", value).items()]


def _reachable(address: str, bot: GptBot, tenancy: Tenancy) -> bool:
    return _reachable_from(address, bot.metadata.namespace, tenancy)


def _reachable_from(address: str, namespace: str, tenancy: Tenancy) -> bool:
    try:
        host = Host.of(address)
    except NotAHost:
        return False
    return _among(tenancy.hosts, host) or host.of_namespace(namespace)


def _among(patterns: Sequence[HostPattern], host: Host) -> bool:
    return any(pattern.matches(host) for pattern in patterns)


def _not_a_host(bot: GptBot) -> str:
    service = f"a Service of its own namespace (NAME.{bot.metadata.namespace}.svc)"
    return f"its host is neither one of {_HOSTS} nor {service}; without a user, a password or other alphabets in it"


def _expose(expose: Expose, tenancy: Tenancy) -> Iterator[Fault]:
    if not _among(tenancy.expose_hosts, Host(expose.host, None)):
        yield Fault("spec.expose.host", "is not one of operator.allowedExposeHosts")
    for name, way in (("ingress", expose.ingress), ("route", expose.route)):
        path = f"spec.expose.{name}.annotations"
        keys = way.annotations if way is not None else {}
        if _OWN_CLASS in keys:
            yield Fault(f"{path}[{_OWN_CLASS}]", "use className")
        others = [key for key in keys if key != _OWN_CLASS]
        yield from key_faults(others, tenancy.ingress_annotations, path, "operator.allowedIngressAnnotations")
    wanted = expose.ingress.class_name if expose.ingress is not None else None
    if wanted is not None and wanted not in tenancy.ingress_classes:
        text = "is not one of operator.allowedIngressClasses; without it, the cluster's default is used"
        yield Fault("spec.expose.ingress.className", text)


def _egress(bot: GptBot, tenancy: Tenancy) -> Iterator[Fault]:
    if "*" in tenancy.egress:
        return
    policy = bot.spec.network_policy
    if not policy.enabled:
        yield Fault("spec.networkPolicy.enabled", "must be true, unless operator.allowedEgress has *")
    for index, rule in enumerate(policy.egress):
        yield from _rule(rule, f"spec.networkPolicy.egress[{index}]", bot.metadata.namespace, tenancy)


def _rule(rule: NetworkRule, path: str, namespace: str, tenancy: Tenancy) -> Iterator[Fault]:
    fields: dict[str, Any] = rule.model_extra or {}
    peers = fields.get("to")
    if not isinstance(peers, list) or not peers:
        yield Fault(f"{path}.to", "must name whom it is about: without it, that is everybody")
        return
    for index, peer in enumerate(cast("list[Any]", peers)):
        if not isinstance(peer, dict) or not _peer(cast("dict[str, Any]", peer), namespace, tenancy):
            text = (
                "is none of: an ipBlock within a network of operator.allowedEgress; a namespaceSelector whose only "
                f"matchLabels is {_NAMESPACE_LABEL}, of a namespace there or the bot's own; a podSelector alone"
            )
            yield Fault(f"{path}.to[{index}]", text)


def _peer(peer: dict[str, Any], namespace: str, tenancy: Tenancy) -> bool:
    present = {name: value for name, value in peer.items() if value is not None}
    if "ipBlock" in present:
        return present.keys() == {"ipBlock"} and _within(present["ipBlock"], tenancy)
    if "namespaceSelector" not in present:
        return present.keys() == {"podSelector"}
    selector = present["namespaceSelector"]
    labels: Any = cast("dict[str, Any]", selector).get("matchLabels") if isinstance(selector, dict) else None
    if not isinstance(labels, dict) or cast("dict[str, Any]", selector).keys() != {"matchLabels"}:
        return False
    wanted = cast("dict[str, Any]", labels)
    return wanted.keys() == {_NAMESPACE_LABEL} and wanted[_NAMESPACE_LABEL] in (namespace, *tenancy.egress)


def _within(block: Any, tenancy: Tenancy) -> bool:
    try:
        network = ip_network(cast("dict[str, Any]", block)["cidr"], strict=False)
    except (KeyError, TypeError, ValueError):
        return False
    for allowed in tenancy.egress:
        same = not isinstance(allowed, str) and allowed.version == network.version
        if same and network.subnet_of(allowed):  # pyright: ignore[reportArgumentType]
            return True
    return False
