"""The status of a bot: a pure function of what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gptbot_api import GptBot
from gptbot_operator.budget import budget_available
from gptbot_operator.cache import Observed
from gptbot_operator.cluster import Document
from gptbot_operator.desired.context import selector
from gptbot_operator.model import model_reachable
from gptbot_operator.pausing import is_paused, paused, waiting
from gptbot_operator.platforms import platform_entries, platform_reports, platforms_connected
from gptbot_operator.pods import PodTrouble
from gptbot_operator.rollout import progressing, stuck_by
from gptbot_operator.scaling_active import scaling_active
from gptbot_operator.store import PlatformReport
from gptbot_operator.verdict import MAX_MESSAGE, Seen, Verdict, available

CONDITIONS = (
    "Ready", "SecretsResolved", "StoreReachable", "ModelReachable", "BudgetAvailable", "PlatformsConnected",
    "ScalingActive", "Progressing",
)  # fmt: skip
_AT_TIMES = ("Plausible", "Paused")
"""Conditions that are there only while there is something to say."""


def status_of(bot: GptBot, seen: Seen, previous: Document, now: str) -> Document:
    """The status to write. Times of conditions that did not change are taken from `previous`."""
    platforms = platform_reports(bot, seen, previous)
    verdicts = {
        "SecretsResolved": _secrets(seen),
        "StoreReachable": _store(bot, seen),
        "ModelReachable": model_reachable(bot, seen),
        "BudgetAvailable": budget_available(bot, seen),
        "PlatformsConnected": platforms_connected(bot, seen, platforms),
        "ScalingActive": scaling_active(bot, seen),
        "Progressing": progressing(bot, seen),
    }
    observed = _observed(bot.metadata.annotations, bot.metadata.generation, previous)
    if doubt := _plausible(seen):
        verdicts["Plausible"] = doubt
    if order := paused(bot.metadata.annotations):
        verdicts["Paused"] = order
        verdicts["Progressing"] = waiting(bot.metadata.generation, observed) or verdicts["Progressing"]
    verdicts["Ready"] = _ready(bot, seen, verdicts, platforms, previous)
    status: Document = {
        "observedGeneration": observed,
        "conditions": with_times(verdicts, previous, observed, now, bot.metadata.generation),
        "platforms": platform_entries(platforms, previous, now),
        "platformNames": ",".join(name for name, report in platforms.items() if report.connected),
        **_pods(seen.gateway, seen.worker),
        "selector": ",".join(f"{name}={value}" for name, value in selector(bot, "worker").items()),
    }
    if previous.get("servedBy"):
        status["servedBy"] = previous["servedBy"]
    if seen.store is not None and seen.store.backlog is not None:
        status["backlog"] = seen.store.backlog
    return status


def _observed(annotations: Mapping[str, str], generation: int, previous: Document) -> int:
    """The generation that was acted on, be it refused or applied: while a bot is paused, that of before."""
    return int(previous.get("observedGeneration") or 0) if is_paused(annotations) else generation


def _pods(gateway: Observed | None, worker: Observed | None) -> Document:
    """How many there are."""
    receiving, answering = (deployment.facts if deployment else {} for deployment in (gateway, worker))
    return {
        "gateway": {"ready": receiving.get("ready", 0), "desired": receiving.get("replicas", 0)},
        "workers": {
            "ready": answering.get("ready", 0),
            "desired": answering.get("replicas", 0),
            "replicas": answering.get("pods", 0),
        },
    }


def refused_status(
    document: Document, refusal: Verdict, stopping: Verdict | None, running: Mapping[str, Observed], now: str
) -> Document:
    """The status of a GptBot that is refused: an older or missing CRD let it through, or it asks for too much.

    `stopping`: the condition Progressing of one that is suspended; `running`: its Deployments. The conditions are about
    the newest generation, which is what was refused; a pause keeps `observedGeneration` where it was all the same.
    """
    generation = document["metadata"].get("generation", 0)
    annotations: dict[str, str] = document["metadata"].get("annotations") or {}
    previous: Document = document.get("status") or {}
    verdicts = {"Ready": refusal} | {name: Verdict("Unknown", refusal.reason) for name in CONDITIONS[1:]}
    if stopping is not None:
        verdicts["Progressing"] = stopping
    if order := paused(annotations):
        verdicts["Paused"] = order
    return {
        **{k: v for k, v in previous.items() if k not in ("backlog",)},
        "observedGeneration": _observed(annotations, generation, previous),
        "conditions": with_times(verdicts, previous, generation, now),
        **_pods(running.get("gateway"), running.get("worker")),
    }


def with_times(
    verdicts: dict[str, Verdict], previous: Document, generation: int, now: str, newest: int | None = None
) -> list[Document]:
    """Conditions as `metav1.Condition`: the time is when `status` last changed.

    `newest`: the generation of what is said of the GptBot itself, where the rest is about an older one.
    """
    before: dict[str, Document] = {c["type"]: c for c in previous.get("conditions") or []}
    conditions: list[Document] = []
    for name in filter(verdicts.__contains__, (*CONDITIONS, *_AT_TIMES)):
        verdict = verdicts[name]
        old: dict[str, Any] = before.get(name, {})
        conditions.append(
            {
                "type": name,
                "status": verdict.status,
                "reason": verdict.reason,
                "message": verdict.message[:MAX_MESSAGE],
                "lastTransitionTime": old["lastTransitionTime"] if old.get("status") == verdict.status else now,
                "observedGeneration": generation if newest is None or name not in _AT_TIMES else newest,
            }
        )
    return conditions


def _secrets(seen: Seen) -> Verdict:
    if seen.missing:
        return Verdict("False", "Missing", "; ".join([*seen.missing, *seen.unfilled]))
    if seen.unfilled:
        return Verdict("False", "NotFilledIn", "; ".join(seen.unfilled))
    return Verdict("True", "Resolved")


def _plausible(seen: Seen) -> Verdict | None:
    """The condition Plausible; None where there is nothing to say. What it tells may be as somebody wants it."""
    if not seen.doubts:
        return None
    certain = any(doubt.certain for doubt in seen.doubts)
    return Verdict("False", "CannotBeRight" if certain else "LikelyWrong", "; ".join(map(str, seen.doubts)))


def _store(bot: GptBot, seen: Seen) -> Verdict:
    if seen.store is not None:
        return Verdict("True" if seen.store.reachable else "False", seen.store.reason, seen.store.message)
    if bot.spec.store is not None:
        return Verdict("False", "SecretMissing", "the Secret key that spec.store.urlSecretRef names is not there")
    return Verdict(
        "False",
        "NoStore",
        "the operator has no shared store: set GPTBOT_STORE_URL there, or spec.store.urlSecretRef here",
    )


def _ready(
    bot: GptBot, seen: Seen, verdicts: dict[str, Verdict], platforms: dict[str, PlatformReport], previous: Document
) -> Verdict:
    if seen.conflicts:
        return Verdict("False", "NameConflict", "; ".join(seen.conflicts))
    if seen.failures:
        return Verdict("False", "ApplyFailed", "; ".join(seen.failures))
    if bot.spec.suspend:
        return Verdict("False", "Suspended", "spec.suspend is true")
    if seen.gateway is None and verdicts["Progressing"].reason == "Paused":
        return verdicts["Progressing"]
    model = verdicts["ModelReachable"]
    if model.reason == "NoEmbeddedModel":
        return model
    store = verdicts["StoreReachable"]
    if store.status != "True":
        return Verdict("False", store.reason, store.message)
    if not available(seen.gateway):
        secrets = verdicts["SecretsResolved"]
        if secrets.status != "True":
            return Verdict("False", "SecretsMissing", secrets.message)
        return Verdict("False", "GatewayUnavailable", _why_unavailable(seen.gateway, seen.gateway_pods))
    if bot.spec.gateway.concurrency == 0 and not available(seen.worker):
        return Verdict("False", "WorkersUnavailable", _why_unavailable(seen.worker, seen.worker_pods))
    if store.reason == "StoreShareSpent":
        return Verdict("False", store.reason, store.message)
    connected = verdicts["PlatformsConnected"]
    if not any(report.connected for report in platforms.values()):
        return Verdict("False", "PlatformsDisconnected", connected.message)
    if model.status == "False":
        return Verdict("False", model.reason, model.message)
    if model.status == "Unknown" and not _was_ready(previous):
        return Verdict("Unknown", model.reason, model.message)
    if connected.status != "True":
        return Verdict("True", "PartlyConnected", connected.message)
    if model.reason in ("NotAskedYet", "Recovered"):
        return Verdict("True", model.reason, model.message)
    return Verdict("True", "Answering")


def _was_ready(previous: Document) -> bool:
    """What was said stands while nothing is known: bots of an older version tell nothing before the first question."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in previous.get("conditions") or [])


def _why_unavailable(deployment: Observed | None, pods: PodTrouble | None) -> str:
    if deployment is None:
        return "it has not been made yet"
    if trouble := stuck_by(deployment, pods):
        return trouble.message
    return f"0 of {deployment.facts['replicas']} pods are ready"
