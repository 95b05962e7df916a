"""What the operator says of the bot: its conditions one by one."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_gptbot.doctor.finding import Finding, note, ok, wrong
from kubectl_gptbot.doctor.scene import BotScene
from kubectl_gptbot.objects import conditions

_DONE = "Complete"
"""Why a condition that tells of work under way is False when all is well."""
_MEANT = {"NoAutoscaler", "Paused", "Suspended", "NoWorkers", "FixedReplicas", "Starting", "NotAskedYet"}
"""Reasons of what was asked for, or passes."""
_FIXES = {
    "NameConflict": "delete or rename the object in the way; the operator touches nothing that is not its own",
    "ApplyFailed": "the API server says what it refuses: mend that field of the spec, most often under podTemplate",
    "InvalidSpec": "mend that field; `gptbot validate -f FILE` and `kubectl apply --dry-run=server -f FILE` check it",
    "NoEmbeddedModel": "switch the chart's model on (model.enabled=true), or name an endpoint in spec.llm.baseUrl",
    "InvalidValue": "kubectl annotate --overwrite gptbot NAME gptbot.dev/paused=true, or gptbot.dev/paused- to go on",
    "NoStore": "switch the chart's store on (valkey.enabled=true) or give it one (externalStore), or set spec.store",
    "SecretMissing": "make the Secret that spec.store.urlSecretRef names, with that key",
    "Conflict": "have one autoscaler alone: delete the other one, or set spec.workers.autoscaling: none for it",
    "FailedGetResourceMetric": "the autoscaler needs metrics of pods: install metrics-server in the cluster",
}
_FIXES_BY_TYPE = {
    "SecretsResolved": "make the Secret or the key; the bot takes it by itself",
    "StoreReachable": "look at the store's pod, its Secret and network policies on the way to it",
    "ModelReachable": "look at spec.llm: its address, its key and its model's name",
    "BudgetAvailable": "raise limits.tokensPerDay or limits.costPerDay, or wait until midnight (UTC)",
    "PlatformsConnected": "see the platforms below",
    "ScalingActive": "kubectl describe hpa",
    "Progressing": "see the pods below",
}


def is_suspended(scene: BotScene) -> Iterator[Finding]:
    """A suspended bot is silent, as it was told to be."""
    if scene.bot["spec"].get("suspend"):
        fix = f'kubectl patch gptbot {scene.name} --type=merge --patch \'{{"spec": {{"suspend": false}}}}\''
        yield note("the bot is suspended and has no pods", f"to go on: {fix}")


def is_paused(scene: BotScene) -> Iterator[Finding]:
    """A paused bot stays as it is, whatever its spec says."""
    condition = conditions(scene.bot).get("Paused", {})
    if condition.get("status") == "True":
        fix = f"kubectl annotate gptbot {scene.name} gptbot.dev/paused-"
        yield note("the bot is paused: the operator makes and changes nothing of it", f"to go on: {fix}")


def hold(scene: BotScene) -> Iterator[Finding]:
    """Each condition is True, or False for a reason that was asked for."""
    for kind, condition in conditions(scene.bot).items():
        if kind == "Paused" and condition["status"] == "True":
            continue  # a check of its own
        what = f"{kind} is {condition['status']}"
        reason, message = condition["reason"], condition.get("message", "")
        because = f"{reason}: {message}" if message else reason
        if condition["status"] == "True" or reason == _DONE:
            yield ok(f"{what} ({because})")
        elif reason in _MEANT:
            yield note(f"{what} ({because})")
        else:
            yield wrong(
                f"{what} ({because})", _FIXES.get(reason) or _FIXES_BY_TYPE.get(kind) or "see what is found below"
            )
