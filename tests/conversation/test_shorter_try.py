"""A try that ends shorter than the one before it leaves nothing of that one: on Telegram and Discord, over the wire."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from yarl import URL

from gptbot.bot import Bot, endpoints
from gptbot.conversation import turn as turns
from gptbot.conversation.turn import Turn
from gptbot.gateway import Gateway
from gptbot.inbox.claims import Entry
from gptbot.inbox.store import Store
from gptbot.locales import texts
from gptbot.manifest import BotConfig
from gptbot_api import parse
from tests.fakes.discord import FakeDiscord
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram

ADA = 4711
LONG = "".join(f"word{number:05} and more of it. " for number in range(1200))
HALF: dict[str, Any] = {"text": LONG, "after_tokens": 1100}
"""Two messages of Telegram, three of Discord; then nothing more comes."""
SAY = texts("en")
Shown = list[tuple[str, list[str]]]
"""What is there of the bot's in the chat, oldest first: text and the commands of its buttons."""


@dataclass
class Chat:
    """A bot that a person asks in private; a test is its workers."""

    bot: Bot
    model: FakeOpenAI
    ask: Callable[[str], Awaitable[object]]
    shown: Callable[[], Awaitable[Shown]]
    platform: FakeTelegram | FakeDiscord
    http: aiohttp.ClientSession

    async def half_an_answer(self) -> None:
        """Do the next turn; the model's stream breaks off once several messages are shown."""
        turn = asyncio.create_task((await self.turn()).run())
        await self.several()
        self.break_off()
        await turn

    def break_off(self) -> None:
        """Cut the connections to the model."""
        assert self.http.connector is not None
        for protocol in list(self.http.connector._acquired):
            transport = protocol.transport
            if transport is not None and transport.get_extra_info("peername")[1] == URL(self.model.base_url).port:
                transport.abort()

    async def entry(self) -> Entry:
        """The next turn, by a worker that is there, or from one that is gone."""
        async with asyncio.timeout(15):
            while True:
                await self.bot.mailbox.promote()
                found = await self.bot.mailbox.take_over(1) or await self.bot.mailbox.receive(1, 0.1)
                if found:
                    return found[0]

    async def turn(self, entry: Entry | None = None) -> Turn:
        claim = await self.bot.mailbox.claim(entry or await self.entry(), 20)
        assert claim is not None
        return Turn(self.bot, claim)

    async def several(self) -> Shown:
        """What is shown, once that is two messages."""
        async with asyncio.timeout(20):
            while len(found := await self.shown()) < 2:
                await asyncio.sleep(0.02)
        return found


@asynccontextmanager
async def chat(store: Store, platform: str, **spec: Any) -> AsyncGenerator[Chat]:
    where = on_telegram() if platform == "telegram" else on_discord()
    async with FakeOpenAI() as model, aiohttp.ClientSession() as http, where as (fake, token, ask, shown):
        document = {
            "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot",
            "metadata": {"name": f"b{uuid.uuid4().hex[:8]}", "namespace": "test"},
            "spec": {
                "platforms": {platform: {"tokenSecretRef": {"name": "bot", "key": "t"}, "apiBaseUrl": fake.url}},
                "llm": {"baseUrl": model.base_url, "model": "gpt-test"}, "gateway": {"concurrency": 0}, **spec,
            },
        }  # fmt: skip
        config = BotConfig(parse(document), secrets={("test", "bot"): {"t": token}})
        none = ("http://127.0.0.1:1/v1", "none")
        bot = Bot.open(config, store, http, pepper="p" * 32, consumer="w", model=endpoints(config, lambda: none))
        gateway = asyncio.create_task(Gateway(bot, "g").run())
        if isinstance(fake, FakeDiscord):
            await fake.wait_for_connections()
        try:
            yield Chat(bot, model, ask, shown, fake, http)
        finally:
            gateway.cancel()
            await asyncio.gather(gateway, return_exceptions=True)


@asynccontextmanager
async def on_telegram() -> AsyncGenerator[tuple[FakeTelegram, str, Any, Any]]:
    async with FakeTelegram() as telegram:
        await telegram.add_user(ADA, "Ada", language_code="en")

        async def shown() -> Shown:
            rows = [(m, (m.markup or {}).get("inline_keyboard", [])) for m in await telegram.messages(ADA)]
            return [
                (m.text, [_command(button["callback_data"]) for row in keys for button in row])
                for m, keys in rows if m.from_bot and m.deleted_at is None
            ]  # fmt: skip

        yield telegram, telegram.token, lambda text: telegram.say(ADA, ADA, text), shown


@asynccontextmanager
async def on_discord() -> AsyncGenerator[tuple[FakeDiscord, str, Any, Any]]:
    async with FakeDiscord() as discord:
        helper = await discord.add_bot("Helper")
        channel = await discord.add_channel(await discord.add_guild(preferred_locale="en-US"))
        ann = await discord.add_user("Ann")

        async def shown() -> Shown:
            return [
                (m["content"], [_command(b["custom_id"]) for row in m["components"] for b in row["components"]])
                for m in await discord.answers(channel)
            ]

        yield discord, helper["token"], lambda text: discord.say(channel, ann, text, mention=True), shown


