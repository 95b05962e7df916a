"""What a cluster does to pods while people talk to a bot: nothing that was asked stays without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import suppress

import pytest

from gptbot.inbox.wire import Refused, StoreUnavailable
from tests.e2e import bots as made
from tests.e2e import cluster, store
from tests.e2e.cluster import Object
from tests.e2e.conftest import Release
from tests.e2e.fakes import API_KEYS, Fakes, ScriptedModel
from tests.e2e.traffic import traffic
from tests.fakes.telegram.remote import RemoteTelegram

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("release")]

MILL = "mill"
MOST_WORKERS = 3
LAST = 600


@pytest.fixture(scope="module")
def mill(bots: str, fakes_in_cluster: Fakes) -> Generator[list[Object]]:
    """A bot whose workers alone answer."""
    documents = made.on_telegram(MILL, fakes_in_cluster)
    cluster.apply(bots, documents)
    made.wait_until_ready(bots, MILL)
    yield documents
    asyncio.run(ScriptedModel(fakes_in_cluster.here["openai"]).take_keys(API_KEYS[0]))


async def test_a_secret_is_replaced_under_load(bots: str, mill: list[Object], fakes_in_cluster: Fakes) -> None:
    """Both keys are taken for a while, as where one makes a new key before the old one is withdrawn."""
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    old = made.pods(bots, MILL)
    await model.take_keys(*API_KEYS)
    async with traffic(fakes_in_cluster.here["telegram"], model, people=4) as people:
        await people.until(4)
        made.change(mill, "Secret", model=API_KEYS[1])
        cluster.apply(bots, mill)
        await cluster.meanwhile("a changed Secret rolls the pods", lambda: not old & made.pods(bots, MILL), 300)
        await model.take_keys(API_KEYS[1])
        await people.until(8)
    assert not people.doubled, people.doubled
    made.wait_until_ready(bots, MILL)


async def test_workers_are_killed(bots: str, mill: list[Object], fakes_in_cluster: Fakes) -> None:
    """All at once, without a moment to end what they do, as where their node goes."""
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    async with traffic(fakes_in_cluster.here["telegram"], model, people=6) as people:
        await people.until(6)
        before = _workers(bots)
        assert before
        await asyncio.to_thread(cluster.kill, bots, before)
        await people.until(12)
        assert not before & _workers(bots)
    assert len(people.doubled) <= 6, "an answer that was sent and not yet noted may come twice, no other"


async def test_the_operator_is_killed_while_the_autoscaler_scales(
    bots: str, mill: list[Object], release: Release, fakes_in_cluster: Fakes
) -> None:
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    workers = {
        "minReplicas": 1, "maxReplicas": MOST_WORKERS,
        "resources": {"requests": {"cpu": "5m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
    }  # fmt: skip
    made.change(mill, "GptBot", workers=workers)
    cluster.apply(bots, mill)
    seen: list[int] = []

    def replicas() -> int:
        seen.append(cluster.get("--namespace", bots, "deployment", f"{MILL}-worker")["spec"]["replicas"])
        return seen[-1]

    async with traffic(fakes_in_cluster.here["telegram"], model, people=10) as people:
        await cluster.meanwhile("the autoscaler scales", lambda: replicas() > 1, 300)
        operators = {pod["metadata"]["name"] for pod in cluster.items(*_operator(release))}
        await asyncio.to_thread(cluster.kill, release.namespace, operators)
        await cluster.meanwhile("the autoscaler has all it wants", lambda: replicas() == MOST_WORKERS, 300)
        await cluster.meanwhile("another operator is there", lambda: _others_ready(release, operators), 180)
        made.change(mill, "GptBot", workers=workers | {"concurrency": 150})
        cluster.apply(bots, mill)  # it has something to do with the Deployment that the autoscaler scales
        await asyncio.to_thread(made.wait_until_ready, bots, MILL)
        await people.until(10)
        replicas()
    assert seen == sorted(seen), "nobody but the autoscaler sets the replicas"
    assert not people.doubled, people.doubled


async def test_a_store_that_something_keeps_busy_is_started_again(
    bots: str, mill: list[Object], release: Release, fakes_in_cluster: Fakes
) -> None:
    """A bot's login cannot keep it busy, whoever takes it; a script of its owner's does, and the kubelet ends that."""
    login = made.secret(bots, f"{MILL}-gptbot")["store-url"]
    async with store.of_release(release.name, release.namespace, login) as stolen:
        for command in (("EVAL", "while true do end", "0"), ("SCRIPT", "LOAD", "return 1"), ("FUNCTION", "LIST")):
            with pytest.raises(Refused, match="rights"):
                await stolen.command(*command)
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    restarts = _restarts(release)
    async with traffic(fakes_in_cluster.here["telegram"], model, people=4) as people:
        await people.until(4)
        async with store.of_release(release.name, release.namespace) as owner:
            with suppress(StoreUnavailable, OSError, TimeoutError):
                async with asyncio.timeout(10):
                    await owner.command("EVAL", "while true do end", "0")
        await cluster.meanwhile("the bot says that its store is busy", lambda: _store_reason(bots) == "Busy", 60)
        await cluster.meanwhile("the store is started again", lambda: _restarts(release) > restarts, 120)
        await people.until(8)
    assert len(people.doubled) <= 4, "an answer that was sent and not yet noted may come twice, no other"
    made.wait_until_ready(bots, MILL)


async def test_a_bot_is_deleted_in_the_middle_of_an_answer(
    bots: str, mill: list[Object], release: Release, fakes_in_cluster: Fakes
) -> None:
    """It is given to the end, and then nothing of the bot is left in the store."""
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    answer = " ".join(f"word-{number}" for number in range(120))
    async with RemoteTelegram(fakes_in_cluster.here["telegram"]) as telegram:
        await telegram.add_user(LAST)
        await model.say(answer, match="The last question?", tokens_per_second=10)
        await telegram.say(LAST, LAST, "The last question?")
        await telegram.wait_for_messages(LAST, contains="word-5", timeout=120)
        cluster.kubectl("--namespace", bots, "delete", "gptbot", MILL, "--timeout=60s")
        await telegram.wait_for_messages(LAST, contains="word-119", timeout=60)
    await cluster.meanwhile("its pods are gone", lambda: not made.pods(bots, MILL), 120)

    await store.wait_until_nothing_is_left(release.name, release.namespace, f"{bots}/{MILL}")


def _workers(namespace: str) -> set[str]:
    return {name for name in made.pods(namespace, MILL) if "-worker-" in name}


def _store_reason(namespace: str) -> str:
    status = cluster.get("--namespace", namespace, "gptbot", MILL)["status"]
    return next(each["reason"] for each in status["conditions"] if each["type"] == "StoreReachable")


def _restarts(release: Release) -> int:
    pod = cluster.get("--namespace", release.namespace, "pod", f"{release.name}-gptbot-store-0")
    return pod["status"]["containerStatuses"][0]["restartCount"]


def _operator(release: Release) -> tuple[str, ...]:
    selector = "app.kubernetes.io/part-of=gptbot,app.kubernetes.io/component=operator"
    return "--namespace", release.namespace, "pods", "--selector", selector


def _others_ready(release: Release, before: set[str]) -> bool:
    found = [pod for pod in cluster.items(*_operator(release)) if pod["metadata"]["name"] not in before]
    conditions = [each for pod in found for each in pod.get("status", {}).get("conditions", [])]
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
