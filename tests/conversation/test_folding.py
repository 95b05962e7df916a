"""Long conversations become short ones with a summary: on a real Valkey, with a scripted model."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from gptbot.bot import Bot, endpoints
from gptbot.conversation.context import prompt, remember, remembered, unanswered
from gptbot.conversation.folding import Folder, Measure, fold, oldest
from gptbot.inbox.asked import Asked
from gptbot.inbox.store import Store
from gptbot.llm.errors import ModelError
from gptbot.llm.types import Message, Role
from gptbot.manifest import BotConfig
from gptbot_api import parse
from tests.fakes.openai import FakeOpenAI

CONVERSATION = "c" * 22


def characters(messages: Sequence[Message]) -> int:
    return sum(len(message["content"]) for message in messages)


def exchanges(number: int, length: int = 10) -> list[bytes]:
    """A context of so many exchanges, whose messages tell themselves apart."""
    said: list[tuple[Role, str]] = []
    for n in range(number):
        said.append(("user", f"q{n} ".ljust(length, ".")))
        said.append(("assistant", f"a{n}"))
    return remember(said)


def test_half_of_the_measure_stays_in_whole_exchanges() -> None:
    measure = Measure(10, 10_000, characters)
    assert oldest(exchanges(5), measure) == 0
    assert oldest(exchanges(6), measure) == 8, "4 messages stay, since 5 would split an exchange"
    exchange = remember([("user", "a"), ("user", "b"), ("assistant", "A")])
    assert oldest(exchange * 4, measure) == 9


def test_long_messages_count_more() -> None:
    measure = Measure(100, 1000, characters)
    assert oldest(exchanges(5, 150), measure) == 0
    assert oldest(exchanges(8, 150), measure) == 10, "3 exchanges of 152 characters are within 500"


def test_the_last_exchange_is_never_folded() -> None:
    measure = Measure(1, 10, characters)
    assert oldest(exchanges(1, 500), measure) == 0
    assert oldest(exchanges(2, 500), measure) == 2
    assert oldest([*exchanges(1), *unanswered([Asked("q")])], measure) == 2


@pytest_asyncio.fixture
async def model() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as fake:
        yield fake


@pytest_asyncio.fixture
async def bot(store: Store, model: FakeOpenAI, request: pytest.FixtureRequest) -> AsyncIterator[Bot]:
    window: int = getattr(request, "param", 128_000)
    async with aiohttp.ClientSession() as http:
        yield make(store, model, http, window)


def make(store: Store, model: FakeOpenAI, http: aiohttp.ClientSession, window: int) -> Bot:
    spec: dict[str, Any] = {
        "platforms": {"web": {}},
        "llm": {"baseUrl": model.base_url, "model": "gpt-test", "contextWindow": window},
        "context": {"maxMessages": 8},
    }
    document = {
        "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot",
        "metadata": {"name": f"b{uuid.uuid4().hex[:8]}"}, "spec": spec,
    }  # fmt: skip
    config = BotConfig(parse(document))
    none = ("http://127.0.0.1:1/v1", "none")
    return Bot.open(config, store, http, pepper="p" * 32, consumer="c", model=endpoints(config, lambda: none))


class Memory:
    """What the store holds of the conversation."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        keys = bot.keys
        self.context_key, self.summary_key = keys.context(CONVERSATION), keys.summary(CONVERSATION)
        self.lock = keys.folding(CONVERSATION)

    async def fill(self, context: list[bytes], ttl: int = 60_000) -> None:
        await self._bot.store.command("RPUSH", self.context_key, *context)
        await self._bot.store.command("PEXPIRE", self.context_key, ttl)

    async def context(self) -> list[bytes]:
        return await self._bot.store.command("LRANGE", self.context_key, 0, -1)

    async def summary(self) -> str | None:
        found = await self._bot.store.command("GET", self.summary_key)
        return None if found is None else found.decode()


async def test_the_oldest_messages_become_a_summary_that_lives_as_long_as_the_rest(bot: Bot, model: FakeOpenAI) -> None:
    memory = Memory(bot)
    await memory.fill(exchanges(6), ttl=60_000)
    model.say("Ada (ada@example.org) asked much.")
    assert await fold(bot, CONVERSATION) == "folded"
    assert await memory.context() == exchanges(6)[8:]
    assert await memory.summary() == "Ada ([email]) asked much."
    left = [int(await bot.store.command("PTTL", key)) for key in (memory.context_key, memory.summary_key)]
    assert all(0 < ttl <= 60_000 for ttl in left)
    assert await bot.store.command("EXISTS", memory.lock) == 0
    [request] = model.requests
    assert "q0" in request.last_user_message
    assert "q3" in request.last_user_message
    assert "q4" not in request.last_user_message
    assert int(await bot.store.command("HGET", bot.keys.tokens, "tokens")) > 0
    assert await fold(bot, CONVERSATION) == "needless"

    await memory.fill(exchanges(4))
    model.say("More.")
    assert await fold(bot, CONVERSATION) == "folded"
    assert "Ada ([email]) asked much." in model.requests[-1].last_user_message
    assert await memory.summary() == "More."


