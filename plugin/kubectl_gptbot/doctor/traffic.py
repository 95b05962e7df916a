"""What rules over the bot's pods from outside: network policy, disruption budgets, public addresses, monitoring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_gptbot.doctor.finding import Finding, note, ok, unseen, wrong
from kubectl_gptbot.doctor.scene import BotScene, Hidden, NotServed
from kubectl_gptbot.doctor.service import serves
from kubectl_gptbot.kubectl import Document
from kubectl_gptbot.objects import conditions, name, status

_NOT_MADE = "the operator has not made it: see the condition Ready and the operator's log"
_CUT_OFF = ("Unreachable", "TimedOut", "TooSlow")
_ROUTE_FIXES = {
    "NotAllowedByListeners": "let the Gateway's listener take in routes of this namespace (allowedRoutes)",
    "NoMatchingListenerHostname": "give the Gateway a listener for the host in spec.expose.host",
    "NoMatchingParent": "mend sectionName and port in spec.expose.route.parentRefs",
    "BackendNotFound": "see the bot's Service",
    "RefNotPermitted": "the Gateway may not lead into this namespace: see its controller's log",
}


def network_policy(scene: BotScene) -> Iterator[Finding]:
    """The NetworkPolicy is there where one is wanted, and is named where somebody is out of reach."""
    if isinstance(scene.network_policies, Hidden):
        yield unseen("NetworkPolicies")
        return
    wanted = f"{scene.name}-gptbot"
    there = any(name(each) == wanted for each in scene.network_policies)
    if not (scene.spec.get("networkPolicy") or {}).get("enabled", True):
        yield note("spec.networkPolicy is off: the pods may talk to everybody, and everybody to them")
    elif not there:
        yield wrong(f"there is no NetworkPolicy {wanted}", _NOT_MADE)
    elif away := ", ".join(_out_of_reach(scene)):
        yield note(
            f"NetworkPolicy {wanted} may be why these are out of reach: {away}",
            "it lets out to the addresses in the spec alone: add what they do not tell, such as a proxy or a "
            "Service's own port, to spec.networkPolicy.egress",
        )
    else:
        yield ok(f"NetworkPolicy {wanted} is there")


def _out_of_reach(scene: BotScene) -> Iterator[str]:
    seen = conditions(scene.bot)
    for kind, who in (("StoreReachable", "the store"), ("ModelReachable", "the model")):
        if seen.get(kind, {}).get("status") == "False" and seen[kind].get("reason") in _CUT_OFF:
            yield who
    for platform in status(scene.bot).get("platforms") or []:
        if not platform.get("connected") and platform.get("reason") in _CUT_OFF:
            yield platform["name"]


def disruption_budgets(scene: BotScene) -> Iterator[Finding]:
    """Each role of several pods has a PodDisruptionBudget, and drains of nodes do not wait for it."""
    if isinstance(scene.budgets, Hidden):
        yield unseen("PodDisruptionBudgets")
        return
    found = {name(each): each for each in scene.budgets}
    gateways = (scene.spec.get("gateway") or {}).get("replicas", 1)
    workers = (scene.spec.get("workers") or {}).get("maxReplicas", 10)
    for part, pods in (("gateway", gateways), ("worker", workers)):
        wanted = f"{scene.name}-{part}"
        if wanted in found:
            yield _budget(found[wanted])
        elif pods > 1:
            yield wrong(f"there is no PodDisruptionBudget {wanted}: a drain may take all its pods at once", _NOT_MADE)


def _budget(budget: Document) -> Finding:
    seen, allowed = status(budget), conditions(budget).get("DisruptionAllowed", {})
    expected, healthy = seen.get("expectedPods", 0), seen.get("currentHealthy", 0)
    if allowed.get("reason") == "SyncFailed":
        fix = f"kubectl describe pdb {name(budget)}; no other budget may choose the same pods"
        return wrong(f"PodDisruptionBudget {name(budget)} does not work: {allowed.get('message', '')}", fix)
    if expected and not seen.get("disruptionsAllowed", 0):
        what = f"PodDisruptionBudget {name(budget)} lets no pod go now: {healthy} of {expected} are healthy"
        return note(what, "a drain waits for those that are ready: see the pods")
    return ok(f"PodDisruptionBudget {name(budget)} lets {seen.get('disruptionsAllowed', 0)} of {expected} pods go")


def ingress(scene: BotScene) -> Iterator[Finding]:
    """The Ingress is there where one is wanted, and a controller has taken it in."""
    expose = scene.spec.get("expose") or {}
    if expose.get("ingress") is None or not serves(scene):
        return
    if isinstance(scene.ingresses, Hidden):
        yield unseen("Ingresses")
        return
    wanted = f"{scene.name}-web"
    found = next((each for each in scene.ingresses if name(each) == wanted), None)
    if found is None:
        yield wrong(f"there is no Ingress {wanted}", _NOT_MADE)
        return
    points = (status(found).get("loadBalancer") or {}).get("ingress") or []
    at = ", ".join(filter(None, (each.get("hostname") or each.get("ip") for each in points)))
    if at:
        yield ok(f"Ingress {wanted} leads from {expose.get('host')} at {at}")
    else:
        fix = "is its controller there, and the class right (kubectl get ingressclass)? spec.expose.ingress.className"
        yield note(f"Ingress {wanted} has no address: no controller has taken it in, or it does not say so", fix)


def http_route(scene: BotScene) -> Iterator[Finding]:
    """The HTTPRoute is there where one is wanted, and its Gateways take it in."""
    expose = scene.spec.get("expose") or {}
    if expose.get("route") is None or not serves(scene):
        return
    wanted = f"{scene.name}-web"
    if isinstance(scene.routes, NotServed):
        fix = "install the Gateway API, or use spec.expose.ingress"
        yield wrong("the cluster knows no HTTPRoutes, and spec.expose.route wants one", fix)
    elif isinstance(scene.routes, Hidden):
        yield unseen("HTTPRoutes")
    elif not (found := [each for each in scene.routes if name(each) == wanted]):
        yield wrong(f"there is no HTTPRoute {wanted}", _NOT_MADE)
    elif parents := status(found[0]).get("parents"):
        for parent in parents:
            yield _taken_in(wanted, parent)
    else:
        names = ", ".join(each["name"] for each in expose["route"].get("parentRefs", ()))
        fix = "is the Gateway there, and its controller? kubectl get gateways --all-namespaces"
        yield wrong(f"no Gateway has looked at HTTPRoute {wanted}; it names {names}", fix)


def _taken_in(route: str, parent: Document) -> Finding:
    gateway = parent["parentRef"]["name"]
    for kind in ("Accepted", "ResolvedRefs"):
        condition = next((each for each in parent.get("conditions") or () if each["type"] == kind), {})
        if condition.get("status") == "False":
            reason = condition.get("reason", "")
            what = f"Gateway {gateway} does not serve HTTPRoute {route}: {reason}: {condition.get('message', '')}"
            return wrong(what, _ROUTE_FIXES.get(reason, f"kubectl describe httproute {route}"))
    return ok(f"Gateway {gateway} serves HTTPRoute {route}")


def pod_monitor(scene: BotScene) -> Iterator[Finding]:
    """The PodMonitor is there where one is wanted and the cluster has the Prometheus operator."""
    monitoring = scene.spec.get("monitoring") or {}
    if not monitoring.get("enabled", True) or isinstance(scene.monitors, NotServed):
        return
    if isinstance(scene.monitors, Hidden):
        yield unseen("PodMonitors")
    elif any(name(each) == f"{scene.name}-gptbot" for each in scene.monitors):
        yield ok(f"PodMonitor {scene.name}-gptbot is there")
    else:
        fix = "it comes at the operator's next resync, if the Prometheus operator has just been installed"
        yield note(f"there is no PodMonitor {scene.name}-gptbot", fix)
