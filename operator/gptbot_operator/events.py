"""Kubernetes Events for conditions that change, as `kubectl describe` shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from gptbot_api import API_VERSION, KIND
from gptbot_operator.cluster import Document

_NOTE_LENGTH = 1024
"""The most that events.k8s.io/v1 takes."""


def changes(bot: Document, before: Document, after: Document, instance: str) -> Iterator[Document]:
    """An Event for each condition whose status or reason is not what it was. `instance` names this operator.

    A condition seen for the first time is worth one only when something is wrong.
    """
    old = {c["type"]: (c["status"], c["reason"]) for c in before.get("conditions") or []}
    for condition in after["conditions"]:
        now = (condition["status"], condition["reason"])
        known = old.get(condition["type"])
        if known != now and (known is not None or condition["status"] == "False"):
            yield _event(bot, condition, instance)


def _event(bot: Document, condition: Document, instance: str) -> Document:
    metadata = bot["metadata"]
    note = condition["message"] or f"{condition['type']} is {condition['status']}"
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"generateName": f"{metadata['name']}-", "namespace": metadata["namespace"]},
        "type": "Warning" if condition["status"] == "False" and condition["type"] != "ScalingActive" else "Normal",
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
