"""At rest the operator writes nothing, and it never takes from the autoscaler what is the autoscaler's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.bot import Bot
from tests.controlplane.optional_kinds import optional_kinds
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess

MakeBot = Callable[..., Bot]
ROUNDS = 100
SPECS: dict[str, dict[str, Any]] = {
    "plain": {},
    "exposed": {
        "expose": {
            "host": "bot.example.com",
            "ingress": {"annotations": {"a": "b"}},
            "route": {"parentRefs": [{"name": "public"}]},
        },
        "gateway": {"replicas": 2},
        "networkPolicy": {"egress": [{"ports": [{"port": 3128}]}]},
    },
    "suspended": {"suspend": True},
    "fixed": {"workers": {"minReplicas": 3, "maxReplicas": 3}},
    "worded-otherwise": {
        "gateway": {"resources": {"requests": {"cpu": 1, "memory": "1024Mi"}, "limits": {"cpu": "2000m"}}},
        "podTemplate": {
            "spec": {
                "tolerations": [{"key": "a", "operator": "Exists"}],
                "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "2048Mi"}}],
                "hostNetwork": False,
                "containers": [
                    {"name": "gptbot", "env": [{"name": "EMPTY", "value": ""}]},
                    {"name": "side", "image": "side:1", "ports": [{"containerPort": 1}]},
                ],
            }
        },
    },
}  # fmt: skip
"""All sorts of bots, also such whose fields the API server words anew."""


@pytest.fixture
def resyncing(plane: Plane, absent: None, store_url: str, tmp_path: Path) -> Iterator[OperatorProcess]:
    """An operator that looks at everything again all the time, in a cluster with all kinds."""
    with optional_kinds(plane):
        process = OperatorProcess(plane, tmp_path, GPTBOT_STORE_URL=store_url, GPTBOT_RESYNC_SECONDS="1")
        process.start()
        yield process
        process.stop()
        assert "not reconciled" not in process.log.read_text()


def test_neither_a_resync_nor_a_restart_writes(plane: Plane, make_bot: MakeBot, resyncing: OperatorProcess) -> None:
    bots = [make_bot(name, **spec) for name, spec in SPECS.items()]
    for bot in bots:
        bot.the("PodMonitor", "gptbot")
        bot.wait_settled()
        if "workers" not in SPECS[bot.name] and bot.name != "suspended":
            bot.the("HorizontalPodAutoscaler", "worker")
    wait_for(lambda: _writes_of(plane, resyncing, 3) == [], "no writes any more", 60)
    assert _writes_of(plane, resyncing, 10) == [], "ten resyncs"

    before = plane.writes()
    resyncing.stop()
    resyncing.start()
    _resyncs(resyncing, 3)
    assert plane.writes()[len(before) :] == [], "a restart"


def _writes_of(plane: Plane, operator: OperatorProcess, resyncs: int) -> list[str]:
    before = len(plane.writes())
    _resyncs(operator, resyncs)
    return plane.writes()[before:]


def _resyncs(operator: OperatorProcess, count: int) -> None:
    """Wait for so many: each reads at least ten objects of each bot."""
    name = "gptbot_operator_api_requests_total"
    wanted = operator.metric(name) + count * 10 * len(SPECS)
    wait_for(lambda: operator.metric(name) >= wanted, "further resyncs", 60)


@pytest.mark.usefixtures("operator")
def test_operator_and_autoscaler_for_a_hundred_rounds(make_bot: MakeBot, plane: Plane) -> None:
    bot = make_bot(workers={"minReplicas": 2, "maxReplicas": 50})
    wait_for(lambda: bot.child("Deployment", "worker") and bot.replicas() == 2, "the autoscaler's least")
    bot.wait_settled()
    at_first = len([write for write in plane.writes() if _of_workers(write, bot)])
    for number in range(ROUNDS):
        if number % 10 == 9:  # the autoscaler itself decides: it raises the number to its new least
            wanted = 31 + number // 10
            bot.edit(workers={"minReplicas": wanted})
            wait_for(lambda: bot.replicas() == wanted, "the autoscaler's new least")  # noqa: B023 - called here only
            bot.edit(workers={"minReplicas": 2})
            wait_for(lambda: bot.the("HorizontalPodAutoscaler", "worker")["spec"]["minReplicas"] == 2, "2 again")
        else:
            wanted = 3 + number % 20
            change = {"spec": {"replicas": wanted}}
            bot.api.patch("Deployment", bot.namespace, "bot-worker", change, subresource="scale")
        # Something for the operator to put right, in the same Deployment.
        bot.api.patch("Deployment", bot.namespace, "bot-worker", {"spec": {"revisionHistoryLimit": number + 10}})
        seen: set[int] = set()

        def right() -> bool:
            spec = bot.the("Deployment", "worker")["spec"]
            seen.add(spec["replicas"])  # noqa: B023 - called here only
            return spec["revisionHistoryLimit"] == 3

        wait_for(right, "the edit is put right")
        assert seen == {wanted}, f"round {number}"
    deployment = bot.the("Deployment", "worker")
    applied = [entry for entry in deployment["metadata"]["managedFields"] if entry["manager"] == "gptbot-operator"]
    assert applied
    assert all("f:replicas" not in entry["fieldsV1"].get("f:spec", {}) for entry in applied)
    writes = [write for write in plane.writes() if _of_workers(write, bot)]
    assert len(writes) - at_first >= ROUNDS, "each round it wrote the Deployment"


def _of_workers(write: str, bot: Bot) -> bool:
    return write.startswith(f"patch /apis/apps/v1/namespaces/{bot.namespace}/deployments/bot-worker?")


@pytest.mark.usefixtures("operator")
def test_suspended_and_back_the_workers_are_as_many_as_before(make_bot: MakeBot) -> None:
    for name, workers in {
        "scaled": {"minReplicas": 3, "maxReplicas": 9},
        "fixed": {"minReplicas": 4, "maxReplicas": 4},
    }.items():
        bot = make_bot(name, workers=workers, expose={"host": "bot.example.com", "ingress": {}})
        wait_for(lambda: bot.child("Deployment", "worker") and bot.replicas() == workers["minReplicas"], "running")  # noqa: B023 - called here only
        bot.wait_settled()
        before = set(bot.children())
        bot.edit(suspend=True)
        wait_for(lambda: bot.replicas() == 0 and bot.the("Deployment", "gateway")["spec"]["replicas"] == 0, "stopped")  # noqa: B023 - called here only
        bot.wait_condition("Ready", "False", "Suspended")
        assert before - set(bot.children()) <= {f"HorizontalPodAutoscaler {name}-worker"}, "everything else is kept"
        bot.edit(suspend=False)
        wait_for(lambda: bot.replicas() == workers["minReplicas"] and set(bot.children()) == before, "as before")  # noqa: B023 - called here only
        assert bot.the("Deployment", "gateway")["spec"]["replicas"] == 1
