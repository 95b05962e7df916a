"""Autoscalers of others on a bot: the operator sees them, names them, and never fights them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess

MakeBot = Callable[..., Bot]
SCALED_OBJECTS = "scaledobjects.keda.sh"


def autoscaler(bot: Bot, kind: str, name: str, fewest: int, **metadata: Any) -> dict[str, Any]:
    """A HorizontalPodAutoscaler `mine` of a user's; without metrics it keeps the least number."""
    version = "apps/v1" if kind == "Deployment" else "gptbot.dev/v1alpha1"
    usage = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "mine", "namespace": bot.namespace, **metadata},
        "spec": {
            "scaleTargetRef": {"apiVersion": version, "kind": kind, "name": name},
            "minReplicas": fewest,
            "maxReplicas": 20,
            "metrics": [{"type": "Resource", "resource": usage}],
        },
    }


def stands_still(bot: Bot, operator: OperatorProcess, suffix: str = "worker") -> None:
    """The spec of a Deployment is not written again, in some looks."""
    bot.wait_settled()
    before = bot.the("Deployment", suffix)["metadata"]["generation"]
    operator.looks_at(bot)
    assert bot.the("Deployment", suffix)["metadata"]["generation"] == before


def test_another_autoscaler_on_the_workers_is_named_and_not_fought(
    make_bot: MakeBot, operator: OperatorProcess
) -> None:
    bot = make_bot(workers={"minReplicas": 2, "maxReplicas": 10})
    wait_for(lambda: bot.child("Deployment", "worker") and bot.replicas() == 2, "minReplicas")
    bot.api.create(autoscaler(bot, "Deployment", "bot-worker", 15))
    message = bot.wait_condition("ScalingActive", "False", "Conflict")
    assert "HorizontalPodAutoscaler mine scales Deployment bot-worker" in message
    wait_for(lambda: bot.child("HorizontalPodAutoscaler", "worker") is None, "the operator's own stands back")
    wait_for(lambda: bot.replicas() == 15, "the other one decides")
    stands_still(bot, operator)
    assert bot.replicas() == 15

    bot.edit(workers={"autoscaling": "none"})
    assert "mine decides" in bot.wait_condition("ScalingActive", "True", "External")
    stands_still(bot, operator)
    assert bot.replicas() == 15

    bot.edit(workers={"autoscaling": "auto"})
    bot.api.delete("HorizontalPodAutoscaler", bot.namespace, "mine")
    bot.the("HorizontalPodAutoscaler", "worker")
    wait_for(lambda: bot.replicas() == 10, "the operator's own decides again, from where it was")


def test_fixed_numbers_are_left_to_it_too(make_bot: MakeBot, operator: OperatorProcess) -> None:
    bot = make_bot(workers={"minReplicas": 3, "maxReplicas": 3}, gateway={"replicas": 2})
    bot.wait_settled()
    mine = autoscaler(bot, "Deployment", "bot-gateway", 5)
    bot.api.create(mine)
    message = bot.wait_condition("ScalingActive", "False", "Conflict")
    assert "HorizontalPodAutoscaler mine scales Deployment bot-gateway" in message
    wait_for(lambda: bot.the("Deployment", "gateway")["spec"]["replicas"] == 5, "the other one decides")
    stands_still(bot, operator, "gateway")
    bot.api.delete("HorizontalPodAutoscaler", bot.namespace, "mine")
    wait_for(lambda: bot.the("Deployment", "gateway")["spec"]["replicas"] == 2, "as the spec says again")

    bot.api.create(autoscaler(bot, "Deployment", "bot-worker", 6))
    named = "HorizontalPodAutoscaler mine scales Deployment bot-worker"
    wait_for(lambda: named in bot.wait_condition("ScalingActive", "False", "Conflict"), "the worker's is named")
    wait_for(lambda: bot.replicas() == 6, "the other one decides")
    stands_still(bot, operator)
    bot.edit(suspend=True)
    wait_for(lambda: bot.replicas() == 0, "suspended")
    stands_still(bot, operator)
    bot.edit(suspend=False)
    wait_for(lambda: bot.replicas() == 6, "the other one decides again")


@pytest.fixture
def scaled_objects(plane: Plane) -> Iterator[None]:
    """A cluster that has KEDA's kind."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {
        "kind": "ScaledObject",
        "plural": "scaledobjects",
        "singular": "scaledobject",
        "listKind": "ScaledObjectList",
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": SCALED_OBJECTS},
        "spec": {"group": "keda.sh", "scope": "Namespaced", "names": names, "versions": [version]},
    }
    plane.kubectl("create", "-f", "-", document=definition)
    plane.kubectl("wait", "--for=condition=Established", f"crd/{SCALED_OBJECTS}", "--timeout=30s")
    yield
    plane.kubectl("delete", "crd", SCALED_OBJECTS)


@pytest.mark.usefixtures("scaled_objects", "operator")
def test_a_scaled_object_is_named(make_bot: MakeBot, plane: Plane) -> None:
    bot = make_bot()
    bot.the("Deployment", "worker")
    made = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "by-queue"}, "spec": {}}
    plane.kubectl("-n", bot.namespace, "create", "-f", "-", document=made)
    owner = {
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "by-queue", "controller": True,
        "uid": plane.get("-n", bot.namespace, SCALED_OBJECTS, "by-queue")["metadata"]["uid"],
    }  # fmt: skip
    bot.api.create(autoscaler(bot, "Deployment", "bot-worker", 4, ownerReferences=[owner]))  # as KEDA does
    message = bot.wait_condition("ScalingActive", "False", "Conflict")
    assert "ScaledObject by-queue (HorizontalPodAutoscaler mine) scales Deployment bot-worker" in message


def test_a_gptbot_is_scaled(make_bot: MakeBot, plane: Plane, operator: OperatorProcess) -> None:
    bot = make_bot()
    bot.wait_settled()

    def scale(number: int) -> str:
        return plane.kubectl("-n", bot.namespace, "scale", "gptbot", "bot", f"--replicas={number}", check=False).stderr

    assert "replicas needs autoscaling: none" in scale(4)
    bot.edit(workers={"autoscaling": "none"})
    bot.wait_condition("ScalingActive", "False", "NoAutoscaler")
    wait_for(lambda: bot.child("HorizontalPodAutoscaler", "worker") is None, "no autoscaler of the operator's")
    bot.api.patch("Deployment", bot.namespace, "bot-worker", {"spec": {"replicas": 7}}, subresource="scale")
    stands_still(bot, operator)
    assert bot.replicas() == 7, "whoever scales the Deployment decides"

    before = bot.hashes()
    assert scale(4) == ""
    wait_for(lambda: bot.replicas() == 4, "the number of /scale")
    bot.wait_condition("ScalingActive", "False", "FixedReplicas")
    wait_for(lambda: bot.document["status"]["workers"]["replicas"] == 4, "the number in the status")
    got = json.loads(
        plane.kubectl("get", "--raw", f"/apis/gptbot.dev/v1alpha1/namespaces/{bot.namespace}/gptbots/bot/scale").stdout
    )
    assert (got["spec"]["replicas"], got["status"]["replicas"]) == (4, 4)
    assert "app.kubernetes.io/component=worker" in got["status"]["selector"]
    bot.run_pods()

    bot.api.create(autoscaler(bot, "GptBot", "bot", 9))
    assert "mine decides" in bot.wait_condition("ScalingActive", "True", "External")
    wait_for(lambda: bot.replicas() == 9, "an autoscaler of the GptBot")
    stands_still(bot, operator)
    assert bot.hashes() == before, "no pod rolls"