def _command(data: str) -> str:
    return data.rpartition(":")[2].lstrip("!")


@pytest.fixture(params=["telegram", "discord"])
async def talk(request: pytest.FixtureRequest, store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Chat]:
    monkeypatch.setattr("gptbot.platforms.discord.limits.IDENTIFY_WINDOW", 0.2)
    monkeypatch.setattr(turns, "_BASE_DELAY", 0.1)
    async with chat(store, request.param) as found:
        yield found


def texts_of(shown: Shown) -> list[str]:
    return [text for text, _ in shown]


async def test_a_stream_that_breaks_off_late_and_is_short_the_next_time(talk: Chat) -> None:
    talk.model.fail("stall", **HALF)
    talk.model.say("NEW and short answer")
    await talk.ask("tell me much")
    await talk.half_an_answer()
    [(notice, _)] = await talk.shown()
    assert notice == SAY("trouble-bad_stream"), "while the next try waits, one message is shown"
    await (await talk.turn()).run()
    assert await talk.shown() == [("NEW and short answer", ["retry"])]


async def test_a_turn_that_is_given_up(talk: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MAX_ATTEMPTS", 1)
    talk.model.fail("stall", **HALF)
    await talk.ask("tell me much")
    await talk.half_an_answer()
    assert await talk.shown() == [(SAY("trouble-given-up"), ["retry"])]


async def test_a_worker_that_died_with_two_messages_shown(talk: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    async def dead(_: Turn) -> None:
        """Whoever is killed hands nothing over."""

    mailbox = talk.bot.mailbox
    talk.model.fail("stall", **HALF)
    await talk.ask("tell me much")
    with monkeypatch.context() as killed:
        killed.setattr(Turn, "_hand_over", dead)
        first = asyncio.create_task((await talk.turn()).run())
        await talk.several()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    talk.model.say("NEW and short answer", tokens_per_second=2)
    with monkeypatch.context() as later:
        later.setattr(mailbox, "lease", 0.05)  # the dead worker's has run out
        entry = await talk.entry()
    second = asyncio.create_task((await talk.turn(entry)).run())
    async with asyncio.timeout(20):
        while not (growing := texts_of(await talk.shown()))[0].startswith("NEW") or len(growing) > 1:
            assert growing[0] != "NEW and short answer", "what is left of the other goes before the answer has grown"
            await asyncio.sleep(0.02)
    await second
    assert await talk.shown() == [("NEW and short answer", ["retry"])]


async def test_a_refusal_after_half_an_answer(talk: Chat) -> None:
    talk.model.fail("stall", **HALF)
    talk.model.fail("refused")
    await talk.ask("tell me much")
    await talk.half_an_answer()
    await (await talk.turn()).run()
    assert texts_of(await talk.shown()) == [SAY("trouble-refused")]


async def test_a_long_second_try_has_its_messages_again(talk: Chat) -> None:
    talk.model.fail("stall", **HALF)
    talk.model.say(LONG[:9000])
    await talk.ask("tell me much")
    await talk.half_an_answer()
    await (await talk.turn()).run()
    shown = await talk.shown()
    assert "".join(texts_of(shown)).replace(" ", "").replace("\n", "") == LONG[:9000].replace(" ", "")
    assert [buttons for _, buttons in shown] == [[]] * (len(shown) - 1) + [["retry"]]


async def test_what_cannot_be_deleted_is_emptied(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_BASE_DELAY", 0.1)
    async with chat(store, "telegram") as talk:
        telegram = talk.platform
        assert isinstance(telegram, FakeTelegram)
        talk.model.fail("stall", **HALF)
        talk.model.say("NEW and short answer")
        await talk.ask("tell me much")
        first = asyncio.create_task((await talk.turn()).run())
        await talk.several()
        for message in (await telegram.messages(ADA, from_bot=True))[1:]:
            await telegram.age(ADA, message.id, 49 * 3600)
        talk.break_off()
        await first
        await (await talk.turn()).run()
        shown = await talk.shown()
        assert shown[0] == ("NEW and short answer", ["retry"])
        assert ("…", []) in shown[1:]
        assert set(map(str, shown[1:])) == {str(("…", []))}
        assert await telegram.calls("deleteMessage")


async def test_a_wait_or_a_failure_puts_a_deletion_off_and_no_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_BASE_DELAY", 0.1)
    async with chat(store, "telegram") as talk:
        telegram = talk.platform
        assert isinstance(telegram, FakeTelegram)
        await telegram.inject("deleteMessage", "answer", status=502)
        wait = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 1}}
        await telegram.inject("deleteMessage", "answer", status=429, body=wait)
        talk.model.fail("stall", **HALF)
        talk.model.say("NEW and short answer")
        await talk.ask("tell me much")
        await talk.half_an_answer()
        await (await talk.turn()).run()
        assert await talk.shown() == [("NEW and short answer", ["retry"])]
