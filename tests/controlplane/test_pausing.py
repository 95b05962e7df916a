"""A paused bot: its objects stay as they are, for repairs by hand, and the status goes on telling how it is."""

from __future__ import annotations

from collections.abc import Callable

from gptbot.inbox.store import Store
from gptbot_operator.refusals import FIRST_PAUSE
from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess

MakeBot = Callable[..., Bot]
PAUSED = "gptbot.dev/paused"


def annotate(bot: Bot, value: str | None) -> None:
    bot.api.patch("GptBot", bot.namespace, bot.name, {"metadata": {"annotations": {PAUSED: value}}})


async def test_nothing_is_changed_until_the_pause_is_over(
    make_bot: MakeBot, plane: Plane, operator: OperatorProcess, store: Store
) -> None:
    bot = make_bot()
    bot.hashes()
    bot.wait_settled()
    annotate(bot, "true")
    assert PAUSED in bot.wait_condition("Paused", "True", "Paused")
    plane.kubectl("-n", bot.namespace, "wait", "--for=condition=Paused", "gptbot/bot", "--timeout=30s")
    [row] = plane.kubectl("-n", bot.namespace, "get", "gb").stdout.splitlines()[1:]
    assert row.split()[-2] == "True", "the column PAUSED"

    bot.api.patch("Deployment", bot.namespace, "bot-gateway", {"spec": {"replicas": 0}})
    bot.api.delete("Service", bot.namespace, "bot-web")
    bot.edit(workers={"minReplicas": 3, "maxReplicas": 3}, gateway={"concurrency": 7})
    message = bot.wait_condition("Progressing", "False", "Paused")
    assert message == "generation 2 of the spec waits for the end of the pause; generation 1 was acted on last"
    await store.command("XADD", f"{{{bot.namespace}/bot}}:runnable", "*", "conversation", "x")
    wait_for(lambda: bot.document["status"].get("backlog") == 1, "the status goes on")
    assert bot.wait_condition("Ready", "False", "GatewayUnavailable") == "0 of 0 pods are ready"
    operator.looks_at(bot)
    assert bot.document["status"]["observedGeneration"] == 1
    assert bot.the("Deployment", "gateway")["spec"]["replicas"] == 0
    assert bot.child("Service", "web") is None
    assert bot.child("HorizontalPodAutoscaler", "worker") is not None
    version = bot.document["metadata"]["resourceVersion"]
    operator.looks_at(bot)
    assert bot.document["metadata"]["resourceVersion"] == version, "a look without news writes nothing"

    annotate(bot, None)
    wait_for(lambda: bot.the("Deployment", "gateway")["spec"]["replicas"] == 1, "the gateway is back")
    bot.the("Service", "web")
    wait_for(lambda: bot.replicas() == 3 and bot.child("HorizontalPodAutoscaler", "worker") is None, "the new spec")
    wait_for(lambda: bot.document["status"]["observedGeneration"] == 2, "the status is about it")
    assert "Paused" not in bot.conditions()


def test_a_pause_outlasts_the_operator_and_begins_before_the_first_object(
    plane: Plane, namespace: str, stopped: OperatorProcess
) -> None:
    bot = Bot(plane.api, namespace, "bot")
    document = {
        "apiVersion": "gptbot.dev/v1alpha1",
        "kind": "GptBot",
        "metadata": {"name": "bot", "namespace": namespace, "annotations": {PAUSED: "true"}},
        "spec": {"platforms": {"web": {}}, "llm": {"baseUrl": "http://model/v1", "model": "m"}},
    }
    plane.api.create(document)
    assert "nothing is made yet" in bot.wait_condition("Ready", "False", "Paused")
    assert not bot.children()
    stopped.stop()
    stopped.start()
    stopped.looks_at(bot)
    assert not bot.children()
    annotate(bot, "yes")
    assert "'yes'; only true pauses" in bot.wait_condition("Paused", "False", "InvalidValue")
    bot.the("Deployment", "gateway")
    wait_for(lambda: bot.document["status"]["observedGeneration"] == 1, "the spec is applied")


def test_a_paused_bot_is_deleted_as_any_other(make_bot: MakeBot, operator: OperatorProcess) -> None:
    bot, other = make_bot(), make_bot("other")
    bot.the("Deployment", "gateway")
    annotate(bot, "true")
    bot.wait_condition("Paused", "True")
    bot.api.delete("GptBot", bot.namespace, bot.name)
    wait_for(lambda: not bot.children(), "its objects are gone", 60)
    operator.looks_at(other)  # who is gone is looked at no more
    assert not bot.children()


def test_the_end_of_a_pause_tries_at_once_what_was_refused(
    make_bot: MakeBot, plane: Plane, namespace: str, operator: OperatorProcess
) -> None:
    plane.kubectl("-n", namespace, "create", "quota", "no-services", "--hard=count/services=0")
    bot = make_bot()

    def tries() -> list[float]:
        path = f"/namespaces/{namespace}/services/bot-web?"
        return [each.at for each in plane.audit() if path in each.path and (each.verb, each.status) == ("patch", 403)]

    wait_for(lambda: len(tries()) >= 5, "tries")
    waits = 0.8 * FIRST_PAUSE * 2**4
    before = tries()
    annotate(bot, "true")
    bot.wait_condition("Paused", "True")
    operator.looks_at(bot, count=1)
    assert tries() == before, "nothing is tried in a pause"
    annotate(bot, None)
    wait_for(lambda: len(tries()) > len(before), "another try", waits)
    assert tries()[len(before)] - before[-1] < waits
