"""The status: what the gateways report in the store, what Kubernetes says of the pods, and Events about it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import pytest

from gptbot.inbox.store import Store
from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess

MakeBot = Callable[..., Bot]
pytestmark = pytest.mark.usefixtures("operator")


async def report(store: Store, bot: Bot, platform: str, connected: bool, message: str = "") -> None:
    """What a gateway writes, and a worker after its first answer."""
    entry = json.dumps({"connected": connected, "message": message, "since": 0})
    await store.command("HSET", f"{{{bot.namespace}/{bot.name}}}:platforms", platform, entry)
    await store.command("HSETNX", f"{{{bot.namespace}/{bot.name}}}:model", "spec.llm", outcome("ok"))


def outcome(kind: str, ago: int = 0) -> str:
    """What came of a request to the model, or of a probe, so many seconds ago."""
    return json.dumps({"outcome": kind, "at": int(time.time()) - ago, "mark": "x"})


async def test_ready_when_the_gateway_runs_and_a_platform_is_connected(
    make_bot: MakeBot, store: Store, plane: Plane
) -> None:
    bot = make_bot(platforms={"web": {}, "telegram": {"tokenSecretRef": {"name": "tokens", "key": "telegram"}}})
    bot.secret("tokens", telegram="hunter2")
    bot.wait_condition("StoreReachable", "True")
    bot.wait_condition("Ready", "False", "GatewayUnavailable")
    bot.run_pods()
    bot.wait_condition("Ready", "False", "PlatformsDisconnected")

    await report(store, bot, "web", True)
    await report(store, bot, "telegram", False, "Telegram refuses the token; get a new one from @BotFather")
    for number in range(3):
        await store.command("XADD", f"{{{bot.namespace}/{bot.name}}}:runnable", "*", "conversation", str(number))
    message = bot.wait_condition("Ready", "True", "PartlyConnected")
    assert message == "telegram: Telegram refuses the token; get a new one from @BotFather"
    bot.wait_condition("PlatformsConnected", "False", "Disconnected")
    wait_for(
        lambda: bot.document["status"].get("workers") == {"ready": 1, "desired": 1, "replicas": 1},
        "the workers in the status",
    )
    wait_for(lambda: bot.document["status"].get("backlog") == 3, "the backlog in the status")
    [row] = plane.kubectl("-n", bot.namespace, "get", "gb", "--no-headers").stdout.splitlines()
    assert row.split()[:5] == ["bot", "True", "telegram,web", "1", "3"]

    await report(store, bot, "telegram", True)
    bot.wait_condition("PlatformsConnected", "True", "Connected")
    bot.wait_condition("Ready", "True", "Answering")

    def told() -> bool:
        events = bot.api.list("Event", bot.namespace)
        reasons = {e["reason"] for e in events if e["regarding"]["kind"] == "GptBot"}
        return {"GatewayUnavailable", "PlatformsDisconnected", "PartlyConnected", "Answering"} <= reasons

    wait_for(told, "Events")
    assert "PartlyConnected" in plane.kubectl("-n", bot.namespace, "describe", "gptbot", "bot").stdout


async def test_a_bot_with_a_store_of_its_own(make_bot: MakeBot, store_url: str, store: Store) -> None:
    bot = make_bot(store={"urlSecretRef": {"name": "store", "key": "url"}})
    bot.wait_condition("StoreReachable", "False", "SecretMissing")
    assert "store-url" not in bot.the("Secret", "gptbot")["data"]
    bot.secret("store", url="redis://:hunter2@127.0.0.1:1/0")
    assert "hunter2" not in bot.wait_condition("StoreReachable", "False", "Unreachable")
    await store.command("XADD", f"{{{bot.namespace}/bot}}:runnable", "*", "conversation", "x")
    bot.secret("store", url=store_url)
    bot.wait_condition("StoreReachable", "True", "Reachable")
    wait_for(lambda: bot.document["status"].get("backlog") == 1, "the backlog of that store")
    bot.secret("store", url="not a url")
    bot.wait_condition("StoreReachable", "False", "InvalidURL")


async def test_what_the_model_says_is_told(make_bot: MakeBot, store: Store) -> None:
    bot = make_bot()
    bot.hashes()  # both Deployments are there
    bot.run_pods()
    bot.wait_condition("ModelReachable", "Unknown", "NotAskedYet")
    key = f"{{{bot.namespace}/{bot.name}}}:model"
    await store.command("HSET", key, "probe spec.llm", outcome("unreachable", ago=100))
    await report(store, bot, "web", True)
    await store.command("HDEL", key, "spec.llm")
    bot.wait_condition("Ready", "False", "Unreachable")
    await store.command("HSET", key, "probe spec.llm", outcome("ok", ago=90))
    bot.wait_condition("Ready", "True", "NotAskedYet")
    await store.command("HSET", key, "spec.llm", outcome("overloaded", ago=80))
    bot.wait_condition("Ready", "False", "Overloaded")
    await store.command("HSET", key, "probe spec.llm", outcome("ok", ago=20))
    bot.wait_condition("Ready", "True", "Recovered")
    await store.command("HSET", key, "spec.llm", outcome("quota", ago=10))
    bot.wait_condition("ModelReachable", "False", "QuotaSpent")
    assert "out of money" in bot.wait_condition("Ready", "False", "QuotaSpent")
    await store.command("HSET", key, "spec.llm", outcome("ok"))
    bot.wait_condition("ModelReachable", "True", "Answering")
    bot.wait_condition("Ready", "True", "Answering")


def test_a_rollout_and_why_it_is_stuck(make_bot: MakeBot) -> None:
    bot = make_bot()
    bot.wait_condition("Progressing", "True", "RollingOut")
    bot.hashes()  # both Deployments are there
    bot.run_pods()
    bot.wait_condition("Progressing", "False", "Complete")

    bot.edit(podTemplate={"metadata": {"labels": {"team": "store"}}})
    bot.wait_condition("Progressing", "True", "RollingOut")
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}

    def cannot_pull() -> bool:
        """What a kubelet says of the pods of the new template."""
        pods = [p for p in bot.api.list("Pod", bot.namespace) if p["metadata"]["labels"].get("team") == "store"]
        for pod in pods:
            status = {"name": "gptbot", "image": "gptbot:test", "imageID": "", "ready": False, "restartCount": 0}
            change = {"status": {"containerStatuses": [status | {"state": waiting}]}}
            bot.api.patch_if_there("Pod", bot.namespace, pod["metadata"]["name"], change, subresource="status")
        return len(pods) >= 2

    wait_for(cannot_pull, "pods of the new template")
    message = bot.wait_condition("Progressing", "False", "ImagePullBackOff")
    assert "container gptbot cannot be started (image gptbot:test)" in message
    bot.run_pods()
    bot.wait_condition("Progressing", "False", "Complete")


async def test_two_bots_with_one_token_are_both_told(
    make_bot: MakeBot, plane: Plane, namespace: str, store: Store
) -> None:
    telegram = {"telegram": {"tokenSecretRef": {"name": "tokens", "key": "telegram"}}}
    one, two = make_bot("one", platforms=telegram), make_bot("two", platforms={**telegram, "web": {}})
    one.secret("tokens", telegram="1:hunter2")
    for bot in (one, two):
        bot.hashes()
    one.run_pods()
    await report(store, one, "telegram", True)
    for bot, other in ((one, two), (two, one)):
        message = bot.wait_condition("PlatformsConnected", "False", "DuplicateToken")
        assert f"telegram: {namespace}/{other.name} has the same token" in message
        assert "hunter2" not in str(bot.document)
    two.edit(platforms={"telegram": {"tokenSecretRef": {"key": "another"}}})
    one.wait_condition("PlatformsConnected", "True", "Connected")
    plane.kubectl("-n", namespace, "wait", "--for=condition=PlatformsConnected", "gptbot/one", "--timeout=30s")


async def test_kubectl_waits_for_a_bot_and_a_look_without_news_writes_nothing(
    make_bot: MakeBot, store: Store, plane: Plane, operator: OperatorProcess
) -> None:
    bot = make_bot()
    bot.hashes()
    bot.run_pods()
    await report(store, bot, "web", True)
    plane.kubectl("-n", bot.namespace, "wait", "--for=condition=Ready", "gptbot/bot", "--timeout=60s")
    bot.wait_condition("Progressing", "False", "Complete")

    def version() -> str:
        return bot.document["metadata"]["resourceVersion"]

    async def looks(count: int) -> None:
        """Several looks, each after the gateway has renewed its report, with other times in it."""
        before = operator.metric("gptbot_operator_reconciles_total")
        number = 0
        while operator.metric("gptbot_operator_reconciles_total") < before + count:
            number += 1
            entry = json.dumps({"connected": True, "since": 1_000_000 + number, "at": time.time()})
            await store.command("HSET", f"{{{bot.namespace}/{bot.name}}}:platforms", "web", entry)
            await asyncio.sleep(0.05)

    await looks(10)  # what was still under way has come
    settled = version()
    events = len(bot.api.list("Event", bot.namespace))
    await looks(40)
    assert version() == settled
    assert len(bot.api.list("Event", bot.namespace)) == events


def test_an_embedded_model_that_is_not_installed(make_bot: MakeBot) -> None:
    bot = make_bot(llm={"embedded": {}})
    assert "GPTBOT_MODEL_URL" in bot.wait_condition("Ready", "False", "NoEmbeddedModel")


def test_times_and_generation(make_bot: MakeBot) -> None:
    bot = make_bot()
    bot.wait_settled()
    bot.edit(suspend=True)
    bot.wait_condition("Ready", "False", "Suspended")
    status = bot.document["status"]
    assert status["observedGeneration"] == bot.document["metadata"]["generation"] == 2
    assert {c["observedGeneration"] for c in status["conditions"]} == {2}
