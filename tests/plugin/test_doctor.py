"""Each check of the doctor: what it finds in objects as a cluster gives them."""
# ruff: noqa: E501 - tables

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from gptbot_operator.status import CONDITIONS
from kubectl_gptbot.doctor import (
    BOT_CHECKS,
    CLUSTER_CHECKS,
    cluster,
    conditions,
    installations,
    platforms,
    pods,
    references,
    service,
    traffic,
    workers,
)  # fmt: skip
from kubectl_gptbot.doctor.finding import Finding
from kubectl_gptbot.doctor.named import references as named
from kubectl_gptbot.doctor.scene import BotScene, ClusterScene, Hidden, NotServed
from tests.plugin import objects as o

ROOT = Path(__file__).parents[2]
Check = Callable[[BotScene], Iterable[Finding]]
BOTH = [o.deployment("gateway"), o.deployment("worker")]


def case(name: str, check: Check, scene: BotScene, level: str, what: str, fix: str = "") -> Any:
    return pytest.param(check, scene, level, what, fix, id=name)


def _crash(**last: Any) -> o.Document:
    return o.pod(o.container(o.waiting("CrashLoopBackOff", "back-off 5m0s restarting"), restarts=7, last=last))


_STUCK = o.pod(o.container(o.waiting("ContainerCreating")), phase="Pending")
_QUOTA = o.condition("ReplicaFailure", "True", "FailedCreate", 'pods "x" is forbidden: exceeded quota: small')
_LEVEL = o.condition(
    "ReplicaFailure", "True", "FailedCreate", 'pods "x" is forbidden: violates PodSecurity "restricted"'
)
_DEADLINE = o.condition("Progressing", "False", "ProgressDeadlineExceeded", 'ReplicaSet "x" has timed out progressing.')
_NO_NODE = o.condition("PodScheduled", "False", "Unschedulable", "0/1 nodes are available: 1 Insufficient cpu.")
_EXPOSED = {"platforms": {"web": {}}, "expose": {"host": "bot.example", "ingress": {}}}
_ROUTED = {"platforms": {"web": {}}, "expose": {"host": "bot.example", "route": {"parentRefs": [{"name": "public"}]}}}


def _route(kind: str, value: str, reason: str = "", message: str = "") -> o.Document:
    parent = {"parentRef": {"name": "public"}, "conditions": [o.condition(kind, value, reason, message)]}
    return o.other("HTTPRoute", "web", "web", status={"parents": [parent]})


def _budget(part: str, allowed: int, healthy: int, *conditions: o.Document) -> o.Document:
    counts = {"disruptionsAllowed": allowed, "currentHealthy": healthy, "expectedPods": 3}
    return o.other("PodDisruptionBudget", part, part, status={**counts, "conditions": list(conditions)})


_POLICY = o.other("NetworkPolicy", "gptbot", "config")
_NO_METRICS = o.condition("ScalingActive", "False", "FailedGetResourceMetric", "no metrics returned")

