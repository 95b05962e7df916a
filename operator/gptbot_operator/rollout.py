"""The condition Progressing: whether gateway and workers are being replaced, and whether that has got stuck."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_operator.cache import Observed
from gptbot_operator.pods import PodTrouble
from gptbot_operator.verdict import Seen, Verdict


def progressing(bot: GptBot, seen: Seen) -> Verdict:
    """`True`: under way. `False`: done, or stuck; the reason says which, as with a Deployment's own condition."""
    held_up = [("gateway", seen.gateway_held_up), ("worker", seen.worker_held_up)]
    if faults := [(name, fault) for name, fault in held_up if fault]:
        reason = "NameConflict" if faults[0][1].conflict else "ApplyFailed"
        return Verdict("False", reason, "; ".join(f"{name}: {fault.text}" for name, fault in faults))
    if bot.spec.suspend:
        return Verdict("False", "Suspended", "the bot is suspended")
    parts = [("gateway", seen.gateway, seen.gateway_pods)]
    if bot.spec.workers.max_replicas:
        parts.append(("worker", seen.worker, seen.worker_pods))
    stuck = [
        (trouble.reason, f"{name}: {trouble.message}")
        for name, deployment, pods in parts
        if (trouble := stuck_by(deployment, pods))
    ]
    if stuck:
        return Verdict("False", stuck[0][0], "; ".join(message for _, message in stuck))
    under_way = [text for name, deployment, _ in parts if (text := _under_way(name, deployment))]
    if under_way:
        return Verdict("True", "RollingOut", "; ".join(under_way))
    if seen.waits_for_rollout:
        return Verdict(
            "False", "WaitingForRollout", "newer pods wait for the bot's turn: kubectl gptbot rollout status"
        )
    return Verdict("False", "Complete", "")


def stuck_by(deployment: Observed | None, pods: PodTrouble | None) -> PodTrouble | None:
    """What a Deployment does not get over by itself: its pods' own trouble says most."""
    if deployment is None or _well(deployment):
        return None
    if pods is not None:
        return pods
    conditions = deployment.facts["conditions"]
    for name, bad, otherwise in (
        ("ReplicaFailure", "True", "ReplicaFailure"),
        ("Progressing", "False", "ProgressDeadlineExceeded"),
    ):
        if (condition := conditions.get(name, {})).get("status") == bad:
            return PodTrouble(condition.get("reason") or otherwise, str(condition["message"]))
    return None


def unfinished(deployment: Observed | None) -> bool:
    """Whether there are pods that should work and do not, or not yet."""
    return deployment is not None and not _well(deployment)


def _well(deployment: Observed) -> bool:
    facts = deployment.facts
    # While an old pod is left, those that work may be the old ones.
    return facts["replicas"] <= facts["available"] and facts["pods"] <= facts["updated"]


def _under_way(name: str, deployment: Observed | None) -> str | None:
    """None also when a finished Deployment only changes its size: an autoscaler does that all the time."""
    if deployment is None:
        return f"{name}: it has not been made yet"
    facts = deployment.facts
    over = facts["conditions"].get("Progressing", {}).get("reason") == "NewReplicaSetAvailable"
    if facts["pods"] <= facts["updated"] and (over or _well(deployment)):
        return None
    return f"{name}: a new version is being rolled out"
