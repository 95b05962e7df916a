"""The NetworkPolicy of all pods of a bot: nothing in and nothing out but what it needs.

Policies are enforced behind Services, where a port is that of a pod: hence no ports where a Service of the cluster is
named. Of a host whose place is not known, its port is open to every address that may be meant; what never is, is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from gptbot_api import GptBot
from gptbot_api.base import ApiModel
from gptbot_operator.desired.context import (
    BOT_LABEL,
    HTTP_PORT,
    METRICS_PORT,
    Context,
    Manifest,
    child,
    config_name,
)
from gptbot_operator.desired.destinations import destinations

_DNS_PORTS = (53, 5353)
"""The second is that of the DNS pods of some distributions."""
_PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
_PRIVATE_IPV6 = ("fc00::/7", "fe80::/10", "fec0::/10", "64:ff9b:1::/48")
"""Unique local, link-local and site-local addresses (RFC 4193, 4291, 3879), and those of a translator of one's own
(RFC 8215)."""
_TRANSLATED = ip_address("64:ff9b::")
"""What NAT64 puts before an IPv4 address (RFC 6052): by it, a pod without IPv4 would reach the private ones too."""


def _translated(network: str) -> str:
    private = ip_network(network)
    return f"{_TRANSLATED + int(private.network_address)}/{96 + private.prefixlen}"


PUBLIC: list[Manifest] = [
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(_PRIVATE)}},
    {"ipBlock": {"cidr": "::/0", "except": [*_PRIVATE_IPV6, *map(_translated, _PRIVATE)]}},
]
"""Peers that stand for the public internet."""

_SERVERS: Manifest = {
    "matchExpressions": [
        {"key": BOT_LABEL, "operator": "DoesNotExist"},
        {"key": "app.kubernetes.io/component", "operator": "NotIn", "values": ["operator"]},
    ]
}
"""Selects pods that may be a store, a model or a platform: of gptbot's own, neither bots nor operators are."""
_ANY_SERVER: Manifest = {"namespaceSelector": {}, "podSelector": _SERVERS}
_METADATA_IPV6 = ("fd00:ec2::254/128", "fd20:ce::254/128")
"""Where machines of AWS and Google Cloud hand out the credentials of a node; in IPv4 it is a link-local address."""
ANYWHERE: list[Manifest] = [
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}},
    {"ipBlock": {"cidr": "::/0", "except": ["fe80::/10", *_METADATA_IPV6, _translated("169.254.0.0/16")]}},
    _ANY_SERVER,
]
"""Peers that stand for every address but those of nodes' credentials. Some network plugins see in an `ipBlock` only
what lies outside of the cluster, hence the pods besides."""


def network_policy(bot: GptBot, context: Context) -> Manifest:
    """The NetworkPolicy."""
    return child(bot, "networking.k8s.io/v1", "NetworkPolicy", config_name(bot), "config") | {
        "spec": {
            "podSelector": {"matchLabels": {BOT_LABEL: bot.metadata.name}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": list(_ingress(bot)),
            "egress": list(_egress(bot, context)),
        }
    }


def _ingress(bot: GptBot) -> Iterator[Manifest]:
    # Kubelets probe the metrics port, and no selector names a node. What it serves has no texts and no ids.
    yield {"ports": [_tcp(METRICS_PORT)]}
    if bot.spec.platforms.serves_http():
        peers = _plain(bot.spec.network_policy.web_from)
        yield {"ports": [_tcp(HTTP_PORT)]} | ({"from": peers} if peers else {})
    yield from _plain(bot.spec.network_policy.ingress)


def _egress(bot: GptBot, context: Context) -> Iterator[Manifest]:
    yield {"ports": [{"port": port, "protocol": protocol} for port in _DNS_PORTS for protocol in ("UDP", "TCP")]}
    wanted = destinations(bot, context)
    if wanted.namespaces:
        among = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": sorted(wanted.namespaces)}
        yield {"to": [{"namespaceSelector": {"matchExpressions": [among]}, "podSelector": _SERVERS}]}
    if wanted.ports:
        yield {"to": ANYWHERE, "ports": [_tcp(port) for port in sorted(wanted.ports)]}
    for port in sorted({port for _, port in wanted.addresses}):
        blocks = sorted(str(ip_network(address)) for address, its in wanted.addresses if its == port)
        # Where a Service has that address, its pods are what is seen.
        yield {"to": [*({"ipBlock": {"cidr": block}} for block in blocks), _ANY_SERVER], "ports": [_tcp(port)]}
    if wanted.internet:
        yield {"to": PUBLIC}
    elif wanted.https:
        yield {"to": PUBLIC, "ports": [_tcp(443)]}
    yield from _plain(bot.spec.network_policy.egress)


def _tcp(port: int) -> Manifest:
    return {"port": port, "protocol": "TCP"}


def _plain(models: Sequence[ApiModel]) -> list[dict[str, Any]]:
    return [model.model_dump(mode="json", by_alias=True) for model in models]