@pytest.mark.parametrize("bot", [2048], indirect=True)
async def test_in_a_small_window_what_is_folded_at_once_fits_into_it(bot: Bot, model: FakeOpenAI) -> None:
    model.settings.context_window = 2048
    memory = Memory(bot)
    await memory.fill(exchanges(8, 2000))
    model.say("".join(f"Note {number}. " for number in range(350)), times=None)
    assert await fold(bot, CONVERSATION) == "folded"
    assert 1 <= len(remembered(await memory.context())) <= 4
    assert all(request.status == 200 for request in model.requests)
    asked = "".join(request.last_user_message for request in model.requests)
    assert [n for n in range(6) if f"q{n} " in asked] == list(range(6)), "nothing is left out"
    summary = await memory.summary()
    assert summary is not None
    assert bot.budget.count("gpt-test", [{"role": "system", "content": summary}]) < 300


@pytest.mark.parametrize("fault", ["server_error", "empty", "quota"])
async def test_when_the_model_fails_nothing_is_lost_and_the_next_try_waits(
    bot: Bot, model: FakeOpenAI, fault: Any
) -> None:
    memory = Memory(bot)
    await memory.fill(exchanges(6))
    model.fail(fault, times=None)
    with pytest.raises(ModelError):
        await fold(bot, CONVERSATION)
    assert await memory.context() == exchanges(6)
    assert await memory.summary() is None
    assert 0 < int(await bot.store.command("PTTL", memory.lock)) <= 60_000
    asked = len(model.requests)
    assert await fold(bot, CONVERSATION) == "needless"
    assert len(model.requests) == asked


async def test_a_request_that_is_too_long_after_all_is_made_shorter_with_all_its_parts(
    bot: Bot, model: FakeOpenAI
) -> None:
    model.settings.context_window = 1200
    told = prompt("You are a pirate. " * 30, exchanges(30, 300), ["And now?"], summary="Ada likes kettles. " * 30)
    completion = await bot.ask(told, lambda _: None)
    assert completion.text
    assert [request.status for request in model.requests] == [400, 200]
    system, *said, last = model.requests[-1].messages
    assert system["role"] == "system"
    assert "pirate" in system["content"]
    assert "kettles" in system["content"]
    assert last["content"] == "And now?"
    assert all(message["role"] != "system" for message in said)


async def test_notes_without_end_are_ended(bot: Bot, model: FakeOpenAI) -> None:
    memory = Memory(bot)
    await memory.fill(exchanges(6))
    model.say("".join(f"again{number} and " for number in range(20_000)), tokens_per_second=20_000)
    assert await fold(bot, CONVERSATION) == "folded"
    [request] = model.requests
    await asyncio.wait_for(request.ended.wait(), 10)
    assert request.outcome == "aborted"
    summary = await memory.summary()
    assert summary is not None
    assert 1000 < len(summary) < 3200
    assert int(await bot.store.command("HGET", bot.keys.tokens, "tokens")) > 300


async def test_only_one_worker_folds(bot: Bot, model: FakeOpenAI) -> None:
    memory = Memory(bot)
    await memory.fill(exchanges(6))
    assert sorted(await asyncio.gather(fold(bot, CONVERSATION), fold(bot, CONVERSATION))) == ["folded", "needless"]
    assert len(model.requests) == 1


async def meanwhile(bot: Bot, model: FakeOpenAI) -> asyncio.Task[str]:
    """A fold whose model has been asked and has not answered yet."""
    model.say("Notes of what was forgotten.", first_token_delay=0.3)
    task = asyncio.create_task(fold(bot, CONVERSATION))
    async with asyncio.timeout(10):
        while not model.requests:
            await asyncio.sleep(0.01)
    return task


async def test_what_is_forgotten_meanwhile_stays_forgotten(bot: Bot, model: FakeOpenAI) -> None:
    memory = Memory(bot)
    await memory.fill(exchanges(6))
    task = await meanwhile(bot, model)
    await bot.mailbox.forget(CONVERSATION)
    await memory.fill(unanswered([Asked("new")]) * 9)
    assert await task == "overtaken"
    assert (await memory.summary(), len(await memory.context())) == (None, 9)


async def test_messages_that_are_not_those_folded_any_more_stay(bot: Bot, model: FakeOpenAI) -> None:
    memory = Memory(bot)
    await memory.fill(exchanges(6))
    task = await meanwhile(bot, model)
    await bot.store.command("LPOP", memory.context_key)  # the hard limit on what is kept
    assert await task == "overtaken"
    assert (await memory.summary(), await memory.context()) == (None, exchanges(6)[1:])


async def test_messages_that_come_meanwhile_stay(bot: Bot, model: FakeOpenAI) -> None:
    memory = Memory(bot)
    await memory.fill(exchanges(6))
    task = await meanwhile(bot, model)
    await memory.fill(remember([("user", "new"), ("assistant", "yes")]))
    assert await task == "folded"
    assert [message["content"] for message in remembered(await memory.context())][-2:] == ["new", "yes"]


async def test_forgetting_deletes_the_summary(bot: Bot) -> None:
    memory = Memory(bot)
    await memory.fill(exchanges(6))
    assert await fold(bot, CONVERSATION) == "folded"
    await bot.mailbox.forget(CONVERSATION)
    assert (await memory.summary(), await memory.context()) == (None, [])


async def test_the_folder_goes_on_after_a_failure(bot: Bot, model: FakeOpenAI) -> None:
    memory = Memory(bot)
    await memory.fill(exchanges(6))
    other = "d" * 22
    await bot.store.command("SET", bot.keys.context(other), "no list")
    folder = Folder(bot)
    folder.add(other)
    folder.add(CONVERSATION)
    task = asyncio.create_task(folder.run())
    try:
        async with asyncio.timeout(10):
            while await memory.summary() is None:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
    assert len(model.requests) == 1
