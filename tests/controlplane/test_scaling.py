"""Who decides on the number of workers: the spec, or the autoscaler, which nobody fights."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.controlplane.bot import HASH, Bot
from tests.controlplane.plane import wait_for

MakeBot = Callable[..., Bot]
pytestmark = pytest.mark.usefixtures("operator")


def test_the_autoscaler_owns_replicas(make_bot: MakeBot) -> None:
    bot = make_bot(workers={"minReplicas": 2, "maxReplicas": 10})
    wait_for(lambda: bot.child("Deployment", "worker") and bot.replicas() == 2, "minReplicas, by the autoscaler")
    bot.api.patch("Deployment", bot.namespace, "bot-worker", {"spec": {"replicas": 6}}, subresource="scale")
    before = bot.hashes()
    bot.edit(workers={"concurrency": 7})
    wait_for(lambda: bot.hashes() != before, "the workers roll")
    bot.wait_settled()
    assert bot.replicas() == 6


def test_from_fixed_to_scaled_the_number_is_handed_over(make_bot: MakeBot) -> None:
    bot = make_bot(workers={"minReplicas": 5, "maxReplicas": 5})
    bot.wait_settled()
    assert bot.replicas() == 5
    assert bot.child("HorizontalPodAutoscaler", "worker") is None
    assert "5 workers" in bot.wait_condition("ScalingActive", "False", "FixedReplicas")

    numbers: set[int] = set()

    def scaled() -> bool:
        numbers.add(bot.replicas())
        return bot.child("HorizontalPodAutoscaler", "worker") is not None

    bot.edit(workers={"minReplicas": 1, "maxReplicas": 10})
    wait_for(scaled, "an autoscaler")
    bot.wait_settled()
    assert numbers | {bot.replicas()} == {5}
    owners = {
        entry["manager"]
        for entry in bot.the("Deployment", "worker")["metadata"]["managedFields"]
        if "f:replicas" in entry["fieldsV1"].get("f:spec", {})
    }
    assert "gptbot-operator" not in owners


def test_from_scaled_to_fixed_and_suspended_and_back(make_bot: MakeBot) -> None:
    bot = make_bot(workers={"minReplicas": 3, "maxReplicas": 10})
    wait_for(lambda: bot.child("Deployment", "worker") and bot.replicas() == 3, "minReplicas")
    template = bot.the("Deployment", "worker")["spec"]["template"]

    bot.edit(workers={"minReplicas": 4, "maxReplicas": 4})
    wait_for(lambda: bot.replicas() == 4 and bot.child("HorizontalPodAutoscaler", "worker") is None, "4 workers")

    bot.edit(suspend=True)
    wait_for(lambda: bot.replicas() == 0 and bot.the("Deployment", "gateway")["spec"]["replicas"] == 0, "suspended")
    bot.wait_condition("Ready", "False", "Suspended")
    assert set(bot.children()) >= {"ConfigMap bot-gptbot", "Secret bot-gptbot", "Service bot-web"}

    bot.edit(suspend=False, workers={"minReplicas": 2, "maxReplicas": 10})
    bot.the("HorizontalPodAutoscaler", "worker")
    wait_for(lambda: bot.replicas() == 2 and bot.the("Deployment", "gateway")["spec"]["replicas"] == 1, "running")
    assert bot.the("Deployment", "worker")["spec"]["template"] == template, "none of it rolls a pod"


def test_scaling_to_zero_keeps_a_worker_and_says_so(make_bot: MakeBot) -> None:
    bot = make_bot(workers={"minReplicas": 0, "maxReplicas": 3})
    assert bot.the("HorizontalPodAutoscaler", "worker")["spec"]["minReplicas"] == 1
    message = bot.wait_condition("ScalingActive", "False", "FailedGetResourceMetric")
    assert message.startswith("1 to 3 workers, by CPU; scaling to zero needs an event-driven autoscaler")


def test_a_gateways_concurrency_does_not_roll_workers(make_bot: MakeBot) -> None:
    bot = make_bot()
    before = bot.hashes()
    bot.edit(gateway={"concurrency": 3})

    def rolled() -> bool:
        gateway = bot.the("Deployment", "gateway")["spec"]["template"]["metadata"]["annotations"][HASH]
        return gateway != before[0]

    wait_for(rolled, "the gateway rolls")
    bot.wait_settled()
    assert bot.hashes()[1] == before[1]
