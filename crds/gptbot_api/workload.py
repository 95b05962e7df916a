"""How a bot runs: gateway, workers, store, pod template."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from gptbot_api.base import DURATION, ApiModel, Form, OpenModel, Rule
from gptbot_api.refs import SecretKeyRef

_QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
"""As in the Kubernetes API (`resource.Quantity`)."""


def _quantity(value: Any) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise PydanticCustomError("int_or_string_type", "not a quantity")
    return value


QUANTITY = Form(
    _QUANTITY,
    "must be an amount: of CPU such as 500m or 2, of memory such as 128Mi or 1Gi (MB is no unit: M and Mi are)",
    cel="type(self) == int || isQuantity(self)",
)
Quantity = Annotated[
    str | int, PlainValidator(_quantity), WithJsonSchema({"x-kubernetes-int-or-string": True}), QUANTITY
]
"""An amount, such as `100m` of CPU or `128Mi` of memory."""


FORMS = (DURATION, QUANTITY)
"""All forms of texts."""


class Resources(ApiModel):
    """Compute resources of a container, as in a Pod."""

    requests: dict[str, Quantity] = Field(default_factory=dict[str, str | int], max_length=8)
    """What is reserved, such as `cpu: 100m` or `memory: 128Mi`. Empty: gptbot's measured defaults."""
    limits: dict[str, Quantity] = Field(default_factory=dict[str, str | int], max_length=8)
    """What is the most. Empty: a memory limit from gptbot's measured defaults, and no CPU limit."""


class Store(ApiModel):
    """Where conversations are kept: Redis 7 or Valkey 8 and newer."""

    url_secret_ref: SecretKeyRef
    """Address with password: `redis://:PASSWORD@HOST:6379/0`, or `rediss://` for TLS."""


class PodMetadata(ApiModel):
    """Labels and annotations of the pods."""

    labels: dict[str, str] = Field(default_factory=dict[str, str])
    """Further labels. Those that gptbot itself sets win."""
    annotations: dict[str, str] = Field(default_factory=dict[str, str])
    """Further annotations."""


class PodSpec(OpenModel):
    """Fields of a PodSpec. The Deployment says when one is wrong: see the condition Ready."""


class PodTemplate(ApiModel):
    """A PodTemplateSpec merged into the pods of gateway and workers."""

    metadata: PodMetadata = Field(default_factory=PodMetadata)
    """Labels and annotations."""
    spec: PodSpec = Field(default_factory=PodSpec)
    """Fields of a PodSpec, such as `nodeSelector`, `tolerations`, `imagePullSecrets` or `containers`."""


class Gateway(ApiModel):
    """The part that holds the platforms' sessions."""

    replicas: Annotated[int, Field(ge=1, le=16)] = 1
    """Gateways. One holds each session, the others stand by."""
    concurrency: Annotated[int, Field(ge=0, le=10_000)] = 20
    """Answers a gateway makes itself at the same time. 0: it leaves them all to workers."""
    resources: Resources = Field(default_factory=Resources)
    """Of one gateway."""
    pod_template: PodTemplate = Field(default_factory=PodTemplate)
    """Merged into the gateways' pods, after `spec.podTemplate`."""


class ScalingTarget(ApiModel):
    """What the autoscaler aims at."""

    backlog_per_replica: Annotated[int, Field(ge=1, le=100_000)] = 20
    """Conversations waiting or being answered, a worker."""


class Workers(ApiModel):
    """The part that answers."""

    autoscaling: Literal["auto", "none"] = "auto"
    """Who decides on their number. `auto`: an autoscaler that the operator makes, from `minReplicas` to `maxReplicas`.
    `none`: an autoscaler or a person of your own, by `replicas`, the GptBot's `/scale` or the Deployment's."""
    replicas: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How many workers, with `autoscaling: none`; what `kubectl scale gptbot` and the `/scale` subresource set. Absent:
    the number is left to whoever scales the Deployment."""
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
    pod_template: PodTemplate = Field(default_factory=PodTemplate)
    """Merged into the workers' pods, after `spec.podTemplate`."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.maxReplicas == 0 || self.minReplicas <= self.maxReplicas",
            "minReplicas must not be greater than maxReplicas",
            lambda w: w.max_replicas == 0 or w.min_replicas <= w.max_replicas,
            field="minReplicas",
        ),
        Rule(
            "!has(self.replicas) || self.autoscaling == 'none'",
            "replicas needs autoscaling: none; otherwise minReplicas and maxReplicas say how many",
            lambda w: w.replicas is None or w.autoscaling == "none",
            field="replicas",
        ),
    )
