"""What stands around the pods: network policy, disruption budgets, Ingress, HTTPRoute, PodMonitor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.controlplane.bot import Bot
from tests.controlplane.optional_kinds import optional_kinds
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess

MakeBot = Callable[..., Bot]
INGRESS = {"host": "bot.example.com", "ingress": {"className": "nginx", "annotations": {"note": "mine"}}}
BOTH = INGRESS | {"route": {"parentRefs": [{"name": "public"}]}}


@pytest.fixture(scope="module")
def rich(
    plane: Plane, operator: OperatorProcess, store_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """An operator in a cluster with all the kinds that not every cluster has; of those, its resync puts drift right."""
    operator.stop()
    directory = tmp_path_factory.mktemp("rich")
    quick = OperatorProcess(plane, directory, GPTBOT_STORE_URL=store_url, GPTBOT_RESYNC_SECONDS="2")
    with optional_kinds(plane):
        quick.start()
        yield
        quick.stop()
    operator.start_when_needed()


def _fields(children: dict[str, Any]) -> dict[str, Any]:
    """What the operator decides of them."""
    return {name: (child["metadata"]["labels"], child["spec"]) for name, child in children.items()}


AROUND = {
    "NetworkPolicy bot-gptbot": {"spec": {"egress": [], "policyTypes": ["Ingress"]}},
    "PodDisruptionBudget bot-gateway": {"spec": {"maxUnavailable": 0}},
    "PodDisruptionBudget bot-worker": {"spec": {"maxUnavailable": None, "minAvailable": 5}},
    "Ingress bot-web": {"spec": {"rules": None, "defaultBackend": {"service": {"name": "x", "port": {"number": 1}}}}},
    "HTTPRoute bot-web": {"spec": {"hostnames": ["other.example.com"]}},
    "PodMonitor bot-gptbot": {"metadata": {"labels": {"gptbot.dev/bot": None}}},
}
"""Each of them, and what somebody does to it."""


@pytest.mark.usefixtures("rich")
def test_each_is_made_put_right_made_anew_and_removed(make_bot: MakeBot) -> None:
    bot = make_bot(expose=BOTH, gateway={"replicas": 2})

    def around() -> dict[str, Any]:
        return {name: child for name, child in bot.children().items() if name in AROUND}

    wait_for(lambda: set(around()) == set(AROUND), "all of them")
    bot.wait_settled()
    assert "ApplyFailed" not in str(bot.conditions())
    uid = bot.document["metadata"]["uid"]
    assert {c["metadata"]["ownerReferences"][0]["uid"] for c in around().values()} == {uid}
    wanted = _fields(around())

    for name, change in AROUND.items():
        bot.api.patch(name.split()[0], bot.namespace, name.split()[1], change)
    assert _fields(around()) != wanted

    def right() -> bool:
        kept = around().get("Ingress bot-web", {"spec": {}})["spec"]
        kept.pop("defaultBackend", None)  # a field that the operator does not set is its writer's
        return _fields(around() | ({"Ingress bot-web": around()["Ingress bot-web"] | {"spec": kept}})) == wanted

    wait_for(right, "edits are put right")

    for name in AROUND:
        bot.api.delete(name.split()[0], bot.namespace, name.split()[1])
    wait_for(lambda: _fields(around()) == wanted, "they are made anew")

    bot.edit(
        expose=None,
        gateway={"replicas": 1},
        workers={"maxReplicas": 1},
        networkPolicy={"enabled": False},
        monitoring={"enabled": False},
    )
    wait_for(lambda: not around(), "none of them is wanted any more")
    bot.edit(expose=BOTH, gateway={"replicas": 2}, workers=None, networkPolicy=None, monitoring=None)
    wait_for(lambda: set(around()) == set(AROUND), "and all of them again")

    bot.api.delete("GptBot", bot.namespace, "bot")
    wait_for(lambda: not bot.children(), "the garbage collector takes them along", 60)


@pytest.mark.usefixtures("rich")
def test_one_of_somebody_else_is_left_alone_and_named(make_bot: MakeBot, plane: Plane, namespace: str) -> None:
    specs: dict[str, tuple[str, Any]] = {
        "NetworkPolicy bot-gptbot": ("networking.k8s.io/v1", {"podSelector": {}}),
        "PodDisruptionBudget bot-worker": ("policy/v1", {"maxUnavailable": 0, "selector": {"matchLabels": {"a": "b"}}}),
        "Ingress bot-web": ("networking.k8s.io/v1", {"rules": [{"host": "x.example.com"}]}),
        "HTTPRoute bot-web": ("gateway.networking.k8s.io/v1", {"hostnames": ["x.example.com"]}),
        "PodMonitor bot-gptbot": ("monitoring.coreos.com/v1", {"selector": {}, "podMetricsEndpoints": []}),
    }  # fmt: skip
    made: dict[str, Any] = {}
    for name, (version, spec) in specs.items():
        kind, metadata = name.split()[0], {"name": name.split()[1], "namespace": namespace}
        made[name] = plane.api.create({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})
    bot = make_bot(expose=BOTH)
    message = bot.wait_condition("Ready", "False", "NameConflict")
    assert all(f"{name} exists and does not belong to this GptBot" in message for name in specs), message
    bot.the("HorizontalPodAutoscaler", "worker")

    bot.edit(expose=None, workers={"maxReplicas": 0}, networkPolicy={"enabled": False}, monitoring={"enabled": False})
    wait_for(lambda: bot.child("Deployment", "worker") is None, "pruning")
    bot.wait_settled()
    for name, before in made.items():
        after = plane.api.get(name.split()[0], namespace, name.split()[1])
        assert after is not None, name
        assert after["metadata"]["generation"] == before["metadata"]["generation"], name
        assert not after["metadata"].get("ownerReferences"), name
