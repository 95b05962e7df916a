"""What a status is made of: what one reconcile saw, and what is said of one condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gptbot_api.doubts import Finding
from gptbot_operator.cache import Observed
from gptbot_operator.pods import PodTrouble
from gptbot_operator.refusals import Fault
from gptbot_operator.settings import Settings
from gptbot_operator.store import Reading

MAX_MESSAGE = 2000
"""Characters of a message in a status."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One condition before it has a time."""

    status: str
    """`True`, `False` or `Unknown`."""
    reason: str
    """One CamelCase word."""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one reconcile found out."""

    settings: Settings
    missing: Sequence[str] = ()
    """A line for each Secret or ConfigMap key that is not there."""
    unfilled: Sequence[str] = ()
    """A line for each key that holds what stands for its value in an example."""
    doubts: Sequence[Finding] = ()
    """What the spec itself shows to be wrong or likely wrong."""
    conflicts: Sequence[str] = ()
    """A line for each child whose name somebody else has taken."""
    failures: Sequence[str] = ()
    """A line for each child that the API server refused."""
    duplicates: Mapping[str, Sequence[str]] | None = field(default_factory=dict[str, Sequence[str]])
    """Platform to other bots (`namespace/name`) with the same token. None: not all bots were looked at yet."""
    store: Reading | None = None
    """None: the bot has no store, or its URL is not there yet."""
    gateway: Observed | None = None
    worker: Observed | None = None
    autoscaler: Observed | None = None
    scalers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Autoscalers of others, in words, by what they scale: the Deployment of `gateway` or `worker`, or the `bot`."""
    gateway_pods: PodTrouble | None = None
    """Why pods of the gateway do not start, if it was looked for and found."""
    worker_pods: PodTrouble | None = None
    gateway_held_up: Fault | None = None
    """Why the gateway's Deployment is not as it should be: it was refused, or waits for something that was."""
    worker_held_up: Fault | None = None
    waits_for_rollout: bool = False
    """Newer pods of it are kept back until it is its turn."""


def is_rolled_out(deployment: Observed) -> bool:
    """Whether no pod of an older template is left."""
    facts = deployment.facts
    return facts["observed"] >= facts["generation"] and facts["pods"] <= facts["updated"]


def available(deployment: Observed | None) -> bool:
    """Whether a Deployment has a pod that works."""
    return deployment is not None and deployment.facts["available"] > 0
