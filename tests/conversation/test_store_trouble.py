"""A turn whose store goes away in the middle."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest

from gptbot.bot import Bot, endpoints
from gptbot.conversation.turn import Turn
from gptbot.inbox.claims import Claim
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.manifest import load
from gptbot.safety.budgets import Account, Amount
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import secrets, spec
from tests.process.program import write_manifest
from tests.store.servers import Server

ADA = 11


def _bot(directory: Path, store: Store, telegram: FakeTelegram, model: FakeOpenAI, http: aiohttp.ClientSession) -> Bot:
    name = f"b{uuid.uuid4().hex[:8]}"
    wanted = spec(telegram, model)
    held = secrets(telegram)
    wanted["platforms"]["telegram"]["tokenSecretRef"]["name"] = name
    wanted["llm"]["apiKeySecretRef"]["name"] = name
    [config] = load([write_manifest(directory / "bot.yaml", wanted, held, name)])
    none = ("http://127.0.0.1:1/v1", "none")
    return Bot.open(config, store, http, pepper="p" * 32, consumer="c", model=endpoints(config, lambda: none))


async def _claimed(bot: Bot, text: str, command: str | None = None) -> Claim:
    address = {"chat_id": ADA, "thread_id": None, "message_id": 1, "chat_type": "private"}
    message = Envelope(
        event="e",
        platform="telegram",
        user="u",
        text=text,
        address=address,
        direct=True,
        received=time.time(),
        command=command,
    )
    await bot.mailbox.create_group()
    await bot.mailbox.enqueue("c", message)
    return await _next(bot)


async def _next(bot: Bot) -> Claim:
    [entry] = await bot.mailbox.receive(1, 1.0)
    claim = await bot.mailbox.claim(entry)
    assert claim is not None
    return claim


async def test_a_finished_answer_is_not_asked_for_again(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeTelegram() as telegram, FakeOpenAI() as model, aiohttp.ClientSession() as http:
        await telegram.add_user(ADA)
        bot = _bot(tmp_path, store, telegram, model, http)
        failures = 1
        real = bot.budgets.spend

        async def spend(spent: Amount, account: Account | None = None, users: Sequence[str] = ()) -> Amount:
            nonlocal failures
            if failures:
                failures -= 1
                raise StoreUnavailable("the store cannot be reached")
            return await real(spent, account, users)

        monkeypatch.setattr(bot.budgets, "spend", spend)
        claim = await _claimed(bot, "hello")
        await Turn(bot, claim).run()
        assert len(model.requests) == 1
        [answer] = [message for message in telegram.world.chats[ADA].messages.values() if message.from_bot]
        assert "hello" in answer.text
        assert await bot.mailbox.backlog() == 0
        spent = int(await store.command("HGET", bot.keys.tokens, "tokens"))
        assert spent > 0
        assert int(await store.command("HGET", bot.keys.tokens_of(claim.messages[0].user), "tokens")) == spent


async def test_a_command_waits_for_the_store_and_has_not_failed(tmp_path: Path) -> None:
    async with (
        Server(tmp_path) as server, Store.connect(server.url) as store,
        FakeTelegram() as telegram, FakeOpenAI() as model, aiohttp.ClientSession() as http,
    ):  # fmt: skip
        await telegram.add_user(ADA)
        bot = _bot(tmp_path, store, telegram, model, http)
        claim = await _claimed(bot, "", "reset")
        await server.ask("REPLICAOF", "127.0.0.1", 1)  # takes no writes now
        turn = asyncio.create_task(Turn(bot, claim).run())
        async with asyncio.timeout(10):
            while "read-only" not in (store.trouble or ""):
                await asyncio.sleep(0.01)
        assert not turn.done()
        await server.ask("REPLICAOF", "NO", "ONE")
        async with asyncio.timeout(10):
            await turn
        again = await _next(bot)
        assert again.attempts == 0
        await Turn(bot, again).run()
        assert await bot.mailbox.backlog() == 0
        assert [message for message in telegram.world.chats[ADA].messages.values() if message.from_bot]
