"""The operator at work: children made, kept, rolled, pruned, left alone."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.controlplane.bot import HASH, Bot
from tests.controlplane.plane import wait_for
from tests.controlplane.running import OperatorProcess

MakeBot = Callable[..., Bot]
pytestmark = pytest.mark.usefixtures("operator")

TELEGRAM = {"telegram": {"tokenSecretRef": {"name": "tokens", "key": "telegram"}}}


def test_the_children_appear_and_belong_to_the_bot(make_bot: MakeBot) -> None:
    bot = make_bot()
    bot.the("HorizontalPodAutoscaler", "worker")
    bot.wait_settled()
    children = bot.children()
    assert set(children) == {
        "ConfigMap bot-gptbot", "Secret bot-gptbot", "ServiceAccount bot-gptbot", "Deployment bot-gateway",
        "Deployment bot-worker", "HorizontalPodAutoscaler bot-worker", "Service bot-web",
        "NetworkPolicy bot-gptbot", "PodDisruptionBudget bot-worker",
    }  # fmt: skip
    uid = bot.document["metadata"]["uid"]
    for name, child in children.items():
        [owner] = child["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == (uid, True), name
        managers = {m["manager"] for m in child["metadata"]["managedFields"] if m["operation"] == "Apply"}
        assert managers == {"gptbot-operator"}, name
    config = yaml.safe_load(children["ConfigMap bot-gptbot"]["data"]["bot.yaml"])
    assert config["spec"]["context"]["maxMessages"] == 40, "defaults are filled in"
    assert "finalizers" not in bot.document["metadata"]
    assert "annotations" not in bot.document["metadata"]


def test_a_missing_secret_is_named_and_its_coming_rolls_the_pods(make_bot: MakeBot) -> None:
    bot = make_bot(platforms=TELEGRAM)
    message = bot.wait_condition("SecretsResolved", "False", "Missing")
    assert message == (
        f"spec.platforms.telegram.tokenSecretRef: Secret 'tokens' in namespace '{bot.namespace}' has no key 'telegram'"
        ", or it is empty"
    )
    before = bot.hashes()
    bot.secret("tokens", telegram="hunter2")
    bot.wait_condition("SecretsResolved", "True", "Resolved")
    wait_for(lambda: all(a != b for a, b in zip(before, bot.hashes(), strict=True)), "the pods roll")


def test_a_changed_secret_rolls_the_pods_and_a_persona_does_not(make_bot: MakeBot) -> None:
    bot = make_bot(platforms=TELEGRAM)
    bot.secret("tokens", telegram="hunter2", unrelated="x")
    bot.wait_condition("SecretsResolved", "True")
    before = bot.hashes()

    bot.edit(personas=[{"name": "poet", "prompt": "You speak in verse."}], limits={"tokensPerDay": 5})
    wait_for(lambda: "verse" in bot.the("ConfigMap", "gptbot")["data"]["bot.yaml"], "the new persona")
    bot.wait_settled()
    assert bot.hashes() == before

    bot.secret("tokens", telegram="hunter2-new")
    wait_for(lambda: all(a != b for a, b in zip(before, bot.hashes(), strict=True)), "the pods roll")

    def rolled() -> bool:
        sets = bot.api.list("ReplicaSet", bot.namespace)
        return set(bot.hashes()) <= {s["spec"]["template"]["metadata"]["annotations"][HASH] for s in sets}

    wait_for(rolled, "ReplicaSets of the new configuration")


def test_what_others_change_is_put_right(make_bot: MakeBot) -> None:
    bot = make_bot()
    bot.the("HorizontalPodAutoscaler", "worker")
    bot.wait_settled()
    wanted = {name: _kept(child) for name, child in bot.children().items()}

    bot.api.patch("Service", bot.namespace, "bot-web", {"spec": {"ports": [{"name": "http", "port": 81}]}})
    bot.api.patch("Deployment", bot.namespace, "bot-gateway", {"spec": {"strategy": {"rollingUpdate": None}}})
    bot.api.patch("ConfigMap", bot.namespace, "bot-gptbot", {"data": {"bot.yaml": "gone"}})
    bot.api.patch("HorizontalPodAutoscaler", bot.namespace, "bot-worker", {"spec": {"maxReplicas": 99}})
    bot.api.patch("ServiceAccount", bot.namespace, "bot-gptbot", {"automountServiceAccountToken": True})
    bot.api.patch("Deployment", bot.namespace, "bot-gateway", {"spec": {"replicas": 0}})
    bot.api.patch("Deployment", bot.namespace, "bot-worker", {"metadata": {"labels": {"gptbot.dev/bot": None}}})
    wait_for(lambda: {name: _kept(child) for name, child in bot.children().items()} == wanted, "edits are put right")

    for name, child in bot.children().items():
        if child["kind"] != "Secret":  # its pepper would be another
            bot.api.delete(child["kind"], bot.namespace, name.split()[1])
    wait_for(lambda: {name: _kept(child) for name, child in bot.children().items()} == wanted, "children are made anew")


def _kept(child: dict[str, Any]) -> dict[str, Any]:
    """What the operator decides of a child."""
    spec = dict(child.get("spec") or {})
    for given in ("clusterIP", "clusterIPs"):
        spec.pop(given, None)
    labels = child["metadata"]["labels"]
    return {"labels": labels, "spec": spec, **{k: child.get(k) for k in ("data", "automountServiceAccountToken")}}


def test_the_pepper_is_kept_and_the_stores_url_put_right(make_bot: MakeBot, store_url: str) -> None:
    bot = make_bot()
    first = bot.the("Secret", "gptbot")["data"]
    url = base64.b64decode(first["store-url"]).decode()
    assert url.startswith(f"redis://gptbot%3A2%3A{bot.namespace}%2Fbot:"), "its own login"
    assert url.rpartition("@")[2] == store_url.rpartition("@")[2], "in the shared store"
    assert len(base64.b64decode(first["pepper"])) >= 32
    bot.wait_settled()
    bot.api.patch("Secret", bot.namespace, "bot-gptbot", {"data": {"store-url": "eA=="}})
    wait_for(lambda: bot.the("Secret", "gptbot")["data"] == first, "the URL is put right, the pepper as it was")


def test_what_is_no_longer_wanted_is_pruned(make_bot: MakeBot) -> None:
    bot = make_bot(platforms={"web": {}, **TELEGRAM})
    bot.the("HorizontalPodAutoscaler", "worker")
    bot.edit(workers={"maxReplicas": 0}, platforms={"web": {"enabled": False}})
    wait_for(
        lambda: set(bot.children()) == {
            "ConfigMap bot-gptbot", "Secret bot-gptbot", "ServiceAccount bot-gptbot", "Deployment bot-gateway",
            "NetworkPolicy bot-gptbot",
        },
        "workers, autoscaler and Service are gone",
    )  # fmt: skip
    assert "answers alone" in bot.wait_condition("ScalingActive", "False", "NoWorkers")
    bot.edit(workers={"maxReplicas": 5}, platforms={"web": {"enabled": True}})
    bot.the("HorizontalPodAutoscaler", "worker")
    bot.the("Service", "web")


def test_a_child_of_somebody_else_is_left_alone(make_bot: MakeBot, plane: Any, namespace: str) -> None:
    foreign = {"metadata": {"name": "bot-web", "namespace": namespace}, "spec": {"ports": [{"port": 1234}]}}
    made = plane.api.create({"apiVersion": "v1", "kind": "Service"} | foreign)
    bot = make_bot()
    message = bot.wait_condition("Ready", "False", "NameConflict")
    assert message == "Service bot-web exists and does not belong to this GptBot; delete or rename one of the two"
    bot.the("HorizontalPodAutoscaler", "worker")
    assert bot.the("Service", "web")["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]

    bot.edit(workers={"maxReplicas": 0}, platforms={"web": None, **TELEGRAM})
    wait_for(lambda: bot.child("Deployment", "worker") is None, "pruning")
    bot.wait_settled()
    assert bot.the("Service", "web")["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]

    bot.edit(platforms={"web": {}})
    bot.wait_condition("Ready", "False", "NameConflict")
    bot.api.delete("Service", namespace, "bot-web")
    wait_for(lambda: "Service bot-web" in bot.children(), "its own Service, once the name is free", 60)


def test_what_the_api_server_refuses_is_told_and_the_rest_is_made(make_bot: MakeBot) -> None:
    bot = make_bot(podTemplate={"spec": {"containers": [{"name": "gptbot", "imagePullPolicy": "Sometimes"}]}})
    message = bot.wait_condition("Ready", "False", "ApplyFailed")
    assert "Deployment bot-gateway" in message
    assert 'imagePullPolicy: Unsupported value: "Sometimes"' in message
    bot.the("HorizontalPodAutoscaler", "worker")
    bot.edit(podTemplate={"spec": {"container": []}})
    wait_for(lambda: "spec.container: field not declared" in bot.conditions()["Ready"][2], "the other fault")
    bot.edit(podTemplate=None)
    bot.the("Deployment", "gateway")
    bot.wait_condition("Ready", "False", "GatewayUnavailable")


def test_at_rest_nothing_is_written(make_bot: MakeBot, operator: OperatorProcess) -> None:
    bot = make_bot(workers={"minReplicas": 2, "maxReplicas": 4})
    wait_for(lambda: bot.child("Deployment", "worker") and bot.replicas() == 2, "the autoscaler's least")
    bot.run_pods()
    bot.wait_condition("Ready", "False", "PlatformsDisconnected")
    bot.wait_settled()

    def versions() -> dict[str, str]:
        # The autoscaler's own status changes with each of its looks: there the generation counts.
        every = bot.children() | {"bot": bot.document}
        return {
            name: str(child["metadata"]["generation" if "Autoscaler" in name else "resourceVersion"])
            for name, child in every.items()
        }

    wait_for(lambda: _same_for_some_looks(versions, bot, operator), "no writes any more")


def _same_for_some_looks(versions: Callable[[], dict[str, str]], bot: Bot, operator: OperatorProcess) -> bool:
    before = versions()
    operator.looks_at(bot, count=5)
    return versions() == before
