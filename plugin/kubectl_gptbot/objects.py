"""What is read off objects of the cluster in more than one place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kubectl_gptbot.kubectl import BOT_LABEL, ROLE_LABEL, Document


def name(item: Document) -> str:
    """Its name."""
    return item["metadata"]["name"]


def role(item: Document) -> str:
    """`gateway`, `worker`, or what else it is of its bot."""
    return (item["metadata"].get("labels") or {}).get(ROLE_LABEL, "")


def belongs(item: Document, bot: str) -> bool:
    """Whether it is one of a bot's children or pods."""
    return (item["metadata"].get("labels") or {}).get(BOT_LABEL) == bot


def status(item: Document) -> Document:
    """Its status, empty while there is none."""
    return item.get("status") or {}


def conditions(item: Document) -> dict[str, Document]:
    """Its conditions by type."""
    return {each["type"]: each for each in status(item).get("conditions") or []}


def ready(pod: Document) -> bool:
    """Whether a pod is ready and staying."""
    is_ready = conditions(pod).get("Ready", {}).get("status") == "True"
    return is_ready and not pod["metadata"].get("deletionTimestamp")


def time_of(event: Document) -> str:
    """When an Event was last seen."""
    series: Document = event.get("series") or {}
    when: Any = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return when or event["metadata"].get("creationTimestamp") or ""


def age(timestamp: str | None, now: datetime | None = None) -> str:
    """How long ago a time was, as kubectl says it: `5d`, `3h`, `12m`, `8s`."""
    if not timestamp:
        return ""
    past = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    seconds = max(0, int(((now or datetime.now(UTC)) - past).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
