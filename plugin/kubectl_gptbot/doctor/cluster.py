"""What every bot needs: the resource, and an operator that serves it."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_gptbot.doctor.finding import Finding, note, ok, unseen, wrong
from kubectl_gptbot.doctor.scene import GROUP, VERSION, BotScene, ClusterScene, Hidden
from kubectl_gptbot.objects import conditions, name, status

_INSTALL = "helm install gptbot charts/gptbot --namespace gptbot --create-namespace"
_CRD = "kubectl apply --server-side --force-conflicts --field-manager=helm -f charts/gptbot/crds"


def resource_is_there(scene: ClusterScene) -> Iterator[Finding]:
    """The CRD is installed, served in the version that is understood here, and established."""
    if not scene.versions:
        yield wrong("the cluster does not know GptBots", f"install the chart, which brings the resource: {_INSTALL}")
        return
    served = ", ".join(scene.versions)
    if not scene.served:
        yield wrong(
            f"the cluster serves {GROUP} in {served}, and this program knows {VERSION}",
            "install the kubectl-gptbot that belongs to the chart, or upgrade the chart",
        )
        return
    yield ok(f"GptBots are served as {GROUP}/{served}")
    if isinstance(scene.definition, Hidden):
        yield unseen("the resource's definition itself")
    elif scene.definition is not None:
        for kind, bad in (("NonStructuralSchema", "True"), ("NamesAccepted", "False"), ("Terminating", "True")):
            condition = conditions(scene.definition).get(kind, {})
            if condition.get("status") == bad:
                yield wrong(
                    f"the resource's definition is {kind}={bad}: {condition.get('message', '')}",
                    f"apply it anew: {_CRD}",
                )


def operator_runs(scene: ClusterScene) -> Iterator[Finding]:
    """An operator is installed and available."""
    if isinstance(scene.operators, Hidden):
        yield unseen("operators in all namespaces")
        return
    if not scene.operators:
        yield wrong("no operator is installed, so nobody makes anything of GptBots", f"install the chart: {_INSTALL}")
    for each in scene.operators:
        where = f"{name(each)} in namespace {each['metadata']['namespace']}"
        ready = status(each).get("availableReplicas", 0)
        if ready:
            image = each["spec"]["template"]["spec"]["containers"][0]["image"]
            yield ok(f"{where} runs {image}")
        elif each["spec"].get("replicas", 1) == 0:
            fix = f"kubectl --namespace={each['metadata']['namespace']} scale deployment {name(each)} --replicas=1"
            yield wrong(f"{where} is scaled to zero: bots run on, but no change is made", fix)
        else:
            why = conditions(each).get("Available", {}).get("message", "none of its pods is ready")
            fix = f"kubectl --namespace={each['metadata']['namespace']} logs deployment/{name(each)} --all-containers"
            yield wrong(f"{where} is not available: {why}", fix)


def operator_has_seen_it(scene: BotScene) -> Iterator[Finding]:
    """The status is about the newest spec, which an operator has to have looked at."""
    seen, newest = status(scene.bot).get("observedGeneration", 0), scene.bot["metadata"].get("generation", 0)
    if scene.bot["metadata"].get("deletionTimestamp"):
        yield note("the bot is being deleted")
    elif seen != newest and conditions(scene.bot).get("Paused", {}).get("status") == "True":
        yield note(f"generation {newest} of the spec waits for the end of the pause")
    elif seen == newest:
        yield ok("an operator has looked at the newest spec")
    else:
        what = f"an operator has looked at generation {seen} of the spec" if seen else "no operator has looked at it"
        yield wrong(
            f"{what}; the newest is {newest}",
            "it may take seconds; does an operator run and serve this namespace (chart value operator.namespaces)?",
        )
