"""The bot's Deployments and pods: made, scheduled, pulled, started, staying up."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_gptbot.doctor.finding import Finding, note, ok, unseen, wrong
from kubectl_gptbot.doctor.scene import BotScene, Hidden
from kubectl_gptbot.kubectl import Document
from kubectl_gptbot.objects import conditions, name, ready, role, status, time_of

_IMAGE = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull")
_OUT_OF_MEMORY = "OOMKilled"
_MANY_RESTARTS = 5
NO_PODS = ("InUse", "Moving")
"""Reasons of StoreReachable while a bot is to have no pods."""


def are_made(scene: BotScene) -> Iterator[Finding]:
    """Each Deployment is there, and its pods could be made."""
    if isinstance(scene.deployments, Hidden):
        yield unseen("Deployments")
        return
    found = {role(each): each for each in scene.deployments}
    wanted = ["gateway"] + (["worker"] if _workers(scene) else [])
    waits = conditions(scene.bot).get("StoreReachable", {}).get("reason") in NO_PODS
    for missing in (each for each in wanted if each not in found):
        if waits:
            yield note(f"there is no {missing} Deployment", "nothing: it is made when StoreReachable is True")
            continue
        yield wrong(
            f"there is no {missing} Deployment",
            "the operator has not made it: see the condition Ready and the operator's log",
        )
    for part, deployment in found.items():
        yield from _rollout(part, deployment)


def _workers(scene: BotScene) -> bool:
    return (scene.spec.get("workers") or {}).get("maxReplicas", 10) > 0


def _rollout(part: str, deployment: Document) -> Iterator[Finding]:
    seen = conditions(deployment)
    failure, progress = seen.get("ReplicaFailure", {}), seen.get("Progressing", {})
    wanted, available = deployment["spec"].get("replicas", 1), status(deployment).get("availableReplicas", 0)
    if failure.get("status") == "True":
        message = failure.get("message", "")
        fix = "raise the quota of the namespace, or lower the bot's resources" if "quota" in message else (
            "change the pod template so that it keeps the namespace's Pod Security level" if "PodSecurity" in message
            else "mend what the message names, most often under spec.podTemplate"
        )  # fmt: skip
        yield wrong(f"pods of the {part} cannot be made: {message}", fix)
    elif progress.get("status") == "False":
        yield wrong(f"the rollout of the {part} does not get on: {progress.get('message', '')}", "see the pods below")
    elif available < wanted:
        yield note(f"{available} of {wanted} pods of the {part} are available")
    else:
        yield ok(f"{available} of {wanted} pods of the {part} are available")


def run(scene: BotScene) -> Iterator[Finding]:
    """Each pod runs and is ready."""
    if isinstance(scene.pods, Hidden):
        yield unseen("pods")
        return
    for pod in scene.pods:
        if pod["metadata"].get("deletionTimestamp"):
            yield note(f"{name(pod)} is on its way out")
            continue
        trouble = list(_trouble(scene, pod))
        if trouble:
            yield from trouble
        elif ready(pod):
            yield ok(f"{name(pod)} is ready")
        else:
            yield note(f"{name(pod)} is {status(pod).get('phase', 'Pending')} and not ready yet")


def _trouble(scene: BotScene, pod: Document) -> Iterator[Finding]:
    scheduled = conditions(pod).get("PodScheduled", {})
    if scheduled.get("status") == "False":
        fix = "add nodes, lower resources, or mend nodeSelector, affinity and tolerations under spec.podTemplate"
        yield wrong(f"{name(pod)} finds no node: {scheduled.get('message', '')}", fix)
    seen = status(pod)
    for container in [*seen.get("initContainerStatuses", ()), *seen.get("containerStatuses", ())]:
        yield from _container(scene, pod, container)


def _container(scene: BotScene, pod: Document, container: Document) -> Iterator[Finding]:
    who = f"{name(pod)}, container {container['name']},"
    waiting: Document = container.get("state", {}).get("waiting") or {}
    ended: Document = (
        container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated") or {}
    )
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    restarts = container.get("restartCount", 0)
    part = "gateway" if role(pod) == "gateway" else "workers"
    if ended.get("reason") == _OUT_OF_MEMORY:
        yield wrong(
            f"{who} was ended for want of memory ({restarts} restarts)", f"raise spec.{part}.resources.limits.memory"
        )
    elif reason in _IMAGE:
        fix = "is the image right (chart value botImage), and may the cluster pull it (imagePullSecrets)?"
        yield wrong(f"{who} cannot pull its image: {message or reason}", fix)
    elif reason in ("CreateContainerConfigError", "CreateContainerError", "RunContainerError"):
        yield wrong(
            f"{who} cannot start: {message or reason}", "make the Secret or mend the field that the message names"
        )
    elif reason == "CrashLoopBackOff" or (not container.get("ready") and ended.get("exitCode")):
        said = f": {ended['message'].strip()}" if ended.get("message") else ""
        fix = f"its last words: kubectl logs {name(pod)} --container={container['name']} --previous"
        yield wrong(
            f"{who} keeps ending, with exit status {ended.get('exitCode', '?')}{said} ({restarts} restarts)", fix
        )
    elif reason and (warning := _newest_warning(scene, pod)):
        yield wrong(
            f"{who} is {reason}: {warning}", "mend what the event names, most often a volume or a network plugin"
        )
    elif restarts >= _MANY_RESTARTS:
        yield note(f"{who} has restarted {restarts} times; it last ended with {ended.get('reason', 'no reason')}")


def _newest_warning(scene: BotScene, pod: Document) -> str:
    if isinstance(scene.warnings, Hidden):
        return ""
    about = [event for event in scene.warnings if event["involvedObject"].get("uid") == pod["metadata"].get("uid")]
    return max(about, key=time_of).get("message", "") if about else ""
