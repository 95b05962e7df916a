"""Answers of two workers at once, on a fake Bot API server that refuses what comes too fast."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest_asyncio

from gptbot.bot import Bot, endpoints
from gptbot.conversation.turn import Turn
from gptbot.delivery.live import LiveMessage
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.store import Store
from gptbot.manifest import load
from gptbot.platforms.inbound import Address
from tests.delivery.test_live import Journal
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import secrets, spec
from tests.process.program import write_manifest

ADA = 11
GROUP = -100
_SENDS = ("sendMessage", "sendRichMessage")


def refused(telegram: FakeTelegram) -> int:
    return sum(call.status == 429 for call in telegram.history)


async def ask_to_wait(telegram: FakeTelegram, seconds: int) -> None:
    body = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": seconds}}
    for method in _SENDS:
        await telegram.inject(method, "answer", status=429, body=body)


def private(chat: int) -> Address:
    return {"chat_id": chat, "thread_id": None, "message_id": 1, "chat_type": "private"}


@pytest_asyncio.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


@pytest_asyncio.fixture
async def workers(tmp_path: Path, store_url: str, telegram: FakeTelegram) -> AsyncIterator[list[Bot]]:
    """The same bot in two workers."""
    name = f"b{uuid.uuid4().hex[:8]}"
    async with (
        FakeOpenAI() as model,
        aiohttp.ClientSession() as http,
        Store.connect(store_url) as one,
        Store.connect(store_url) as two,
    ):
        wanted, held = spec(telegram, model), secrets(telegram)
        wanted["platforms"]["telegram"]["tokenSecretRef"]["name"] = name
        wanted["llm"]["apiKeySecretRef"]["name"] = name
        [config] = load([write_manifest(tmp_path / "bot.yaml", wanted, held, name)])
        model_of = endpoints(config, lambda: ("http://127.0.0.1:1/v1", "none"))
        yield [Bot.open(config, store, http, pepper="p" * 32, consumer="c", model=model_of) for store in (one, two)]


async def answer(bot: Bot, address: Address, name: str, edits: int) -> None:
    """An answer that grows so many times, as fast as it may, and ends."""
    sender = bot.sender("telegram")
    message = LiveMessage(sender, address, name, Journal(), {}, places=bot.pacer.places("telegram", sender, address))
    show = asyncio.create_task(message.show())
    for number in range(edits):
        message.feed(f"{name} grows {number}. ")
        await asyncio.sleep(0.25)
    show.cancel()
    await asyncio.gather(show, return_exceptions=True)
    await message.finish(f"{name} is whole.")


async def test_forty_chats_at_once_are_never_told_to_wait(workers: list[Bot], telegram: FakeTelegram) -> None:
    chats = range(1, 41)
    for chat in chats:
        await telegram.add_user(chat)
    async with asyncio.timeout(30):
        await asyncio.gather(*(answer(workers[chat % 2], private(chat), f"n{chat}", 6) for chat in chats))
    for chat in chats:
        assert [message.text for message in telegram.world.chats[chat].messages.values()] == [f"n{chat} is whole."]
    assert refused(telegram) == 0


async def test_a_busy_group_gets_final_texts_and_fewer_edits(workers: list[Bot], telegram: FakeTelegram) -> None:
    await telegram.add_user(ADA)
    await telegram.add_group(GROUP)
    address: Address = {"chat_id": GROUP, "thread_id": None, "message_id": 1, "chat_type": "supergroup"}
    async with asyncio.timeout(60):
        await asyncio.gather(*(answer(workers[number % 2], address, f"n{number}", 6) for number in range(8)))
    texts = {message.text for message in telegram.world.chats[GROUP].messages.values()}
    assert texts == {f"n{number} is whole." for number in range(8)}
    assert refused(telegram) == 0


async def test_a_wait_told_to_one_worker_holds_for_the_other(workers: list[Bot], telegram: FakeTelegram) -> None:
    await telegram.add_user(ADA)
    await ask_to_wait(telegram, 2)
    first = asyncio.create_task(answer(workers[0], private(ADA), "first", 0))
    async with asyncio.timeout(10):
        while not refused(telegram):
            await asyncio.sleep(0.005)
        told = time.time()
        await telegram.clear_faults()
        await answer(workers[1], private(ADA), "second", 0)
        await first
    sends = [call.at for call in telegram.history if call.method in _SENDS and call.status == 200]
    assert len(sends) == 2
    assert min(sends) - told > 1.95
    assert max(sends) - told < 3.0


async def test_a_text_outlasts_a_wait_of_hours(workers: list[Bot], telegram: FakeTelegram) -> None:
    await telegram.add_user(ADA)
    await ask_to_wait(telegram, 13_000)
    bot, store = workers[0], workers[0].store
    question = Envelope(
        event="e", platform="telegram", user="u", text="hello", address=private(ADA), direct=True, received=time.time()
    )
    await bot.mailbox.create_group()
    await bot.mailbox.enqueue("c", question)

    async def turn() -> None:
        [entry] = await bot.mailbox.receive(1, 1.0)
        claim = await bot.mailbox.claim(entry)
        assert claim is not None
        await Turn(bot, claim).run()

    await turn()
    [conversation, due] = await store.command("ZRANGE", bot.keys.later, "0", "-1", "WITHSCORES")
    left = float(due) / 1000 - time.time()
    assert 12_900 < left <= 13_000
    assert refused(telegram) == 1
    await telegram.clear_faults()
    # Three and a half hours later: the wait is over and the turn due.
    await store.command("ZADD", bot.keys.later, "1", conversation)
    [hold] = await store.command("KEYS", f"{bot.keys.prefix}hold:*")
    assert 12_900_000 < await store.command("PTTL", hold) <= 13_000_000
    await store.command("DEL", hold)
    assert await bot.mailbox.promote() == 1
    await turn()
    [message] = telegram.world.chats[ADA].messages.values()
    assert "hello" in message.text
    assert await bot.mailbox.backlog() == 0
    assert await store.command("ZCARD", bot.keys.later) == 0
