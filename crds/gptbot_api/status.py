"""What the operator writes back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gptbot_api.base import ApiModel


class Condition(ApiModel):
    """One observation of the bot, as `metav1.Condition`."""

    type: Annotated[str, Field(max_length=316)]
    """Ready, SecretsResolved, StoreReachable, ModelReachable, BudgetAvailable, PlatformsConnected, ScalingActive,
    Progressing; Paused where a pause was asked for, Plausible where the spec looks wrong."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: Annotated[str, Field(max_length=1024)]
    """Why, in one CamelCase word."""
    message: Annotated[str, Field(max_length=32768)] = ""
    """Why, for a person."""
    last_transition_time: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    """When `status` last changed."""
    observed_generation: int = 0
    """The generation it was observed at."""


class PlatformStatus(ApiModel):
    """What a gateway says of one platform."""

    name: str
    """Name of the platform."""
    connected: bool = False
    """Whether messages are being received."""
    since: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None = None
    """When `connected` became what it is."""
    username: str | None = None
    """The bot's name there, where it has one."""
    invite_link: str | None = None
    """Where people open it or add it to a group."""
    reason: str = ""
    """What is wrong, in one CamelCase word; also where it is connected and something does not work as it should."""
    message: str = ""
    """What is wrong, if anything, and what to do."""


class WorkersStatus(ApiModel):
    """The workers as they are."""

    ready: int = 0
    """Workers ready to answer."""
    desired: int = 0
    """Workers wanted now."""
    replicas: int = 0
    """Workers there are, ready or not."""


class GatewayStatus(ApiModel):
    """The gateway's pods as they are."""

    ready: int = 0
    """Pods that receive messages."""
    desired: int = 0
    """Pods wanted now."""


class GptBotStatus(ApiModel):
    """What the bot is, written by the operator."""

    served_by: str | None = None
    """The installation of the operator that serves the bot, by its Lease: `NAMESPACE/NAME`. Absent: none with one."""
    observed_generation: int = 0
    """The generation of the spec that the rest is about."""
    conditions: Annotated[list[Condition], Field(max_length=32)] = Field(
        default_factory=list[Condition],
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Ready, SecretsResolved, StoreReachable, ModelReachable, BudgetAvailable, PlatformsConnected, ScalingActive,
    Progressing; Paused where a pause was asked for, Plausible where the spec looks wrong."""
    platforms: Annotated[list[PlatformStatus], Field(max_length=32)] = Field(
        default_factory=list[PlatformStatus],
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    """What the gateways say of each platform."""
    platform_names: str = ""
    """The platforms that are connected, in one word each, for `kubectl get`."""
    gateway: GatewayStatus | None = None
    """The gateway's pods as they are."""
    workers: WorkersStatus | None = None
    """The workers as they are."""
    selector: str = ""
    """Labels that pick the workers' pods, as `kubectl get pods -l` takes them."""
    backlog: int | None = None
    """Conversations waiting or being answered."""
