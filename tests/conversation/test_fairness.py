"""One who floods holds nobody up: counted in turns, with real workers and a model that answers a few at a time."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp

from gptbot.bot import Bot, endpoints
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from gptbot.worker import Worker
from gptbot_api import parse
from tests.fakes.openai import FakeOpenAI

ORDINARY = 50
WORKERS, CONCURRENCY = 2, 3
MOST_IN_LINE = 4
"""Conversations of one user that are in line at a time."""


@asynccontextmanager
async def _bots(store: Store, model: FakeOpenAI) -> AsyncGenerator[list[Bot]]:
    """One bot, as each worker has it."""
    config = BotConfig(
        parse({
            "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot",
            "metadata": {"name": f"b{uuid.uuid4().hex[:8]}", "namespace": "test"},
            "spec": {
                "platforms": {"web": {}}, "llm": {"baseUrl": model.base_url, "model": "gpt-test"},
                "context": {"maxMessages": 1},
            },
        })
    )  # fmt: skip
    none = ("http://127.0.0.1:1/v1", "none")
    async with aiohttp.ClientSession() as http:
        yield [
            Bot.open(config, store, http, pepper="p" * 32, consumer=f"w{number}", model=endpoints(config, lambda: none))
            for number in range(WORKERS)
        ]


async def _say(bot: Bot, user: str, conversation: str, text: str) -> None:
    await bot.mailbox.enqueue(
        conversation,
        Envelope(
            event=uuid.uuid4().hex[:22], platform="web", user=user, text=text, address={"session": conversation},
            direct=True, received=time.time(),
        ),
    )  # fmt: skip


async def _asked(bots: list[Bot], model: FakeOpenAI) -> list[str]:
    """Have everything answered; the first words of the questions in the order the model was asked in."""
    workers = [Worker(bot, CONCURRENCY) for bot in bots]
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.run())
        while await bots[0].mailbox.backlog():
            await asyncio.sleep(0.02)
        for worker in workers:
            worker.drain()
    return [request.asked.split()[0] for request in model.requests]


async def test_one_busy_conversation_holds_nobody_up(store: Store) -> None:
    async with FakeOpenAI() as model, _bots(store, model) as bots:
        for number in range(300):
            await _say(bots[0], "flooder", "busy", f"flood {number}")
        for number in range(ORDINARY):
            await _say(bots[0], f"user{number}", f"chat{number}", f"ordinary {number}")
        asked = await _asked(bots, model)
    assert asked.count("ordinary") == ORDINARY
    assert asked.count("flood") == 15, "20 messages a turn"
    last = len(asked) - asked[::-1].index("ordinary")
    assert asked[:last].count("flood") <= 2, asked


async def test_one_user_in_many_conversations_holds_nobody_up(store: Store) -> None:
    async with FakeOpenAI() as model, _bots(store, model) as bots:
        for number in range(200):
            await _say(bots[0], "flooder", f"busy{number}", f"flood {number}")
        for number in range(ORDINARY):
            await _say(bots[0], f"user{number}", f"chat{number}", f"ordinary {number}")
        asked = await _asked(bots, model)
    assert asked.count("ordinary") == ORDINARY
    assert asked.count("flood") == 200, "they are answered as well"
    last = len(asked) - asked[::-1].index("ordinary")
    # Those that were in line before, and as many as pass the last ordinary ones on the way from the line to the model.
    assert asked[:last].count("flood") <= MOST_IN_LINE + WORKERS * CONCURRENCY, asked
