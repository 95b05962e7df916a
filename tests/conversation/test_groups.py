"""What the model is told of groups, topics and threads: over the wire, from the platforms to the model."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import pytest

from gptbot.bot import Bot, endpoints
from gptbot.gateway import Gateway
from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from gptbot.worker import Worker
from gptbot_api import parse
from tests.fakes.discord import FakeDiscord
from tests.fakes.openai import FakeOpenAI, Recorded
from tests.fakes.telegram import FakeTelegram

ADA, BOB = 4711, 4712
GROUP, FORUM = -1009001, -1009002
NAME = re.compile(r"user-[1-9A-Za-z]{4}")


@dataclass
class World:
    """A bot at work on platforms, with a scripted model."""

    bot: Bot
    model: FakeOpenAI

    async def asked(self, text: str) -> Recorded:
        """The first request whose newest message ends so, once it was answered."""
        async with asyncio.timeout(20):
            while True:
                for request in self.model.requests:
                    if request.last_user_message.endswith(text) and request.outcome == "finished":
                        return request
                await asyncio.sleep(0.02)

    def nothing_of(self, *secrets: object) -> None:
        """No request to the model has any of these."""
        said = b"".join(orjson.dumps(request.body) for request in self.model.requests).decode()
        for secret in secrets:
            assert str(secret) not in said


@asynccontextmanager
async def world(store: Store, platforms: dict[str, Any], secrets: dict[str, str], **spec: Any) -> AsyncGenerator[World]:
    async with FakeOpenAI() as model, aiohttp.ClientSession() as http:
        name = f"b{uuid.uuid4().hex[:8]}"
        document = {
            "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": name, "namespace": "test"},
            "spec": {"platforms": platforms, "llm": {"baseUrl": model.base_url, "model": "gpt-test"},
                     "limits": {"perUser": {"messages": 100}}, **spec},
        }  # fmt: skip
        config = BotConfig(parse(document), secrets={("test", "bot"): secrets})
        none = ("http://127.0.0.1:1/v1", "none")
        bot = Bot.open(config, store, http, pepper="p" * 32, consumer=name, model=endpoints(config, lambda: none))
        work = [asyncio.create_task(Gateway(bot, name).run()), asyncio.create_task(Worker(bot, 4).run())]
        try:
            yield World(bot, model)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)


@asynccontextmanager
async def on_telegram(store: Store, **spec: Any) -> AsyncGenerator[tuple[World, FakeTelegram]]:
    async with FakeTelegram() as telegram:
        await telegram.add_user(ADA, "Ada Lovelace", username="ada_countess")
        await telegram.add_user(BOB, "Bob Builder")
        await telegram.add_group(GROUP, "Tea")
        await telegram.add_group(FORUM, "Forum", forum=True)
        settings = {"telegram": {"tokenSecretRef": {"name": "bot", "key": "t"}, "apiBaseUrl": telegram.url}}
        async with world(store, settings, {"t": telegram.token}, **spec) as running:
            yield running, telegram


def system(request: Recorded) -> str:
    [found] = [message["content"] for message in request.messages if message["role"] == "system"]
    return found


async def test_speakers_of_a_telegram_group_have_pseudonyms_and_no_names(store: Store) -> None:
    async with on_telegram(store) as (running, telegram):
        await telegram.say(GROUP, ADA, "@gptbot_test_bot is tea good?")
        first = await running.asked("is tea good?")
        await telegram.say(GROUP, BOB, "@gptbot_test_bot ask @Ada_Countess how hot")
        second = await running.asked("how hot")
        ada = NAME.match(first.last_user_message)
        bob = NAME.match(second.last_user_message)
        assert ada is not None
        assert bob is not None
        assert ada[0] != bob[0]
        assert second.last_user_message == f"{bob[0]}: ask @{ada[0]} how hot"
        assert second.messages[1]["content"] == f"{ada[0]}: is tea good?", "the context has the names too"
        assert "group chat" in system(second)
        await telegram.say(ADA, ADA, "and in private?")
        private = await running.asked("and in private?")
        assert private.last_user_message == "and in private?"
        assert "group chat" not in system(private)
        running.nothing_of("Ada", "Bob", "ada_countess", ADA, BOB, GROUP)


CODE = (
    "What does @dataclass do in Python?", "@media and @Override", "why @pytest.fixture(scope='module')",
    "npm install @types/node",
)  # fmt: skip


async def test_a_word_behind_an_at_is_nobody_unless_somebody_of_that_name_was_seen(store: Store) -> None:
    async with on_telegram(store) as (running, telegram):
        for number, said in enumerate(CODE):
            await telegram.say(ADA, ADA, said)
            assert (await running.asked(said)).last_user_message == said, "nobody is marked in private"
            await telegram.say(GROUP, ADA, f"@gptbot_test_bot {said}")
            inside = await running.asked(f": {said}")
            assert NAME.fullmatch(inside.last_user_message.removesuffix(f": {said}"))
            await telegram_answers(telegram, GROUP, number + 1)
        [message] = (await telegram.messages(GROUP, from_bot=True))[-1:]
        quote = {"quote": {"text": "@media", "position": 0, "entities": [
            {"type": "mention", "offset": 0, "length": 6}]}}  # fmt: skip
        await telegram.say(GROUP, BOB, "@gptbot_test_bot and that?", reply_to=message.id, extra=quote)
        assert "\n> @media\n" in (await running.asked("and that?")).last_user_message, "what the bot wrote"


@pytest.mark.parametrize("shows", ["writes", "is replied to", "joins", "is mentioned by name"])
async def test_whoever_was_seen_in_the_group_is_a_person(store: Store, shows: str) -> None:
    async with on_telegram(store) as (running, telegram):
        await telegram.set_privacy_mode(False)
        ada = telegram.world.users[ADA].api()
        await telegram.say(GROUP, BOB, "@gptbot_test_bot is @Ada_Countess here?")
        assert (await running.asked("here?")).last_user_message.endswith(": is @Ada_Countess here?")
        match shows:
            case "writes":
                await telegram.say(GROUP, ADA, "I talk to Bob")
            case "is replied to":
                theirs = telegram.world.store(telegram.world.chat(GROUP), telegram.world.users[ADA], "of old", [])
                await telegram.say(GROUP, BOB, "indeed", reply_to=theirs.id)
            case "joins":
                await telegram.say(GROUP, BOB, "", extra={"new_chat_members": [ada]})
            case _:
                mention = {"type": "text_mention", "offset": 3, "length": 3, "user": ada}
                await telegram.say(GROUP, BOB, "hi Ada", entities=[mention])
        await telegram.say(GROUP, BOB, "@gptbot_test_bot ask @Ada_Countess how hot")
        asked = (await running.asked("how hot")).last_user_message
        assert re.search(r": ask @user-\w{4} how hot$", asked), asked
        assert NAME.findall(asked)[0] != NAME.findall(asked)[1]
        await telegram.say(FORUM, BOB, "@gptbot_test_bot where is @ada_countess")
        assert (await running.asked("where is @ada_countess")).last_user_message, "another group has not seen her"


async def test_each_of_several_people_gets_an_answer_of_their_own(store: Store) -> None:
    async with on_telegram(store) as (running, telegram):
        running.model.say("To the first. " * 3, tokens_per_second=5)
        first = await telegram.say(GROUP, ADA, "@gptbot_test_bot first of Ada")
        await telegram_answers(telegram, GROUP, 1)
        for text, match in (("To Bob.", "of Bob"), ("To both of Ada.", "third of Ada")):
            running.model.say(text, match=match)
        bobs = await telegram.say(GROUP, BOB, "@gptbot_test_bot second of Bob")
        await telegram.say(GROUP, ADA, "@gptbot_test_bot second of Ada")
        last = await telegram.say(GROUP, ADA, "@gptbot_test_bot third of Ada")
        await telegram_answers(telegram, GROUP, 3)
        asked = [(await running.asked(text)).last_user_message for text in ("second of Bob", "third of Ada")]
        assert [re.sub(r"user-\w{4}: ", "", text) for text in asked] == [
            "second of Bob", "second of Ada\n\nthird of Ada",
        ]  # fmt: skip
        async with asyncio.timeout(20):
            while [m.text for m in (await telegram.messages(GROUP, from_bot=True))[1:]] != [
                "To Bob.",
                "To both of Ada.",
            ]:
                await asyncio.sleep(0.02)
        replies = [message.reply_to for message in await telegram.messages(GROUP, from_bot=True)]
        assert replies == [first.id, bobs.id, last.id]


async def test_what_a_telegram_message_replies_to_is_part_of_the_question(store: Store) -> None:
    async with on_telegram(store) as (running, telegram):
        theirs = await telegram.say(GROUP, BOB, "mail bob@example.org or use the red kettle")
        await telegram.say(GROUP, ADA, "@gptbot_test_bot why that one?", reply_to=theirs.id)
        first = await running.asked("why that one?")
        assert re.fullmatch(
            r"user-\w{4}:\n> @user-\w{4}: mail \[email\] or use the red kettle\n\n  why that one\?",
            first.last_user_message,
        )
        [answer] = await telegram_answers(telegram, GROUP, 1)
        await telegram.say(GROUP, ADA, "go on", reply_to=answer)
        assert ">" not in (await running.asked("go on")).last_user_message, "the last answer is there anyway"
        await telegram_answers(telegram, GROUP, 2)
        await telegram.say(GROUP, ADA, "what did you mean?", reply_to=answer)
        assert "\n> " in (await running.asked("what did you mean?")).last_user_message
        running.nothing_of("bob@example.org")


async def telegram_answers(telegram: FakeTelegram, chat: int, count: int) -> list[int]:
    """Ids of the bot's finished messages, once there are so many."""
    async with asyncio.timeout(20):
        while len(found := await telegram.messages(chat, from_bot=True)) < count:
            await asyncio.sleep(0.02)
    return [message.id for message in found]


