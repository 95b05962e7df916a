"""Why pods do not start: what a kubelet and the scheduler say of them, in one line a person can act on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gptbot_operator.cluster import Document

_WAITS = frozenset({"ContainerCreating", "PodInitializing"})
"""Reasons of a container that waits and is well."""
_DO = {
    "ImagePullBackOff": "check the image's name, and the pull secrets in podTemplate",
    "ErrImagePull": "check the image's name, and the pull secrets in podTemplate",
    "InvalidImageName": "check the image's name",
    "CrashLoopBackOff": "see its log: kubectl logs --previous",
    "CreateContainerConfigError": "a Secret or ConfigMap that podTemplate names is not there",
    "OOMKilled": "raise its memory limit",
    "Unschedulable": "no node has room for it, or none that podTemplate allows",
}


@dataclass(frozen=True, slots=True)
class PodTrouble:
    """The worst of what keeps pods of a Deployment from working."""

    reason: str
    """Kubernetes' word for it."""
    message: str


def trouble_of(pods: Iterable[Document]) -> PodTrouble | None:
    """What keeps pods from working, or None: nothing is said yet. Names no pod: they come and go, the trouble stays."""
    found = sorted({trouble for pod in pods for trouble in _of(pod)})
    if not found:
        return None
    reason, text = found[0]
    advice = _DO.get(reason)
    return PodTrouble(reason, "; ".join(filter(None, [text, advice])))


def _of(pod: Document) -> Iterator[tuple[str, str]]:
    status: Document = pod.get("status") or {}
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        return
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            yield "Unschedulable", str(condition.get("message") or "it cannot be scheduled")
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting: Any = (container.get("state") or {}).get("waiting") or {}
        reason = str(waiting.get("reason") or "")
        if not reason or reason in _WAITS:
            continue
        name, ended = container.get("name", ""), (container.get("lastState") or {}).get("terminated") or {}
        if reason == "CrashLoopBackOff" and ended.get("reason") == "OOMKilled":
            yield "OOMKilled", f"container {name} needs more memory than its limit"
        elif reason == "CrashLoopBackOff":
            yield reason, f"container {name} ends with exit code {ended.get('exitCode', 'unknown')}, again and again"
        else:
            image = f" (image {container['image']})" if "mage" in reason and container.get("image") else ""
            yield reason, f"container {name} cannot be started{image}"


@dataclass(slots=True)
class PodLook:
    """What was found of pods that do not work, and when to look again: less and less often, for it is a request."""

    fingerprint: bytes
    """Of the Deployment; a changed one is looked at anew."""
    next_at: float
    pause: float
    found: PodTrouble | None = None

    def due(self, now: float, longest: float) -> bool:
        """Whether it is time; the next time comes after twice the pause."""
        if now < self.next_at:
            return False
        self.pause = min(self.pause * 2, longest)
        self.next_at = now + self.pause
        return True
