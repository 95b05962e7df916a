"""Kubernetes Events for conditions that change, as `kubectl describe` shows them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
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


def changes(bot: Document, before: Document, after: Document, instance: str, budget: Budget) -> Iterator[Document]:
    """An Event for each condition whose status or reason is not what it was. `instance` names this operator.

    A condition seen for the first time is worth one only when something is wrong, or a pause begins.
    """
    old = {c["type"]: (c["status"], c["reason"]) for c in before.get("conditions") or []}
    for condition in after["conditions"]:
        now = (condition["status"], condition["reason"])
        known = old.get(condition["type"])
        worth_one = known != now and (known is not None or _is_bad(condition) or condition["type"] == "Paused")
        if worth_one and budget.allows(condition["type"]):
            yield _event(bot, condition, instance)


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


def _is_bad(condition: Document) -> bool:
    """Whether somebody should look."""
    if condition["reason"] == "NearlySpent":
        return True
    if condition["status"] != "False" or condition["type"] == "ScalingActive":
        return False
    return not (condition["type"] == "Progressing" and condition["reason"] in ("Complete", "Suspended"))


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
