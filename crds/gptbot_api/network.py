"""Who reaches a bot's pods and whom they reach: network policy, a public address, monitoring."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gptbot_api.base import ApiModel, Duration, OpenModel, Rule

Hostname = Annotated[
    str, Field(max_length=253, pattern=r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
]


class NetworkPeer(OpenModel):
    """A `NetworkPolicyPeer` (networking.k8s.io/v1): `podSelector`, `namespaceSelector` or `ipBlock`."""


class NetworkRule(OpenModel):
    """A rule of a NetworkPolicy (networking.k8s.io/v1): `from` or `to`, and `ports`."""


class NetworkPolicy(ApiModel):
    """What the bot's pods may talk to. Only a cluster whose network plugin enforces NetworkPolicies keeps to it."""

    enabled: bool = True
    """Have one: nothing comes in but to the web page, webhooks and metrics, nothing goes out but to DNS, the store, the
    model and the platforms."""
    web_from: Annotated[list[NetworkPeer], Field(max_length=32)] = Field(default_factory=list[NetworkPeer])
    """Who may reach the web page and webhooks, such as the ingress controller's namespace. Empty: everybody."""
    ingress: Annotated[list[NetworkRule], Field(max_length=32)] = Field(default_factory=list[NetworkRule])
    """Further rules for what comes in."""
    egress: Annotated[list[NetworkRule], Field(max_length=32)] = Field(default_factory=list[NetworkRule])
    """Further rules for what goes out."""


class Ingress(ApiModel):
    """An Ingress (networking.k8s.io/v1) in front of the gateways."""

    class_name: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Its class. Absent: the cluster's default."""
    tls_secret_name: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Secret of the bot's namespace with the certificate. Absent: the Ingress has no TLS."""
    annotations: dict[str, str] = Field(default_factory=dict[str, str])
    """What the controller or cert-manager is told."""


class ParentRef(OpenModel):
    """A `ParentReference` (gateway.networking.k8s.io/v1): the Gateway that takes the route in."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the Gateway."""


class Route(ApiModel):
    """An HTTPRoute (gateway.networking.k8s.io/v1) to the gateways. The cluster needs the Gateway API."""

    parent_refs: Annotated[list[ParentRef], Field(min_length=1, max_length=32)]
    """The Gateways that take it in."""
    annotations: dict[str, str] = Field(default_factory=dict[str, str])
    """What the Gateway's controller is told."""


class Expose(ApiModel):
    """A public address for the web page and webhooks."""

    host: Hostname
    """Name of the host, such as `bot.example.com`."""
    ingress: Ingress | None = None
    """Make an Ingress."""
    route: Route | None = None
    """Make an HTTPRoute of the Gateway API."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.ingress) || has(self.route)",
            "expose needs ingress or route",
            lambda e: e.ingress is not None or e.route is not None,
        ),
    )


class Monitoring(ApiModel):
    """How Prometheus finds the bot's pods."""

    enabled: bool = True
    """Make a PodMonitor, where the cluster has the Prometheus operator (monitoring.coreos.com/v1)."""
    interval: Duration = "30s"
    """How often the pods are asked."""
    labels: dict[str, str] = Field(default_factory=dict[str, str])
    """Further labels, where Prometheus looks for PodMonitors of certain labels only."""
