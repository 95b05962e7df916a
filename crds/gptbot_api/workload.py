"""How a bot runs: gateway, workers, store, pod template."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gptbot_api.base import ApiModel, OpenModel, Rule
from gptbot_api.refs import SecretKeyRef

Quantity = Annotated[
    str | int,
    Field(
        json_schema_extra={
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$",
        }
    ),
]


class Resources(ApiModel):
    """Compute resources of a container, as in a Pod."""

    requests: dict[str, Quantity] = Field(default_factory=dict[str, str | int])
    """What is reserved, such as `cpu: 100m` or `memory: 128Mi`. Empty: gptbot's measured defaults."""
    limits: dict[str, Quantity] = Field(default_factory=dict[str, str | int])
    """What is the most. Empty: a memory limit from gptbot's measured defaults, and no CPU limit."""


class Store(ApiModel):
    """Where conversations are kept: Redis 7 or Valkey 8 and newer."""

    url_secret_ref: SecretKeyRef
    """Address with password: `redis://:PASSWORD@HOST:6379/0`, or `rediss://` for TLS."""


class Gateway(ApiModel):
    """The part that holds the platforms' sessions."""

    replicas: Annotated[int, Field(ge=1, le=16)] = 1
    """Gateways. One holds each session, the others stand by."""
    concurrency: Annotated[int, Field(ge=0, le=10_000)] = 20
    """Answers a gateway makes itself at the same time. 0: it leaves them all to workers."""
    resources: Resources = Field(default_factory=Resources)
    """Of one gateway."""


class ScalingTarget(ApiModel):
    """What the autoscaler aims at."""

    backlog_per_replica: Annotated[int, Field(ge=1, le=100_000)] = 20
    """Conversations waiting or being answered, a worker."""


class Workers(ApiModel):
    """The part that answers."""

    min_replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """Fewest workers."""
    max_replicas: Annotated[int, Field(ge=0, le=1000)] = 10
    """Most workers. 0: none, the gateway answers alone."""
    concurrency: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Answers one worker makes at the same time."""
    target: ScalingTarget = Field(default_factory=ScalingTarget)
    """What the autoscaler aims at."""
    resources: Resources = Field(default_factory=Resources)
    """Of one worker."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.maxReplicas == 0 || self.minReplicas <= self.maxReplicas",
            "minReplicas must not be greater than maxReplicas",
            lambda w: w.max_replicas == 0 or w.min_replicas <= w.max_replicas,
            field="minReplicas",
        ),
    )


class PodTemplate(OpenModel):
    """A PodTemplateSpec (`metadata`, `spec`) merged into the pods of gateway and workers; containers by name."""