FOUND = [
    case("done", conditions.hold, o.scene(o.bot(o.condition("Progressing", "False", "Complete"))), "ok", "Complete"),
    case("suspended", conditions.is_suspended, o.scene(o.bot(spec={"suspend": True})), "note", "is suspended", "kubectl patch gptbot shop"),
    case("paused", conditions.is_paused, o.scene(o.bot(o.condition("Paused", "True", "Paused"))), "note", "is paused", "gptbot.dev/paused-"),
    case(
        "paused-later", cluster.operator_has_seen_it, o.scene(o.bot(o.condition("Paused", "True", "Paused"), observedGeneration=2)), "note",
        "generation 3 of the spec waits",
    ),
    case("paused-wrongly", conditions.hold, o.scene(o.bot(o.condition("Paused", "False", "InvalidValue", "is 'yes'"))), "wrong", "is 'yes'", "paused=true"),
    case("condition", conditions.hold, o.scene(o.bot(o.condition("Ready", "True", "Answering"))), "ok", "Ready is True (Answering)"),
    case(
        "condition-false", conditions.hold, o.scene(o.bot(o.condition("StoreReachable", "False", "Unreachable", "refused"))),
        "wrong", "StoreReachable is False (Unreachable: refused)", "the store's pod",
    ),
    case(
        "condition-unknown", conditions.hold, o.scene(o.bot(o.condition("PlatformsConnected", "Unknown", "StoreUnreachable"))),
        "wrong", "PlatformsConnected is Unknown", "platforms below",
    ),
    case(
        "condition-reason", conditions.hold, o.scene(o.bot(o.condition("Ready", "False", "NameConflict", "Service shop-web exists"))),
        "wrong", "Service shop-web exists", "rename",
    ),
    case("condition-meant", conditions.hold, o.scene(o.bot(o.condition("ScalingActive", "False", "NoWorkers", "alone"))), "note", "NoWorkers"),
    case(
        "condition-new", conditions.hold, o.scene(o.bot(o.condition("Sparkling", "False", "Dull"))), "wrong", "Sparkling is False",
        "what is found below",
    ),
    case(
        "platform", platforms.are_connected,
        o.scene(o.bot(platforms=[{"name": "telegram", "connected": True, "username": "@shopbot", "message": ""}])),
        "ok", "telegram is connected as @shopbot",
    ),
    case(
        "platform-warned", platforms.are_connected,
        o.scene(o.bot(platforms=[{"name": "telegram", "connected": True, "message": "privacy mode is on"}])),
        "note", "telegram is connected, but: privacy mode is on",
    ),
    case(
        "platform-away", platforms.are_connected,
        o.scene(o.bot(platforms=[{"name": "discord", "connected": False, "message": "Discord refuses the token"}])),
        "wrong", "discord is not connected: Discord refuses the token", "kubectl gptbot logs shop --role gateway",
    ),
    case(
        "not-allowed", conditions.hold, o.scene(o.bot(o.condition("Ready", "False", "NotAllowed", "spec.expose.host: no"))),
        "wrong", "spec.expose.host: no", "to end its pods meanwhile: kubectl patch gptbot shop",
    ),
    case("not-allowed-rest", conditions.hold, o.scene(o.bot(o.condition("ModelReachable", "Unknown", "NotAllowed"))), "note", "ModelReachable", "condition Ready"),
    case("moving", conditions.hold, o.scene(o.bot(o.condition("StoreReachable", "False", "Moving", "its pods end"))), "note", "its pods end", "by itself"),
    case("in-use", conditions.hold, o.scene(o.bot(o.condition("Ready", "False", "InUse", "still used"))), "note", "still used", "by itself"),
    case(
        "moving-no-pods", pods.are_made, o.scene(o.bot(o.condition("StoreReachable", "False", "Moving")), deployments=[]), "note",
        "no gateway Deployment", "StoreReachable is True",
    ),
    case("well-but", conditions.hold, o.scene(o.bot(o.condition("StoreReachable", "True", "NotIsolated", "one login"))), "note", "one login", "make users"),
    case("no-deployment", pods.are_made, o.scene(deployments=[o.deployment("gateway")]), "wrong", "no worker Deployment", "operator"),
    case("quota", pods.are_made, o.scene(deployments=[o.deployment("gateway", _QUOTA)]), "wrong", "exceeded quota", "raise the quota"),
    case("pod-security", pods.are_made, o.scene(deployments=[o.deployment("gateway", _LEVEL)]), "wrong", "PodSecurity", "pod template"),
    case("deadline", pods.are_made, o.scene(deployments=[o.deployment("worker", _DEADLINE)]), "wrong", "timed out", "pods below"),
    case(
        "coming-up", pods.are_made, o.scene(deployments=[o.deployment("gateway", available=0)]), "note",
        "0 of 1 pods of the gateway are available",
    ),
    case("rolled-out", pods.are_made, o.scene(deployments=BOTH), "ok", "1 of 1 pods of the worker are available"),
    case("deployments-hidden", pods.are_made, o.scene(deployments=Hidden()), "unseen", "cannot look at Deployments"),
    case("pod", pods.run, o.scene(pods=[o.pod(o.container(o.RUNNING, ready=True))]), "ok", "shop-gateway-abc is ready"),
    case(
        "pull", pods.run, o.scene(pods=[o.pod(o.container(o.waiting("ErrImagePull", "manifest unknown")), phase="Pending")]),
        "wrong", "cannot pull its image: manifest unknown", "botImage",
    ),
    case(
        "crash", pods.run, o.scene(pods=[_crash(**o.ended("Error", 1, "gptbot: spec.llm: there is no embedded model here\n"))]),
        "wrong", "exit status 1: gptbot: spec.llm: there is no embedded model here (7 restarts)", "--previous",
    ),
    case(
        "out-of-memory", pods.run, o.scene(pods=[_crash(**o.ended("OOMKilled", 137))]), "wrong", "for want of memory (7 restarts)",
        "spec.gateway.resources.limits.memory",
    ),
    case(
        "out-of-memory-worker", pods.run,
        o.scene(pods=[o.pod(o.container({"terminated": o.ended("OOMKilled", 137)}), component="worker")]),
        "wrong", "for want of memory", "spec.workers.resources.limits.memory",
    ),
    case(
        "secret-of-the-environment", pods.run,
        o.scene(pods=[o.pod(o.container(o.waiting("CreateContainerConfigError", 'secret "store" not found')), phase="Pending")]),
        "wrong", 'cannot start: secret "store" not found', "make the Secret",
    ),
    case(
        "no-node", pods.run, o.scene(pods=[o.pod(phase="Pending", conditions=[_NO_NODE])]), "wrong", "finds no node: 0/1 nodes",
        "spec.podTemplate",
    ),
    case(
        "no-volume", pods.run,
        o.scene(pods=[_STUCK], warnings=[
            o.warning(_STUCK, "newest", "2026-11-01T10:09:00Z"), o.warning(_STUCK, "older"),
            o.warning(o.pod(component="worker"), "of another", "2026-11-01T10:10:00Z"),
        ]),
        "wrong", "is ContainerCreating: newest", "volume",
    ),
    case("starting", pods.run, o.scene(pods=[_STUCK]), "note", "is Pending and not ready yet"),
    case("starting-unseen", pods.run, o.scene(pods=[_STUCK], warnings=Hidden()), "note", "is Pending and not ready yet"),
    case(
        "restarts", pods.run,
        o.scene(pods=[o.pod(o.container(o.RUNNING, ready=True, restarts=9, last=o.ended("Error", 1)))]), "note", "restarted 9 times",
    ),
    case(
        "going", pods.run,
        o.scene(pods=[o.pod(o.container(o.RUNNING, ready=True), deletionTimestamp="2026-11-01T11:00:00Z")]), "note", "on its way out",
    ),
    case("pods-hidden", pods.run, o.scene(pods=Hidden()), "unseen", "cannot look at pods"),
    case("no-metrics", workers.autoscaler_measures, o.scene(autoscalers=[o.autoscaler(_NO_METRICS)]), "wrong", "no metrics returned", "metrics-server"),
    case(
        "cannot-scale", workers.autoscaler_measures,
        o.scene(autoscalers=[o.autoscaler(o.condition("AbleToScale", "False", "FailedGetScale", "not found"))]),
        "wrong", "cannot scale: not found", "kubectl describe hpa shop-worker",
    ),
    case(
        "scaled-to-zero", workers.autoscaler_measures,
        o.scene(autoscalers=[o.autoscaler(o.condition("ScalingActive", "False", "ScalingDisabled"))]), "note", "rests",
    ),
    case(
        "scaling", workers.autoscaler_measures,
        o.scene(autoscalers=[o.autoscaler(o.condition("ScalingActive", "True", "ValidMetricFound"))]), "ok", "between 1 and 10",
    ),
    case("scaling-soon", workers.autoscaler_measures, o.scene(autoscalers=[o.autoscaler()]), "note", "has not looked yet"),
    case("autoscalers-hidden", workers.autoscaler_measures, o.scene(autoscalers=Hidden()), "unseen", "cannot look at autoscalers"),
    case("backlog", workers.keep_up, o.scene(o.bot(backlog=4, workers={"ready": 1, "desired": 1})), "ok", "4 conversations"),
    case(
        "backlog-grows", workers.keep_up,
        o.scene(o.bot(backlog=90, workers={"ready": 2, "desired": 2}), spec={"workers": {"maxReplicas": 2}}),
        "wrong", "90 conversations wait, and all 2 workers are at work", "maxReplicas, now 2",
    ),
    case(
        "service", service.leads_to_gateways, o.scene(services=[o.service()], endpoint_slices=[o.endpoints(True, False)]),
        "ok", "leads to 1 gateways",
    ),
    case(
        "service-empty", service.leads_to_gateways, o.scene(services=[o.service()], endpoint_slices=[o.endpoints(False)]),
        "wrong", "no gateway behind it that is ready", "pods of the gateway",
    ),
    case("service-missing", service.leads_to_gateways, o.scene(), "wrong", "there is no Service shop-web", "condition Ready"),
    case("services-hidden", service.leads_to_gateways, o.scene(services=Hidden()), "unseen", "cannot look at Services"),
    case(
        "endpoints-hidden", service.leads_to_gateways, o.scene(services=[o.service()], endpoint_slices=Hidden()),
        "unseen", "cannot look at the endpoints",
    ),
    case(
        "platform-reason", platforms.are_connected,
        o.scene(o.bot(platforms=[{"name": "telegram", "connected": False, "reason": "AnotherPoller", "message": "two read"}])),
        "wrong", "telegram is not connected: two read (AnotherPoller)", "stop the other program",
    ),
    case(
        "platform-shared", platforms.are_connected,
        o.scene(o.bot(platforms=[{"name": "telegram", "connected": True, "reason": "DuplicateToken", "message": "a/b has it"}])),
        "wrong", "telegram is connected, but: a/b has it", "token of its own",
    ),
    case(
        "platform-privacy", platforms.are_connected,
        o.scene(o.bot(platforms=[{"name": "telegram", "connected": True, "reason": "PrivacyMode", "message": "hidden"}])),
        "note", "hidden (PrivacyMode)", "/setprivacy",
    ),
    case("policy", traffic.network_policy, o.scene(network_policies=[_POLICY]), "ok", "NetworkPolicy shop-gptbot is there"),
    case("policy-missing", traffic.network_policy, o.scene(), "wrong", "no NetworkPolicy shop-gptbot", "condition Ready"),
    case("policy-off", traffic.network_policy, o.scene(spec={"networkPolicy": {"enabled": False}}), "note", "spec.networkPolicy is off"),
    case(
        "policy-in-the-way", traffic.network_policy,
        o.scene(
            o.bot(
                o.condition("ModelReachable", "False", "Unreachable"), o.condition("StoreReachable", "False", "PasswordRefused"),
                platforms=[{"name": "discord", "connected": False, "reason": "Unreachable"}],
            ),
            network_policies=[_POLICY],
        ),
        "note", "out of reach: the model, discord", "spec.networkPolicy.egress",
    ),
    case("policies-hidden", traffic.network_policy, o.scene(network_policies=Hidden()), "unseen", "NetworkPolicies"),
    case("budget", traffic.disruption_budgets, o.scene(budgets=[_budget("worker", 1, 3)]), "ok", "shop-worker lets 1 of 3 pods go"),
    case("budget-missing", traffic.disruption_budgets, o.scene(), "wrong", "no PodDisruptionBudget shop-worker", "condition Ready"),
    case(
        "budget-of-gateways", traffic.disruption_budgets, o.scene(spec={"gateway": {"replicas": 2}}, budgets=[_budget("worker", 1, 3)]),
        "wrong", "no PodDisruptionBudget shop-gateway", "condition Ready",
    ),
    case("budget-spent", traffic.disruption_budgets, o.scene(budgets=[_budget("worker", 0, 2)]), "note", "2 of 3 are healthy", "a drain waits"),
    case(
        "budget-broken", traffic.disruption_budgets,
        o.scene(budgets=[_budget("worker", 0, 0, o.condition("DisruptionAllowed", "False", "SyncFailed", "two budgets"))]),
        "wrong", "does not work: two budgets", "kubectl describe pdb shop-worker",
    ),
    case("budgets-hidden", traffic.disruption_budgets, o.scene(budgets=Hidden()), "unseen", "PodDisruptionBudgets"),
    case(
        "ingress", traffic.ingress,
        o.scene(spec=_EXPOSED, ingresses=[o.other("Ingress", "web", "web", status={"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}})]),
        "ok", "leads from bot.example at 192.0.2.1",
    ),
    case(
        "ingress-nobody", traffic.ingress, o.scene(spec=_EXPOSED, ingresses=[o.other("Ingress", "web", "web", status={"loadBalancer": {}})]),
        "note", "has no address", "spec.expose.ingress.className",
    ),
    case("ingress-missing", traffic.ingress, o.scene(spec=_EXPOSED), "wrong", "there is no Ingress shop-web", "condition Ready"),
    case("ingresses-hidden", traffic.ingress, o.scene(spec=_EXPOSED, ingresses=Hidden()), "unseen", "Ingresses"),
    case("route", traffic.http_route, o.scene(spec=_ROUTED, routes=[_route("Accepted", "True")]), "ok", "Gateway public serves HTTPRoute shop-web"),
    case("route-unknown", traffic.http_route, o.scene(spec=_ROUTED, routes=NotServed()), "wrong", "knows no HTTPRoutes", "install the Gateway API"),
    case("route-missing", traffic.http_route, o.scene(spec=_ROUTED, routes=[]), "wrong", "there is no HTTPRoute shop-web", "condition Ready"),
    case(
        "route-refused", traffic.http_route, o.scene(spec=_ROUTED, routes=[_route("Accepted", "False", "NotAllowedByListeners", "no")]),
        "wrong", "public does not serve HTTPRoute shop-web: NotAllowedByListeners: no", "allowedRoutes",
    ),
    case(
        "route-odd", traffic.http_route, o.scene(spec=_ROUTED, routes=[_route("ResolvedRefs", "False", "Odd", "why")]),
        "wrong", "Odd: why", "kubectl describe httproute shop-web",
    ),
    case(
        "route-nobody", traffic.http_route, o.scene(spec=_ROUTED, routes=[o.other("HTTPRoute", "web", "web")]),
        "wrong", "no Gateway has looked at HTTPRoute shop-web; it names public", "kubectl get gateways",
    ),
    case("routes-hidden", traffic.http_route, o.scene(spec=_ROUTED, routes=Hidden()), "unseen", "HTTPRoutes"),
    case("monitor", traffic.pod_monitor, o.scene(monitors=[o.other("PodMonitor", "gptbot", "config")]), "ok", "PodMonitor shop-gptbot is there"),
    case("monitor-missing", traffic.pod_monitor, o.scene(monitors=[]), "note", "no PodMonitor shop-gptbot", "next resync"),
    case("monitors-hidden", traffic.pod_monitor, o.scene(monitors=Hidden()), "unseen", "PodMonitors"),
    case("seen", cluster.operator_has_seen_it, o.scene(), "ok", "has looked at the newest spec"),
    case(
        "not-seen", cluster.operator_has_seen_it, o.scene(o.bot(observedGeneration=2)), "wrong",
        "generation 2 of the spec; the newest is 3", "does an operator run",
    ),
    case(
        "served", installations.one_serves_it, o.scene(o.bot(servedBy="a/op"), lease=o.lease()), "ok", "a/op serves it"
    ),
    case(
        "served-hidden", installations.one_serves_it, o.scene(o.bot(servedBy="a/op"), lease=Hidden()), "unseen", "the Lease of a/op"
    ),
    case(
        "served-no-lease", installations.one_serves_it, o.scene(o.bot(servedBy="a/op")), "wrong",
        "a/op serves it, and it has no Lease any more", "kubectl patch gptbot shop --type=merge",
    ),
    case(
        "served-old-lease", installations.one_serves_it,
        o.scene(o.bot(servedBy="a/op"), lease=o.lease(renewTime="2026-11-01T10:00:00.000000Z")), "wrong",
        "its Lease was renewed last at 2026-11-01T10:00:00", "start that operator again",
    ),
    case(
        "served-given-back", installations.one_serves_it, o.scene(o.bot(servedBy="a/op"), lease=o.lease(holderIdentity="")),
        "wrong", "none of its operators leads",
    ),
    case(
        "served-by-another", installations.one_serves_it,
        o.scene(o.bot(servedBy="a/op", spec={"platforms": {}, "operator": "b/op"}), lease=o.lease()), "wrong",
        "ServedByAnother: spec.operator names b/op, and a/op serves it", "is b/op the NAMESPACE/NAME",
    ),
    case(
        "served-by-two", installations.one_serves_it,
        o.scene(o.bot(servedBy="a/op"), lease=o.lease(), warnings=[
            o.warning(o.bot(), "a/op serves the bot; b/op stands back") | {"reason": "ServedByAnother"},
            o.warning(o.pod(), "another bot's") | {"reason": "ServedByAnother"},
        ]),
        "note", "ServedByAnother: a/op serves the bot; b/op stands back", '{"spec": {"operator": "a/op"}}',
    ),
    case("never-seen", cluster.operator_has_seen_it, o.scene(o.bot() | {"status": {}}), "wrong", "no operator has looked", "operator.namespaces"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "scene", "level", "what", "fix"), FOUND)
def test_a_check_finds(check: Check, scene: BotScene, level: str, what: str, fix: str) -> None:
    found = list(check(scene))
    [one] = [each for each in found if what in each.what]
    assert one.level == level, found
    assert fix in one.fix
    assert one.fix or level != "wrong", "what is wrong has a way out"


def test_every_check_of_the_list_is_tested_with_something_wrong_or_worth_a_note() -> None:
    tested = {param.values[0] for param in FOUND if param.values[2] in ("wrong", "note")} | {references.are_there}
    assert {check for _, check in BOT_CHECKS} <= tested


CAMEL_CASE = re.compile(r"[A-Z]+[a-z]+[A-Za-z]*|CPU")
MAKERS = ("Verdict(", "Reading(", "StoreFault(", "PodTrouble(", "replace(reading", '"reason": "')
"""What a module has that makes reasons of conditions or platforms."""
NO_REASONS = {
    "ConfigMap", "ContainerCreating", "Deployment", "False", "HorizontalPodAutoscaler", "NewReplicaSetAvailable", "Pod",
    "PodInitializing", "PodScheduled", "Secret", "True", "Unknown", "Paused", "Plausible", *CONDITIONS,
}  # fmt: skip
"""Other words in those modules: kinds, statuses, conditions, and what Kubernetes says that is no trouble."""


def reasons_in_code() -> set[str]:
    """Each reason that the operator can write, of its own words."""
    operator = ROOT / "operator" / "gptbot_operator"
    files = [path for path in operator.glob("*.py") if path.name not in ("events.py", "settings.py", "child.py")]
    texts = [path.read_text() for path in (*files, ROOT / "crds" / "gptbot_api" / "store_faults.py")]
    nodes = [node for text in texts if any(each in text for each in MAKERS) for node in ast.walk(ast.parse(text))]
    words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {word for word in words if CAMEL_CASE.fullmatch(word)} - NO_REASONS


def test_every_reason_that_the_operator_writes_has_a_way_out_and_a_row_in_the_documents() -> None:
    reasons = reasons_in_code()
    assert {"NotAllowed", "Moving", "InUse", "KeyRefused", "ServedByAnother", "NotIsolated", "Unschedulable"} <= reasons
    assert reasons <= conditions.GOOD | conditions.MEANT | conditions.PASSES.keys() | conditions.FIXES.keys()
    rows = [
        row
        for page in ("troubleshooting.md", "store.md")
        for row in (ROOT / "docs" / page).read_text().splitlines()
        if row.startswith("| ")
    ]
    told = {word for row in rows for cell in row.split(" | ")[:2] for word in re.findall(r"`([A-Z]\w+)`", cell)}
    assert reasons <= told, "docs/troubleshooting.md or docs/store.md lacks a row"


def test_no_reason_is_two_things() -> None:
    kinds = (conditions.GOOD, conditions.MEANT, set(conditions.PASSES), set(conditions.FIXES))
    assert sum(map(len, kinds)) == len(set[str]().union(*kinds))


def test_every_reason_of_a_platform_that_the_docs_explain_has_a_way_out() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    table = page.partition("`status.platforms[]` has a reason for each platform:")[2].partition("\n## ")[0]
    explained = {
        reason for row in table.splitlines() for reason in re.findall(r"`([A-Z]\w+)`", row.partition(" | ")[0])
    }
    assert len(explained) > 20
    assert explained - {"InternalError", "Misconfigured", "Disconnected"} <= platforms.FIXES.keys()


def test_nothing_is_found_where_nothing_is_wanted() -> None:
    suspended = o.scene(
        o.bot(spec={"suspend": True, "platforms": {"web": {}}}, platforms=[{"name": "web", "connected": False}])
    )
    alone = o.scene(o.bot(spec={"platforms": {"telegram": {"mode": "polling"}}}))
    assert not [*platforms.are_connected(suspended), *service.leads_to_gateways(suspended)]
    assert not [*service.leads_to_gateways(alone), *workers.keep_up(alone), *conditions.is_suspended(alone)]
    assert not [*traffic.ingress(alone), *traffic.http_route(o.scene()), *traffic.pod_monitor(o.scene())]
    assert not [*traffic.ingress(o.scene(spec=_EXPOSED | {"platforms": {"telegram": {"mode": "polling"}}}))]
    gateway_alone = o.scene(spec={"workers": {"maxReplicas": 0}}, deployments=[o.deployment("gateway")])
    assert [each.level for each in pods.are_made(gateway_alone)] == ["ok"]


def test_references_are_looked_up_by_name_and_key() -> None:
    spec = {
        "platforms": {
            "telegram": {"tokenSecretRef": {"name": "tokens", "key": "telegram"}},
            "extra": {"irc": {"passwordSecretRef": {"name": "hidden", "key": "x"}, "secretRef": "not one"}},
        },
        "llm": {"apiKeySecretRef": {"name": "gone", "key": "openai"}, "fallbacks": [{"apiKeySecretRef": {"name": "tokens", "key": "b"}}]},
        "personas": [{"name": "a", "promptFrom": {"configMapKeyRef": {"name": "prompts", "key": "a"}}}],
        "podTemplate": {"spec": {"secretRef": {"name": "not", "key": "ours"}}},
    }  # fmt: skip
    keys = {
        ("Secret", "tokens"): frozenset({"telegram", "c"}), ("Secret", "hidden"): Hidden(), ("Secret", "gone"): None,
        ("ConfigMap", "prompts"): frozenset[str](),
    }  # fmt: skip
    found = list(references.are_there(o.scene(spec=spec, references=tuple(named(spec)), keys=keys)))
    assert [(each.level, each.what) for each in found] == [
        ("ok", "Secret tokens has the key telegram"),
        ("unseen", "cannot look at Secret hidden, which spec.platforms.extra.irc.passwordSecretRef names: your rights do not reach that far"),
        ("wrong", "Secret gone, which spec.llm.apiKeySecretRef names, is not there"),
        ("wrong", "Secret tokens has no key b, or it is empty"),
        ("wrong", "ConfigMap prompts has no key a, or it is empty"),
    ]  # fmt: skip
    assert found[2].fix == "kubectl create secret generic gone --from-file=openai=FILE --namespace=shops"
    assert (
        found[3].fix
        == "its keys with a value are: c, telegram; mend spec.llm.fallbacks[0].apiKeySecretRef, or the Secret"
    )


AROUND = [
    (ClusterScene(versions=()), "resource", "wrong", "does not know GptBots"),
    (ClusterScene(versions=("v1", "v2")), "resource", "wrong", "serves gptbot.dev in v1, v2"),
    (ClusterScene(versions=("v1alpha1",)), "resource", "ok", "gptbot.dev/v1alpha1"),
    (ClusterScene(versions=("v1alpha1",), definition=Hidden()), "resource", "unseen", "definition"),
    (
        ClusterScene(
            versions=("v1alpha1",),
            definition={"status": {"conditions": [o.condition("NamesAccepted", "False", "ShortNamesConflict", '"gb" is in use')]}},
        ),
        "resource", "wrong", '"gb" is in use',
    ),
    (ClusterScene(versions=(), operators=Hidden()), "operator", "unseen", "operators in all namespaces"),
    (ClusterScene(versions=(), operators=[]), "operator", "wrong", "no operator is installed"),
    (ClusterScene(versions=(), operators=[o.operator(1)]), "operator", "ok", "runs gptbot-operator:dev"),
    (ClusterScene(versions=(), operators=[o.operator(0, 0)]), "operator", "wrong", "scaled to zero"),
    (
        ClusterScene(versions=(), operators=[o.installation("a/op"), o.installation("b/op", "x, y"), o.installation("c/op", "z")]),
        "operators", "note", "a/op and b/op both serve x, y",
    ),
    (ClusterScene(versions=(), operators=[o.installation("a/op"), o.installation("b/op")]), "operators", "note", "serve all namespaces"),
    (
        ClusterScene(versions=(), operators=[o.installation("b/op", "x,y"), o.installation("c/op", "y,z")]),
        "operators", "note", "b/op and c/op both serve y:",
    ),
    (
        ClusterScene(versions=(), operators=[o.operator(0, 1, o.condition("Available", "False", "x", "does not have minimum availability"))]),
        "operator", "wrong", "minimum availability",
    ),
]  # fmt: skip


def test_installations_of_different_namespaces_are_as_they_should_be() -> None:
    apart = [o.installation("a/op", "x"), o.installation("b/op", "y,z")]
    check = dict(CLUSTER_CHECKS)["operators"]
    assert not list(check(ClusterScene(versions=(), operators=apart)))
    assert not list(check(ClusterScene(versions=(), operators=[o.installation("a/op")] * 2))), (
        "two Deployments, one Lease"
    )


@pytest.mark.parametrize(("scene", "check", "level", "what"), AROUND)
def test_what_is_around_the_bots(scene: ClusterScene, check: str, level: str, what: str) -> None:
    found = list(dict(CLUSTER_CHECKS)[check](scene))
    [one] = [each for each in found if what in each.what]
    assert one.level == level
    assert one.fix or level != "wrong"
