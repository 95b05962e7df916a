"""The status: what the gateways report in the store, what Kubernetes says of the pods, and Events about it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import datetime

import pytest

from gptbot.inbox.store import Store
from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess

MakeBot = Callable[..., Bot]
GRACE = 2.0
"""Seconds before the operator tells of a trouble: four of its looks."""
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
    wait_for(lambda: ("Warning", "Disconnected") in events(bot), "a trouble that lasts is told")
    wait_for(
        lambda: bot.document["status"].get("workers") == {"ready": 1, "desired": 1, "replicas": 1},
        "the workers in the status",
    )
    wait_for(lambda: bot.document["status"].get("backlog") == 3, "the backlog in the status")
    [row] = plane.kubectl("-n", bot.namespace, "get", "gb", "--no-headers").stdout.splitlines()
    assert row.split()[:6] == ["bot", "True", "PartlyConnected", "web", "1", "3"]
    header, row = plane.kubectl("-n", bot.namespace, "get", "gb", "-o", "wide").stdout.splitlines()
    names = header.split()
    places = [header.index(name) for name in names] + [len(row)]
    shown = {name: row[first:last].strip() for name, first, last in zip(names, places[:-1], places[1:], strict=True)}
    assert shown | {"MODEL": "Answering", "STORE": "Reachable", "GATEWAY": "1", "WORKERS": "1"} == shown
    assert row[header.index("MESSAGE") :].strip() == message

    await report(store, bot, "telegram", True)
    bot.wait_condition("PlatformsConnected", "True", "Connected")
    bot.wait_condition("Ready", "True", "Answering")

    def told() -> bool:
        reasons = {reason for _, reason in events(bot)}
        return {"Disconnected", "PartlyConnected", "Answering"} <= reasons

    wait_for(told, "Events")
    assert "PartlyConnected" in plane.kubectl("-n", bot.namespace, "describe", "gptbot", "bot").stdout


def events(bot: Bot) -> list[tuple[str, str]]:
    """Type and reason of the Events of a bot."""
    found = bot.api.list("Event", bot.namespace)
    return [
        (e["type"], e["reason"])
        for e in found
        if (e["regarding"]["kind"], e["regarding"]["name"]) == ("GptBot", bot.name)
    ]


def lasts(bot: Bot, condition: str, seconds: float) -> bool:
    """Whether a condition has been what it is for so long."""
    found = next(c for c in bot.document["status"]["conditions"] if c["type"] == condition)
    since = datetime.fromisoformat(found["lastTransitionTime"]).timestamp()
    return time.time() - since >= seconds


async def test_a_normal_first_start_warns_of_nothing_and_a_failed_one_does(make_bot: MakeBot, store: Store) -> None:
    bot, broken = make_bot(), make_bot("broken", podTemplate={"metadata": {"labels": {"team": "broken"}}})
    for each in (bot, broken):
        each.wait_condition("Ready", "False", "GatewayUnavailable")
    wait_for(lambda: lasts(bot, "Ready", 5 * GRACE), "the image is pulled")
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    name = f"{broken.name}-"

    def cannot_pull() -> bool:
        """What a kubelet says of the pods of the broken one, while those of the other run."""
        for pod in bot.api.list("Pod", bot.namespace):
            if pod["metadata"]["name"].startswith(name):
                state = {"name": "gptbot", "image": "gptbot:test", "imageID": "", "ready": False, "restartCount": 0}
                status = {"containerStatuses": [state | {"state": waiting}]}
            else:
                status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
            change = {"status": status}
            bot.api.patch_if_there("Pod", bot.namespace, pod["metadata"]["name"], change, subresource="status")
        return (
            broken.conditions()["Progressing"][1] == "ImagePullBackOff"
            and bot.conditions()["Progressing"][1] == "Complete"
        )

    await report(store, bot, "web", True)  # as a gateway does before it is ready
    wait_for(cannot_pull, "pods", 60)
    bot.wait_condition("Ready", "True", "Answering")
    wait_for(
        lambda: {("Warning", "ImagePullBackOff"), ("Warning", "GatewayUnavailable")} <= set(events(broken)), "a Warning"
    )
    wait_for(lambda: ("Normal", "Answering") in events(bot), "the end of the start is told")
    assert [event for event in events(bot) if event[0] == "Warning"] == []


async def test_prometheus_is_told_of_the_conditions_of_each_bot(
    make_bot: MakeBot, store: Store, operator: OperatorProcess
) -> None:
    bot = make_bot()

    def value(condition: str, status: str) -> float | None:
        labels = f'bot="bot",condition="{condition}",namespace="{bot.namespace}",status="{status}"'
        line = next((x for x in operator.metrics() if x.startswith(f"gptbot_bot_condition{{{labels}}} ")), None)
        return None if line is None else float(line.rsplit(" ", 1)[1])

    wait_for(lambda: value("Ready", "false") == 1, "the condition")
    assert (value("Ready", "true"), value("Ready", "unknown")) == (0, 0)
    bot.hashes()
    bot.run_pods()
    await report(store, bot, "web", True)
    wait_for(lambda: value("Ready", "true") == 1, "the condition")
    assert (value("Ready", "false"), value("Ready", "unknown")) == (0, 0)
    about = [x for x in operator.metrics() if x.startswith("gptbot_bot_info") and f'namespace="{bot.namespace}"' in x]
    labels = f'bot="bot",image="gptbot:test",namespace="{bot.namespace}",suspended="false",version="test"'
    assert about == [f"gptbot_bot_info{{{labels}}} 1.0"]
    bot.api.delete("GptBot", bot.namespace, bot.name)
    wait_for(
        lambda: not [x for x in operator.metrics() if f'namespace="{bot.namespace}"' in x], "its metrics go with it"
    )


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
        since = operator.log.stat().st_size
        number = 0
        while operator.looked(bot, since) <= count:
            number += 1
            entry = json.dumps({"connected": True, "since": 1_000_000 + number, "at": time.time()})
            await store.command("HSET", f"{{{bot.namespace}/{bot.name}}}:platforms", "web", entry)
            await asyncio.sleep(0.05)

    await looks(3)  # what was still under way has come
    settled = version()
    told = len(bot.api.list("Event", bot.namespace))
    await looks(6)
    assert version() == settled
    assert len(bot.api.list("Event", bot.namespace)) == told


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
