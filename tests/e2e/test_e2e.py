"""From `helm install` to answers in chats, and back to nothing. The tests tell one story, in this order."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e import bots as made
from tests.e2e import cluster, plugin
from tests.e2e.cluster import Object
from tests.e2e.conftest import CRD, Release
from tests.e2e.fakes import API_KEYS, DISCORD_TOKEN, TELEGRAM_TOKEN, Fakes, ScriptedModel, on_both
from tests.fakes.telegram.remote import RemoteTelegram
from tests.platforms.web.conftest import after, make_browser
from tests.platforms.web.sse import Event, events

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("release")]

DEMO, SHOP = "demo", "appliance-store"
ADA = 11
FIRST, SECOND = "Which fridge is good for a family of four?", "And how loud is that one"
CUT = "The answer was cut off here"


@pytest.fixture(scope="module")
def shop(bots: str, fakes_in_cluster: Fakes) -> list[Object]:
    """The bot of examples/both.yaml, which talks to the fakes and is answered by the embedded model."""
    documents = made.example("both")
    made.change(
        documents,
        "GptBot",
        platforms={
            platform: {
                "tokenSecretRef": {"name": SHOP, "key": f"{platform}-token"},
                "apiBaseUrl": fakes_in_cluster.inside(platform) + path,
            }
            for platform, path in (("telegram", ""), ("discord", "/api/v10"))
        },
    )
    made.change(documents, "GptBot", llm={"embedded": {}, "parameters": {"max_tokens": 40}})
    secrets = {"telegram_token": TELEGRAM_TOKEN, "discord_token": DISCORD_TOKEN, "openai_key": API_KEYS[0]}
    made.change(documents, "Secret", **secrets)
    cluster.apply(bots, documents)
    made.wait_until_ready(bots, SHOP)
    return documents


async def test_the_example_of_the_readme_answers_on_its_web_page(bots: str) -> None:
    cluster.apply(bots, made.example(DEMO))
    made.wait_until_ready(bots, DEMO)
    assert {f"Deployment/{DEMO}-gateway", f"Deployment/{DEMO}-worker", f"Service/{DEMO}-web"} <= made.children(
        bots, DEMO
    )
    with cluster.forwarded(bots, f"service/{DEMO}-web", 80) as url:
        async with make_browser() as browser:
            page = f"{url}/"
            html = await browser.load(page)
            assert "A small bot" in html
            async with events(browser.http, page, after(html)) as stream:
                await browser.say(page, "Say hello to me.")
                answer = await stream.until(_answer_of_bot)
                written = [event.name for event in stream.seen]
            assert len(_words(answer.data["html"])) > len(["A", "small", "bot"]), answer.data
            assert len(written) > 3, f"the answer is shown while it is written: {written}"
            again = await browser.load(page)
            assert "Say hello to me." in again, "a reload keeps the conversation"
            assert 'class="message bot"' in again


async def test_one_conversation_goes_on_with_another_model_in_other_pods(
    bots: str, shop: list[Object], fakes_in_cluster: Fakes
) -> None:
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    async with on_both(fakes_in_cluster, ADA) as both:
        telegram, discord, person, channel = both.telegram, both.discord, both.person, both.channel

        before = len(await model.requests())
        await telegram.say(ADA, ADA, FIRST)
        await discord.say(channel, person, FIRST, mention=True)
        # Messages of a conversation are answered in order: with the command's answer, the first one is complete.
        await telegram.say(ADA, ADA, "!help")
        await discord.say(channel, person, "!help", mention=True)
        await telegram.wait_for_messages(ADA, contains="/reset", timeout=240)
        on_telegram = [message.text for message in await telegram.messages(ADA, from_bot=True)]
        on_discord = [each["content"] for each in await discord.wait_for_answers(channel, 2, timeout=240)]
        assert len(on_telegram) >= 2, on_telegram
        assert len(await model.requests()) == before, "the embedded model answered"

        old = made.pods(bots, SHOP)
        llm = {
            "baseUrl": fakes_in_cluster.inside("openai") + "/v1", "model": "scripted",
            "apiKeySecretRef": {"name": SHOP, "key": "openai-key"},
        }  # fmt: skip
        made.change(shop, "GptBot", llm=llm)
        cluster.apply(bots, shop)
        cluster.wait_until("a changed model rolls the pods", lambda: not old & made.pods(bots, SHOP), 240)
        made.wait_until_ready(bots, SHOP)

        await model.say("Not louder than a whisper.", match=f"{SECOND}?")
        await telegram.say(ADA, ADA, f"{SECOND}?")
        try:
            await telegram.wait_for_messages(ADA, contains="Not louder than a whisper.", timeout=120)
        except TimeoutError:
            said = [(message.from_bot, message.text) for message in await telegram.messages(ADA)]
            calls = [(call.method, call.status, call.error) for call in (await telegram.calls())[-40:]]
            raise AssertionError(f"said: {said}\ncalls: {calls}\nmodel: {await model.requests()}") from None
        _carries(await model.requests(), on_telegram[0])

        since = (await discord.messages(channel))[-1]["id"]
        await model.say("As quiet as a library.", match=f"{SECOND}, in the kitchen?")
        await discord.say(channel, person, f"{SECOND}, in the kitchen?", mention=True)
        (answer,) = await discord.wait_for_answers(channel, 1, since=since, timeout=120)
        assert answer["content"] == "As quiet as a library."
        _carries(await model.requests(), on_discord[0])


async def test_a_changed_secret_rolls_the_pods_and_is_used(
    bots: str, shop: list[Object], fakes_in_cluster: Fakes
) -> None:
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    old = made.pods(bots, SHOP)
    await model.take_keys(API_KEYS[1])
    made.change(shop, "Secret", openai_key=API_KEYS[1])
    cluster.apply(bots, shop)
    cluster.wait_until("a changed Secret rolls the pods", lambda: not old & made.pods(bots, SHOP), 240)
    made.wait_until_ready(bots, SHOP)
    async with RemoteTelegram(fakes_in_cluster.here["telegram"]) as telegram:
        await model.say("With the new key.", match="still there")
        await telegram.say(ADA, ADA, "Are you still there?")
        await telegram.wait_for_messages(ADA, contains="With the new key.", timeout=120)


async def test_kubectl_gptbot_shows_it_asks_it_and_finds_nothing_wrong(
    bots: str, shop: list[Object], fakes_in_cluster: Fakes
) -> None:
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    await model.say("By way of the cluster.", match="from a terminal")
    assert plugin.printed(bots, "chat", SHOP, "A question from a terminal") == "By way of the cluster.\n"
    assert plugin.printed(bots, "dead", SHOP, "list") == "There are no dead letters.\n"
    assert "connected" in plugin.printed(bots, "logs", SHOP, "--role", "gateway", "--tail=-1")
    status = plugin.printed(bots, "status", SHOP)
    assert "Answering" in status, status
    assert "1 of 1 new, 1 ready, 1 in all" in status, status

    def wrong() -> list[Object]:
        # A cluster may have no metrics of pods: that is found too, and is not what is tested here.
        report = json.loads(plugin.gptbot(bots, "doctor", SHOP, "--output", "json").stdout)
        every = [each for found in report.values() for each in found]
        assert len(every) > 12, every
        return [each for each in every if each["level"] == "wrong" and "metrics" not in each["what"]]

    try:
        cluster.wait_until("the doctor finds nothing wrong", lambda: not wrong(), 120)
    except AssertionError as error:
        raise AssertionError(f"{error}: {wrong()}") from None


async def test_an_upgrade_keeps_the_password_and_the_conversations(
    bots: str, release: Release, shop: list[Object], fakes_in_cluster: Fakes
) -> None:
    def store() -> Object:
        return cluster.get("--namespace", release.namespace, "pod", f"{release.name}-gptbot-store-0")

    password, pod = made.secret(release.namespace, f"{release.name}-gptbot-store"), store()
    release.helm("upgrade", "--set", "operator.logLevel=DEBUG", "--wait")
    assert made.secret(release.namespace, f"{release.name}-gptbot-store") == password
    assert store()["metadata"]["uid"] == pod["metadata"]["uid"], "nothing of the store changed, so it keeps running"
    made.wait_until_ready(bots, SHOP)
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    async with RemoteTelegram(fakes_in_cluster.here["telegram"]) as telegram:
        await model.say("A fridge, of course.", match="talk about")
        await telegram.say(ADA, ADA, "What did we talk about?")
        await telegram.wait_for_messages(ADA, contains="A fridge, of course.", timeout=120)
    assert any(message["content"] == FIRST for message in (await model.requests())[-1]["messages"])


def test_a_deleted_bot_takes_its_children_along(bots: str, shop: list[Object]) -> None:
    assert made.children(bots, SHOP) > {
        f"Deployment/{SHOP}-gateway", f"Deployment/{SHOP}-worker", f"HorizontalPodAutoscaler/{SHOP}-worker",
        f"ConfigMap/{SHOP}-gptbot", f"Secret/{SHOP}-gptbot", f"ServiceAccount/{SHOP}-gptbot",
    }  # fmt: skip
    cluster.kubectl("--namespace", bots, "delete", "gptbot", SHOP, "--timeout=60s")
    cluster.wait_until("the bot's children are gone", lambda: not made.children(bots, SHOP), 120)
    assert made.children(bots, DEMO), "the other bot's are not"
    assert cluster.get("--namespace", bots, "secret", SHOP), "nor is the user's own Secret"


def test_an_uninstall_completes_and_leaves_the_bots(bots: str, release: Release) -> None:
    release.helm("uninstall", "--wait")
    names = "deployments,statefulsets,pods,services,secrets,configmaps,serviceaccounts,roles,rolebindings"
    selector = f"app.kubernetes.io/instance={release.name}"
    gone = lambda: not cluster.items("--namespace", release.namespace, names, "--selector", selector)  # noqa: E731
    cluster.wait_until("nothing of the release is left", gone, 120)
    assert not cluster.items("clusterroles,clusterrolebindings", "--selector", selector)
    assert cluster.get("crd", CRD), "the CRD stays, and with it every GptBot"
    assert made.pods(bots, DEMO), "bots go on without the operator"
    cluster.kubectl("--namespace", bots, "delete", "gptbot", DEMO, "--timeout=60s")
    cluster.wait_until("a bot can be deleted without the operator", lambda: not made.children(bots, DEMO), 120)


def _answer_of_bot(event: Event) -> bool:
    return event.name == "message" and 'class="message bot"' in event.data["html"]


def _carries(requests: list[Object], first_answer: str) -> None:
    """The last request holds the first question and its answer before the second question."""
    said = [(message["role"], message["content"]) for message in requests[-1]["messages"]]
    assert [role for role, _ in said] == ["system", "user", "assistant", "user"], said
    assert FIRST in said[1][1]
    assert SECOND in said[3][1]
    shown, _, _ = first_answer.partition(CUT)  # a note of the bot's, not the model's words
    assert _words(said[2][1]) == _words(shown), "what the model is told it said is what people read"


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z]+", re.sub(r"<[^>]*>", " ", text))