async def test_topics_of_a_forum_and_its_general_one_never_mix(store: Store) -> None:
    async with on_telegram(store) as (running, telegram):
        tea, coffee = await telegram.add_topic(FORUM, "Tea"), await telegram.add_topic(FORUM, "Coffee")
        for topic, word in ((tea, "oolong"), (coffee, "espresso"), (None, "weather")):
            await telegram.say(FORUM, ADA, f"@gptbot_test_bot about {word}", topic=topic)
            await running.asked(f"about {word}")
        for topic, word in ((tea, "oolong"), (coffee, "espresso"), (None, "weather")):
            await telegram.say(FORUM, ADA, f"@gptbot_test_bot more of {word}", topic=topic)
            said = str((await running.asked(f"more of {word}")).messages)
            assert f"about {word}" in said
            assert not any(other in said for other in {"oolong", "espresso", "weather"} - {word})


async def test_a_long_conversation_is_folded_behind_the_answer(store: Store) -> None:
    async with on_telegram(store, context={"maxMessages": 4}) as (running, telegram):
        running.model.say("Ada wants a red kettle.", match="The new notes:", times=None)
        for number in range(3):
            await telegram.say(ADA, ADA, f"question {number}")
            await running.asked(f"question {number}")
            await telegram_answers(telegram, ADA, number + 1)
        await running.asked("The new notes:")
        conversation = running.bot.keys.pseudonym("telegram", "conversation", str(ADA))
        async with asyncio.timeout(10):
            while not await store.command("EXISTS", running.bot.keys.summary(conversation)):
                await asyncio.sleep(0.02)
        await telegram.say(ADA, ADA, "and now?")
        request = await running.asked("and now?")
        assert "<notes>\nAda wants a red kettle.\n</notes>" in system(request)
        asked = [message["content"] for message in request.messages if message["role"] == "user"]
        assert asked == ["question 2", "and now?"]
        await telegram_answers(telegram, ADA, 4)
        await telegram.say(ADA, ADA, "!reset")
        await telegram_answers(telegram, ADA, 5)
        await telegram.say(ADA, ADA, "who am I?")
        assert "red kettle" not in str((await running.asked("who am I?")).messages)


