"""The NetworkPolicy of all pods of a bot: nothing in and nothing out but what it needs.

Policies are enforced behind Services, where a port is that of a pod: hence no ports where a Service of the cluster is
named. What a policy lets through too much is harmless; one that lets through too little cuts a bot off.
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
        yield {"to": [{"namespaceSelector": {"matchExpressions": [among]}}]}
    if wanted.ports:
        yield {"ports": [_tcp(port) for port in sorted(wanted.ports)]}
    if wanted.internet:
        yield {"to": PUBLIC}
    elif wanted.https and 443 not in wanted.ports:
        yield {"to": PUBLIC, "ports": [_tcp(443)]}
    yield from _plain(bot.spec.network_policy.egress)


def _tcp(port: int) -> Manifest:
    return {"port": port, "protocol": "TCP"}


def _plain(models: Sequence[ApiModel]) -> list[dict[str, Any]]:
    return [model.model_dump(mode="json", by_alias=True) for model in models]
