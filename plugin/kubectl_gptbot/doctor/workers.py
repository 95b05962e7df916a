"""Whether there are enough workers, and who decides."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_gptbot.doctor.finding import Finding, note, ok, unseen, wrong
from kubectl_gptbot.doctor.scene import BotScene, Hidden
from kubectl_gptbot.objects import conditions, name, status


def autoscaler_measures(scene: BotScene) -> Iterator[Finding]:
    """The autoscaler, where there is one, can read its metrics and scale."""
    if isinstance(scene.autoscalers, Hidden):
        yield unseen("autoscalers")
        return
    for each in scene.autoscalers:
        seen = conditions(each)
        active, able = seen.get("ScalingActive", {}), seen.get("AbleToScale", {})
        if able.get("status") == "False":
            yield wrong(f"{name(each)} cannot scale: {able.get('message', '')}", f"kubectl describe hpa {name(each)}")
        elif active.get("status") == "False":
            if active.get("reason") == "ScalingDisabled":
                yield note(f"{name(each)} rests: its Deployment is scaled to zero")
            else:
                fix = "install metrics-server; if it is there: kubectl get --raw /apis/metrics.k8s.io/v1beta1"
                yield wrong(f"{name(each)} has no metrics: {active.get('message', '')}", fix)
        elif active:
            least, most = each["spec"].get("minReplicas", 1), each["spec"]["maxReplicas"]
            yield ok(f"{name(each)} measures, and scales between {least} and {most}")
        else:
            yield note(f"{name(each)} has not looked yet")


def keep_up(scene: BotScene) -> Iterator[Finding]:
    """The backlog is not growing behind workers that are at their most."""
    seen, workers = status(scene.bot), scene.spec.get("workers") or {}
    backlog, ready = seen.get("backlog"), (seen.get("workers") or {}).get("ready", 0)
    if backlog is None:
        return
    own = workers.get("autoscaling") == "none"  # whoever scales the workers knows the most there may be
    most, each = (
        0 if own else workers.get("maxReplicas", 10),
        (workers.get("target") or {}).get("backlogPerReplica", 20),
    )
    if most and ready >= most and backlog > ready * each:
        fix = f"raise spec.workers.maxReplicas, now {most}, or spec.workers.concurrency; a slow model shows the same"
        yield wrong(f"{backlog} conversations wait, and all {ready} workers are at work", fix)
    else:
        yield ok(f"{backlog} conversations are waiting or being answered")
