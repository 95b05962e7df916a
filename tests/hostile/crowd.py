"""Many people with new sessions, and several workers that share a store: what a burst costs the owner of a bot."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from gptbot.bot import Bot, endpoints
from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from gptbot.platforms.inbound import Address, Inbound
from gptbot.worker import Worker
from gptbot_api import parse
from tests.conversation.room import Sender
from tests.fakes.openai import FakeOpenAI


class _Sender(Sender):
    """Has a recording in every file."""

    async def fetch(self, address: Address, reference: Mapping[str, Any], most: int) -> bytes:
        return b"OggS words"


@dataclass
class Crowd:
    """A bot with several workers, each with a connection of its own, as processes have them."""

    bots: list[Bot]
    sender: Sender
    tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    @property
    def bot(self) -> Bot:
        return self.bots[0]

    async def write(self, people: int, text: str = "Tell me a story.", **changes: Any) -> int:
        """So many people write at once, each in a session of their own; how many messages are taken."""
        intake = self.bot.intake("web")

        async def one() -> bool:
            name = uuid.uuid4().hex
            fields: dict[str, Any] = {
                "event": name, "conversation": name, "user": name, "text": text, "direct": True, "addressed": True,
                "address": {"session": name}, "language": "en",
            }  # fmt: skip
            return await intake.accept(Inbound(**{**fields, **changes}))

        return sum(await asyncio.gather(*(one() for _ in range(people))))

    def work(self, concurrency: int = 20) -> None:
        """Start the workers."""
        for bot in self.bots:
            self.tasks.append(asyncio.create_task(Worker(bot, concurrency).run()))

    async def answered(self, timeout: float = 60.0) -> None:
        """Wait until nobody waits for an answer."""
        async with asyncio.timeout(timeout):
            while await self.bot.mailbox.backlog() or await self.bot.store.command("ZCARD", self.bot.keys.later):
                await asyncio.sleep(0.02)

    async def account(self, user: str | None = None) -> dict[str, str]:
        """What the store has of today's use."""
        key = self.bot.keys.tokens if user is None else self.bot.keys.tokens_of(user)
        flat: list[bytes] = await self.bot.store.command("HGETALL", key)
        return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}

    async def spent(self, user: str | None = None) -> int:
        """Tokens of today."""
        return int((await self.account(user)).get("tokens", 0))

    @property
    def said(self) -> list[str]:
        """Everything that was said last in each message."""
        return [answer.text for answer in self.sender.shown.values()]


@asynccontextmanager
async def crowd(
    store_url: str, model: FakeOpenAI, workers: int = 3, llm: Mapping[str, Any] | None = None, **spec: Any
) -> AsyncGenerator[Crowd]:
    """A bot with so many workers, before they are started."""
    document = {
        "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot",
        "metadata": {"name": f"b{uuid.uuid4().hex[:8]}", "namespace": "test"},
        "spec": {
            "platforms": {"web": {}}, "llm": {"baseUrl": model.base_url, "model": "gpt-test", **(llm or {})},
            "personas": [{"name": "helper", "prompt": "Be brief."}], **spec,
        },
    }  # fmt: skip
    config = BotConfig(parse(document))
    found, sender = endpoints(config, lambda: ("http://127.0.0.1:1/v1", "none")), _Sender()
    async with aiohttp.ClientSession() as http:
        stores = [Store.connect(store_url, config.key) for _ in range(workers)]
        bots = [
            Bot.open(config, store, http, pepper="p" * 32, consumer=f"w{number}", model=found, lease=2.0)
            for number, store in enumerate(stores)
        ]
        made = Crowd(bots, sender)
        for bot in bots:
            bot._senders["web"] = sender
        await made.bot.mailbox.create_group()
        try:
            yield made
        finally:
            for task in made.tasks:
                task.cancel()
            await asyncio.gather(*made.tasks, return_exceptions=True)
            for store in stores:
                await store.close()