async def test_speakers_quotes_and_threads_on_discord(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gptbot.platforms.discord.limits.IDENTIFY_WINDOW", 0.2)
    async with FakeDiscord() as discord:
        helper = await discord.add_bot("Helper")
        channel = await discord.add_channel(await discord.add_guild())
        ann, bob = await discord.add_user("Ann"), await discord.add_user("Bobby")
        settings = {"discord": {"tokenSecretRef": {"name": "bot", "key": "t"}, "apiBaseUrl": discord.url}}
        async with world(store, settings, {"t": helper["token"]}) as running:
            await discord.wait_for_connections()
            theirs = await discord.say(channel, bob, "use the red kettle", mention=True)
            await running.asked("use the red kettle")
            await discord.say(channel, ann, f"why, <@{bob}>?", reply_to=theirs, mention=True)
            said = (await running.asked("?")).last_user_message
            found = re.fullmatch(r"(user-\w{4}):\n> @(user-\w{4}): use the red kettle\n\n  why, @(user-\w{4})\?", said)
            assert found is not None, said
            assert found[2] == found[3] != found[1]
            thread = await discord.add_thread(channel)
            await discord.say(thread, ann, "in here", mention=True)
            assert "kettle" not in str((await running.asked("in here")).messages)
            running.nothing_of("Ann", "Bobby", ann, bob, channel, thread)
