"""The status: what the gateways report in the store, what Kubernetes says of the pods, and Events about it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gptbot.inbox.store import Store
from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for

MakeBot = Callable[..., Bot]
pytestmark = pytest.mark.usefixtures("operator")


async def report(store: Store, bot: Bot, platform: str, connected: bool, message: str = "") -> None:
    """What a gateway writes."""
    entry = json.dumps({"connected": connected, "message": message, "since": 0})
    await store.command("HSET", f"{{{bot.namespace}/{bot.name}}}:platforms", platform, entry)


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
    wait_for(lambda: bot.document["status"].get("workers") == {"ready": 1, "desired": 1}, "the workers in the status")
    assert bot.document["status"]["backlog"] == 3
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
