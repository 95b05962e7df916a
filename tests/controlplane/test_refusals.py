"""What the API server refuses: each kind of child is tried less and less often, and nothing runs in circles."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest

from gptbot_operator.refusals import FIRST_PAUSE
from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, Write, wait_for

MakeBot = Callable[..., Bot]

CHILDREN = {
    "configmaps": "gptbot",
    "secrets": "gptbot",
    "serviceaccounts": "gptbot",
    "networkpolicies": "gptbot",
    "deployments": "gateway",
    "services": "web",
    "ingresses": "web",
    "horizontalpodautoscalers": "worker",
    "poddisruptionbudgets": "worker",
}
"""Plural of each kind, and the end of its name. A bot of that name is refused that kind."""
NEEDED_BY_PODS = ("configmaps", "secrets", "serviceaccounts")
LABEL = "app.kubernetes.io/part-of"
TRIES = 5
_POLICY = "admissionregistration.k8s.io/v1"
_GROUPS = ["", "apps", "autoscaling", "policy", "networking.k8s.io"]


@contextmanager
def _policy(plane: Plane, namespace: str, refused: str, reason: str) -> Generator[None]:
    """In a namespace, children are refused of which a CEL expression is true."""
    name = f"refuse-in-{namespace}"
    rules = {"apiGroups": _GROUPS, "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": [*CHILDREN]}
    validation = {"expression": f"!({refused})", "message": "not these", "reason": reason}
    spec = {"matchConstraints": {"resourceRules": [rules]}, "validations": [validation]}
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    bound = {"policyName": name, "validationActions": ["Deny"], "matchResources": where}
    kinds = {"ValidatingAdmissionPolicy": spec, "ValidatingAdmissionPolicyBinding": bound}
    for kind, of in kinds.items():
        document = {"apiVersion": _POLICY, "kind": kind, "metadata": {"name": name}, "spec": of}
        plane.kubectl("apply", "-f", "-", document=document)

    def in_force() -> bool:
        probe = plane.kubectl(
            "-n", namespace, "create", "service", "clusterip", "services-web", "--tcp=80", "--dry-run=server",
            "--as=operator", "--as-group=system:masters", check=False,
        )  # fmt: skip
        return "denied request" in probe.stderr

    wait_for(in_force, "the policy")
    try:
        yield
    finally:
        for kind in reversed(kinds):
            plane.kubectl("delete", kind, name)


@pytest.mark.usefixtures("operator")
def test_a_refused_child_is_tried_less_and_less_often_whatever_the_others_do(
    make_bot: MakeBot, plane: Plane, namespace: str
) -> None:
    named = "object.metadata.name.startsWith(request.resource.resource + '-')"
    with _policy(plane, namespace, named, "Forbidden"):
        _try_all(make_bot, plane)


def _try_all(make_bot: MakeBot, plane: Plane) -> None:
    bots = {plural: make_bot(plural, expose={"host": "a.example.com", "ingress": {}}) for plural in CHILDREN}
    numbers = itertools.count()

    def disturbed() -> None:
        """Their Deployments have something new to tell all the time."""
        for name, suffix in itertools.product(bots, ("gateway", "worker")):
            change = {"status": {"readyReplicas": 0, "collisionCount": next(numbers)}}
            bots[name].api.patch_if_there(
                "Deployment", bots[name].namespace, f"{name}-{suffix}", change, subresource="status"
            )

    def tries() -> dict[str, list[Write]]:
        return {plural: _tries(plane, bots[plural], plural) for plural in CHILDREN}

    wait_for(lambda: all(len(each) >= TRIES for each in tries().values()), "tries of each kind", 60, disturbed)
    for plural, found in tries().items():
        pauses = [later.at - earlier.at for earlier, later in itertools.pairwise(found)]
        for number, pause in enumerate(pauses):
            assert pause >= 0.8 * FIRST_PAUSE * 2**number - 0.01, (plural, pauses)
    for plural, bot in bots.items():
        _nothing_runs_in_circles(plane, bot, plural)
        ready = bot.wait_condition("Ready", "False", "ApplyFailed")
        assert f" {plural}-{CHILDREN[plural]}: " in ready
        assert "not these" in ready
        held_up = plural in (*NEEDED_BY_PODS, "deployments")
        progressing = bot.conditions()["Progressing"]
        assert (progressing[:2] == ("False", "ApplyFailed")) == held_up, progressing
        if plural in NEEDED_BY_PODS:
            assert "gateway: it waits for " in progressing[2]
            assert "worker: it waits for " in progressing[2]
            assert bot.child("Deployment", "gateway") is None


def _tries(plane: Plane, bot: Bot, plural: str, status: int = 403) -> list[Write]:
    path = f"/namespaces/{bot.namespace}/{plural}/{bot.name}-{CHILDREN[plural]}?"
    return [each for each in plane.audit() if path in each.path and (each.verb, each.status) == ("patch", status)]


def _nothing_runs_in_circles(plane: Plane, bot: Bot, refused: str) -> None:
    """Each other child was written once, and one ReplicaSet made of each Deployment."""
    written: dict[str, int] = {}
    for each in plane.audit():
        found = re.search(rf"/namespaces/{bot.namespace}/(\w+)/{bot.name}(-\w+)?(/status)?\?", each.path)
        if found and found[1] != refused:
            written[found[0]] = written.get(found[0], 0) + 1
    status = [number for path, number in written.items() if "/gptbots/" in path]
    assert sum(status) <= 10, written
    assert all(number == 1 for path, number in written.items() if "/gptbots/" not in path), written
    sets = [each for each in bot.api.list("ReplicaSet", bot.namespace) if each["metadata"]["name"].startswith(bot.name)]
    deployments = [each for each in bot.children() if each.startswith("Deployment ")]
    assert len(sets) <= len(deployments)


@pytest.mark.usefixtures("operator")
def test_a_quota_without_secrets_makes_no_pods_and_the_pepper_stays(
    make_bot: MakeBot, plane: Plane, namespace: str
) -> None:
    plane.kubectl("-n", namespace, "create", "quota", "none", "--hard=count/secrets=0")
    counted = ("-n", namespace, "quota", "none")
    wait_for(lambda: "count/secrets" in plane.get(*counted).get("status", {}).get("hard", {}), "the quota")
    bot = make_bot()
    assert "exceeded quota: none" in bot.wait_condition("Ready", "False", "ApplyFailed")
    wait_for(lambda: len(_tries(plane, bot, "secrets")) >= 3, "some tries")
    assert not bot.api.list("ReplicaSet", namespace)
    assert {"ConfigMap bot-gptbot", "NetworkPolicy bot-gptbot", "Service bot-web"} <= set(bot.children())
    plane.kubectl("-n", namespace, "delete", "quota", "none")
    bot.wait_condition("Ready", "False", "GatewayUnavailable")
    bot.wait_settled()
    assert len(base64.b64decode(bot.the("Secret", "gptbot")["data"]["pepper"])) >= 32
    assert len(bot.api.list("ReplicaSet", namespace)) == 2, "each Deployment was made once, with the pepper that stays"


@pytest.mark.usefixtures("operator")
def test_a_service_stays_when_a_policy_refuses_what_is_to_become_of_it(
    make_bot: MakeBot, plane: Plane, namespace: str
) -> None:
    bot = make_bot()
    before = bot.the("Service", "web")
    bot.wait_settled()
    expression = "request.resource.resource == 'services' && request.userInfo.username == 'operator'"
    with _policy(plane, namespace, expression, "Invalid"):  # 422, as of a clash with what somebody added
        bot.api.patch("Service", namespace, "bot-web", {"metadata": {"labels": {LABEL: "somebody"}}})
        assert "not these" in bot.wait_condition("Ready", "False", "ApplyFailed")
        wait_for(lambda: len(_tries(plane, bot, "services", 422)) >= 2, "some tries")
        assert bot.the("Service", "web")["metadata"]["uid"] == before["metadata"]["uid"]
    wait_for(lambda: bot.the("Service", "web")["metadata"]["labels"][LABEL] == "gptbot", "it is put right")
    assert bot.the("Service", "web")["metadata"]["uid"] == before["metadata"]["uid"]


@pytest.mark.usefixtures("operator")
def test_a_webhook_that_is_away_keeps_its_kind_from_being_made_and_no_other(
    make_bot: MakeBot, plane: Plane, namespace: str
) -> None:
    name = f"away-in-{namespace}"
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["networkpolicies"]}
    webhook = {
        "name": "away.example.com", "clientConfig": {"url": "https://127.0.0.1:1/"}, "rules": [rule],
        "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Fail",
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
    }  # fmt: skip
    kind = "ValidatingWebhookConfiguration"
    document = {"apiVersion": _POLICY, "kind": kind, "metadata": {"name": name}, "webhooks": [webhook]}
    plane.kubectl("apply", "-f", "-", document=document)
    probe = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"}}
    tried = ("-n", namespace, "create", "--dry-run=server", "-f", "-")
    try:
        wait_for(
            lambda: (
                "webhook" in plane.kubectl(*tried, document=probe | {"spec": {"podSelector": {}}}, check=False).stderr
            ),
            "the webhook",
        )
        bot = make_bot()
        message = bot.wait_condition("Ready", "False", "ApplyFailed")
        assert message.startswith("NetworkPolicy bot-gptbot: ")
        assert "failed calling webhook" in message
        for each in ("Deployment gateway", "HorizontalPodAutoscaler worker", "Service web"):
            bot.the(*each.split())
    finally:
        plane.kubectl("delete", kind, name)
    bot.the("NetworkPolicy", "gptbot")
    bot.wait_condition("Ready", "False", "GatewayUnavailable")
