"""What the operator says of the bot: its conditions one by one."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_gptbot.doctor.finding import Finding, note, ok, wrong
from kubectl_gptbot.doctor.scene import BotScene
from kubectl_gptbot.objects import conditions

GOOD = {
    "Answering", "CPU", "Complete", "Connected", "External", "NoBudget", "Reachable", "Recovered", "Resolved",
    "RollingOut", "WithinBudget",
}  # fmt: skip
"""Reasons when all is well."""
MEANT = {"FixedReplicas", "NoAutoscaler", "NoWorkers", "Paused", "Suspended"}
"""Reasons of what was asked for."""
PASSES = {
    "InUse": "nothing: pods of a deleted bot of this name still end, and the bot begins by itself when they have",
    "Loading": "nothing: the store is starting, and goes on by itself when it has its data",
    "Moving": "nothing: what the bot keeps is moved first, and it goes on by itself; the message says when",
    "MovingSlots": "nothing: the store moves keys between its servers, and goes on by itself",
    "NotAskedYet": "nothing: the first question, or the next look at the API, tells",
    "RoleChanged": "nothing: the store has another primary, which is found by itself",
    "Starting": "nothing: the autoscaler looks by itself",
    "WaitingForRollout": "nothing: newer pods come in the bot's turn; kubectl gptbot rollout status says how far it is",
}
"""Reasons that go by themselves, with what happens next."""
_STOP = 'to end its pods meanwhile: kubectl patch gptbot NAME --type=merge --patch \'{"spec": {"suspend": true}}\''
_MEND_SPEC = "mend that field; `gptbot validate -f FILE` and `kubectl apply --dry-run=server -f FILE` check it"
_REFUSED = ("InvalidSpec", "NotAllowed")
FIXES = {
    "ApplyFailed": "the API server says what it refuses: mend that field of the spec, most often under podTemplate",
    "BudgetSpent": "raise limits.tokensPerDay or limits.costPerDay, or wait until midnight (UTC)",
    "Busy": "the chart's store is restarted by itself; in any other find out who runs what does not end, and end it",
    "CannotBeRight": "mend the fields that the message names",
    "CertificateRefused": "give the store's authority (ssl_ca_certs), and the host that its certificate is for",
    "ClusterDown": "bring the servers of the store's cluster back",
    "Conflict": "have one autoscaler alone: delete the other one, or set spec.workers.autoscaling: none for it",
    "CrashLoopBackOff": "kubectl logs --previous of the pod; see the pods below",
    "CreateContainerConfigError": "make the Secret or ConfigMap that podTemplate names",
    "Disconnected": "see the platforms below",
    "DiskFailed": "make room on the store's disk",
    "DuplicateToken": "give one of the bots a token of its own, or suspend it (spec.suspend)",
    "Endless": "see what writes keys of the bot into its store of before, and end it",
    "ErrImagePull": "mend the image's name, or give imagePullSecrets",
    "FailedGetResourceMetric": "the autoscaler needs metrics of pods: install metrics-server in the cluster",
    "FallbackAnswers": "mend what the message says of the first endpoint: answers come from llm.fallbacks",
    "FallbackReachable": "mend what the message says of the first endpoint: llm.fallbacks are all that is left",
    "FileNotHere": "serve the file with `gptbot model --file`, and name that by llm.baseUrl",
    "FunctionsMissing": "see the operator's log; in a store of the bot's own its user needs +function|load",
    "GatewayUnavailable": "see the pods of the gateway below",
    "ImagePullBackOff": "mend the image's name, or give imagePullSecrets",
    "Inactive": "kubectl describe hpa says what keeps it",
    "InvalidImageName": "mend the image's name",
    "InvalidSpec": f"{_MEND_SPEC}; {_STOP}",
    "InvalidURL": "mend the URL in the Secret that spec.store.urlSecretRef names",
    "InvalidValue": "kubectl annotate --overwrite gptbot NAME gptbot.dev/paused=true, or gptbot.dev/paused- to go on",
    "IsCluster": "write redis+cluster:// or rediss+cluster:// in the store's URL",
    "KeyRefused": "put a key that the model's API takes into the Secret of llm.apiKeySecretRef",
    "LikelyWrong": "mend the fields that the message names, or leave it if it is meant",
    "MemoryFull": "raise the store's maxmemory (chart value valkey.maxMemory), or lower privacy.retention",
    "Missing": "make the Secret or the key; the bot takes it by itself",
    "ModelNotFound": "mend llm.model, or llm.baseUrl, which often ends with /v1",
    "NameConflict": "delete or rename the object in the way; the operator touches nothing that is not its own",
    "NearlySpent": "raise limits.tokensPerDay or limits.costPerDay, if that is what people need",
    "NoCluster": "write redis:// or rediss:// in the store's URL",
    "NoDatabase": "mend the number of the database at the end of the store's URL",
    "NoEmbeddedModel": "switch the chart's model on (model.enabled=true), or name an endpoint in spec.llm.baseUrl",
    "NoPrimary": "mend the service's name in the store's URL, or bring its primary and its sentinels back",
    "NoStore": "switch the chart's store on (valkey.enabled=true) or give it one (externalStore), or set spec.store",
    "NotAllowed": "leave out what the message names, or have whoever runs the operator allow it (chart values "
    f"operator.allowed…); {_STOP}",
    "NotAnswered": "wait some seconds: the operator waits for the store's first answer",
    "NotFilledIn": "put the value itself there; the bot takes it by itself",
    "OperatorError": "give the operator the rights that the message names; where it failed itself, its log has"
    " `not reconciled` and where",
    "NotIsolated": "let the operator make users in the shared store: give it one that may (docs/store.md)",
    "NotReported": "wait if the gateway has just started; else see its log",
    "OOMKilled": "raise the memory limit under resources",
    "Overloaded": "ask the model's provider for more, or set llm.fallbacks; it goes once the API is well",
    "PartlyConnected": "see the platforms below",
    "PasswordMissing": "put the store's password into its URL",
    "PasswordRefused": "mend the password in the store's URL",
    "PasswordUnwanted": "take the password out of the store's URL",
    "PlatformsDisconnected": "see the platforms below",
    "ProgressDeadlineExceeded": "see the pods below",
    "QuotaSpent": "pay the account of the model's API, or wait for its next period",
    "ReadOnly": "point the store's URL at the primary, or use redis+sentinel://",
    "ReplicaFailure": "see the rollout below: a quota or Pod Security refuses the pods",
    "RequestRefused": "look at llm.parameters: this model does not take one of them",
    "RequestsFail": "see the log of the pods: kubectl gptbot logs NAME",
    "RightsRefused": "give the store's user the rights that docs/store.md lists",
    "SecretMissing": "make the Secret that spec.store.urlSecretRef names, with that key",
    "SecretsMissing": "make the Secret or the key that the message names; the bot takes it by itself",
    "ServedByAnother": "see the check operators, and spec.operator",
    "ShardsMissing": "wait: a gateway is connecting them",
    "StoreShare": "lower privacy.retention or context.maxMessages, or raise operator.storeShare",
    "StoreShareSpent": "lower privacy.retention or context.maxMessages, or raise operator.storeShare",
    "StoreUnreachable": "see the condition StoreReachable, and the platforms below",
    "StreamBroken": "look for a proxy that buffers or cuts off streams on the way to the model",
    "TLSFailed": "write redis:// in the store's URL, or name the port that has TLS",
    "TimedOut": "look at network policies on the way to the store, and at its load",
    "TooFewReplicas": "bring replicas of the store back: it takes no writes with fewer than min-replicas-to-write",
    "TooManyClients": "raise the store's maxclients",
    "TooSlow": "raise llm.timeoutSeconds or llm.stallSeconds, or use a faster model",
    "Unreachable": "see that it runs (the store's pod, the model's API), its address, and network policies on the way",
    "Unreadable": "look at the key that the message names, and at who else may write to the store",
    "Unschedulable": "add nodes, lower resources, or mend nodeSelector, affinity and tolerations under podTemplate",
    "WorkersUnavailable": "see the pods of the workers below",
}
"""Reason to what to do, as docs/troubleshooting.md and docs/store.md have it."""
_FIXES_BY_TYPE = {
    "SecretsResolved": "make the Secret or the key, or put the value itself there; the bot takes it by itself",
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
    found = conditions(scene.bot)
    waits = found.get("StoreReachable", {}).get("reason") in PASSES
    for kind, condition in found.items():
        if kind == "Paused" and condition["status"] == "True":
            continue  # a check of its own
        reason, message = condition["reason"], condition.get("message", "")
        what = f"{kind} is {condition['status']} ({f'{reason}: {message}' if message else reason})"
        by_reason = {} if kind == "PlatformsConnected" else FIXES  # there it is a platform's own word
        fix = by_reason.get(reason, "").replace("NAME", scene.name)
        if condition["status"] == "True" and not fix:
            yield ok(what)
        elif condition["status"] == "True" or reason == "LikelyWrong":
            yield note(what, fix)
        elif reason in GOOD:  # what tells of work under way, which is over
            yield ok(what)
        elif reason in MEANT:
            yield note(what)
        elif reason in PASSES:
            yield note(what, PASSES[reason])
        elif kind != "Ready" and condition["status"] == "Unknown" and reason in _REFUSED:
            yield note(what, "see the condition Ready: nothing else is known while the spec is refused")
        elif waits and reason in ("StoreUnreachable", "GatewayUnavailable"):
            yield note(what, "see the condition StoreReachable, which goes by itself")
        else:
            yield wrong(what, fix or _FIXES_BY_TYPE.get(kind) or "see what is found below")
