"""A turn whose store goes away in the middle."""

from __future__ import annotations

import uuid
from pathlib import Path

import aiohttp
import pytest

from gptbot.bot import Bot, endpoints
from gptbot.conversation.turn import Turn
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.manifest import load
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import secrets, spec
from tests.process.program import write_manifest

ADA = 11


async def test_a_finished_answer_is_not_asked_for_again(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeTelegram() as telegram, FakeOpenAI() as model, aiohttp.ClientSession() as http:
        await telegram.add_user(ADA)
        name = f"b{uuid.uuid4().hex[:8]}"
        wanted = spec(telegram, model)
        held = secrets(telegram)
        wanted["platforms"]["telegram"]["tokenSecretRef"]["name"] = name
        wanted["llm"]["apiKeySecretRef"]["name"] = name
        [config] = load([write_manifest(tmp_path / "bot.yaml", wanted, held, name)])
        none = ("http://127.0.0.1:1/v1", "none")
        bot = Bot.open(config, store, http, pepper="p" * 32, consumer="c", model=endpoints(config, lambda: none))
        failures = 1
        real = bot.limits.spend

        async def spend(tokens: int) -> int:
            nonlocal failures
            if failures:
                failures -= 1
                raise StoreUnavailable("the store cannot be reached")
            return await real(tokens)

        monkeypatch.setattr(bot.limits, "spend", spend)
        address = {"chat_id": ADA, "thread_id": None, "message_id": 1, "chat_type": "private"}
        question = Envelope(
            event="e", platform="telegram", user="u", text="hello", address=address, direct=True, received=0.0
        )
        await bot.mailbox.create_group()
        await bot.mailbox.enqueue("c", question)
        [entry] = await bot.mailbox.receive(1, 1.0)
        claim = await bot.mailbox.claim(entry)
        assert claim is not None
        await Turn(bot, claim).run()
        assert len(model.requests) == 1
        [answer] = [message for message in telegram.world.chats[ADA].messages.values() if message.from_bot]
        assert "hello" in answer.text
        assert await bot.mailbox.backlog() == 0
        assert int(await store.command("HGET", bot.keys.tokens, "tokens")) > 0
