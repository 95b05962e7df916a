"""Kubernetes Events for conditions that change, as `kubectl describe` shows them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from gptbot_api import API_VERSION, KIND
from gptbot_operator.cluster import Document

_NOTE_LENGTH = 1024
"""The most that events.k8s.io/v1 takes."""


class Budget:
    """How many Events a condition gets: some at once, then one every so often.

    One that goes to and fro is told of so often and no more; how it is now stands in the GptBot all the time.
    """

    def __init__(self, burst: int = 5, refill: float = 300.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`refill`: seconds after which there may be one more."""
        self._burst, self._refill, self._clock = burst, refill, clock
        self._left: dict[str, tuple[float, float]] = {}

    def allows(self, condition: str) -> bool:
        """Whether there may be one now; it counts then."""
        now = self._clock()
        left, at = self._left.get(condition, (float(self._burst), now))
        left = min(float(self._burst), left + (now - at) / self._refill)
        allowed = left >= 1
        self._left[condition] = (left - allowed, now)
        return allowed


@dataclass(slots=True)
class _Trouble:
    """A condition that is bad and was not told of yet."""

    due: float
    before: tuple[str, str] | None
    """Status and reason before; None: it was bad when it was seen first."""


class News:
    """What of one bot's conditions is worth an Event, look by look.

    A change for the better is told at once. One for the worse is told when it has lasted for the `grace`: while a bot
    starts, its gateway, platforms and model are away for a while, and nobody need look. Nor while Kubernetes brings up
    pods and nothing keeps it from it: that begins the grace anew.
    """

    def __init__(self, budget: Budget | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._budget, self._clock = budget or Budget(), clock
        self._troubles: dict[str, _Trouble] = {}
        self._looked = False

    def changes(
        self, bot: Document, before: Document, after: Document, instance: str, grace: float
    ) -> Iterator[Document]:
        """The Events to write now. `instance` names this operator, `grace` is in seconds.

        To be called at each look, also when nothing has changed: a trouble may have lasted long enough.
        """
        old = {c["type"]: (c["status"], c["reason"]) for c in before.get("conditions") or []}
        first, self._looked = not self._looked, True
        under_way = any(c["type"] == "Progressing" and c["status"] == "True" for c in after["conditions"])
        for condition in after["conditions"]:
            name, known = condition["type"], old.get(condition["type"])
            if first and _is_bad(condition) and _age(condition) < grace:
                known = None  # another operator saw it, and ended before it told
            starting = condition["status"] == "Unknown" or (under_way and condition["reason"] in _STARTING)
            if self._is_worth_one(condition, known, starting, grace) and self._budget.allows(name):
                yield _event(bot, condition, instance)

    def _is_worth_one(self, condition: Document, known: tuple[str, str] | None, starting: bool, grace: float) -> bool:
        name, now, clock = condition["type"], (condition["status"], condition["reason"]), self._clock()
        trouble = self._troubles.get(name)
        if trouble is not None and now == trouble.before:
            del self._troubles[name]  # it has passed, and nobody heard of it
            return False
        if trouble is not None and starting:
            trouble.due = clock + grace
            return False
        if not _is_bad(condition):
            begins = name == "Paused" and known is None
            return self._troubles.pop(name, None) is not None or begins or known not in (None, now)
        if trouble is None:
            if known != now:
                self._troubles[name] = _Trouble(clock + grace, known)
            return False
        if clock < trouble.due:
            return False
        del self._troubles[name]
        return True


_STARTING = ("GatewayUnavailable", "WorkersUnavailable")
"""Reasons that are none to look while pods are being brought up."""


def served_by_another(bot: Document, holder: str, own: str, instance: str, *, meant: bool) -> Document:
    """An Event of an installation (`own`) that leaves a bot to another; one an hour, as that is how long it is kept.

    `meant`: the bot says itself who is to serve it.
    """
    if meant:
        note = f"spec.operator leaves the bot to {holder}; {own} stands back"
    else:
        note = (
            f"{holder} serves the bot; {own} stands back. Let the two serve different namespaces (operator.namespaces),"
            " or name one in spec.operator"
        )
    condition = {"type": "ServedBy", "status": "Another", "reason": "ServedByAnother", "message": note}
    event = _event(bot, condition, instance)
    told = hashlib.sha256(f"{bot['metadata']['uid']} {holder} {own}".encode()).hexdigest()[:16]
    metadata = {"name": f"{bot['metadata']['name']}.{told}", "namespace": bot["metadata"]["namespace"]}
    return event | {"metadata": metadata, "type": "Normal" if meant else "Warning"}


def rollout_stopped(bot: Document, note: str, instance: str) -> Document:
    """An Event of a bot whose new pods fail, so that no other bot gets any."""
    condition = {"type": "Rollout", "status": "False", "reason": "RolloutStopped", "message": note}
    return _event(bot, condition, instance)


def _is_bad(condition: Document) -> bool:
    """Whether somebody should look."""
    if condition["reason"] == "NearlySpent":
        return True
    if condition["status"] != "False" or condition["type"] == "ScalingActive":
        return False
    if condition["type"] == "Progressing" and condition["reason"] in ("Complete", "WaitingForRollout"):
        return False
    return condition["reason"] != "Suspended"


def _age(condition: Document) -> float:
    """Seconds since its status changed."""
    since = condition.get("lastTransitionTime")
    return float("inf") if since is None else time.time() - datetime.fromisoformat(since).timestamp()


def _event(bot: Document, condition: Document, instance: str) -> Document:
    metadata = bot["metadata"]
    note = condition["message"] or f"{condition['type']} is {condition['status']}"
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"generateName": f"{metadata['name']}-", "namespace": metadata["namespace"]},
        "type": "Warning" if _is_bad(condition) else "Normal",
        "reason": condition["reason"],
        "action": f"{condition['type']}{condition['status']}",
        "note": note[:_NOTE_LENGTH],
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": "gptbot.dev/operator",
        "reportingInstance": instance[:128],
        "regarding": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
    }
