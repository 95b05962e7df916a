"""A room where people talk with a bot: door, turns and store are real, the model is scripted."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from gptbot.bot import Bot, endpoints
from gptbot.conversation.turn import Turn
from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from gptbot.platforms.base import Button
from gptbot.platforms.inbound import Address, Hears, Inbound
from gptbot_api import parse
from tests.fakes.openai import FakeOpenAI

PERSONAS = [
    {"name": "assistant", "title": "Assistant", "prompt": "You are helpful."},
    {"name": "pirate", "title": "Sea Wolf", "prompt": "You are a pirate."},
]


@dataclass(frozen=True)
class Answer:
    """What the bot said."""

    text: str
    buttons: dict[str, str]
    """Command to label."""


class Sender:
    """Takes what is sent, of any length."""

    edit_interval = 0.01
    max_length = 100_000

    def __init__(self) -> None:
        self.shown: dict[str, Answer] = {}

    def length(self, text: str) -> int:
        return len(text)

    async def typing(self, address: Address) -> None:
        pass

    async def send(
        self, address: Address, text: str, *, nonce: str, first: bool, final: bool, buttons: Sequence[Button] = ()
    ) -> str:
        self.shown[nonce] = Answer(text, {button.command: button.label for button in buttons})
        return nonce

    async def edit(
        self, address: Address, message_id: str, text: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        self.shown[message_id] = Answer(text, {button.command: button.label for button in buttons})


class Room:
    """One bot, and people who write to it."""

    def __init__(self, bot: Bot, model: FakeOpenAI) -> None:
        self.bot, self.model, self.store = bot, model, bot.store
        self.sender = Sender()
        bot._senders["web"] = self.sender
        self._intake = bot.intake("web")

    async def tell(self, text: str, *, administrator: bool = False, hears: Hears | None = None, **changes: Any) -> bool:
        """Write a message; whether it is taken."""

        async def asked() -> bool:
            return administrator

        fields: dict[str, Any] = {
            "event": uuid.uuid4().hex, "conversation": "room", "user": "ada", "text": text, "direct": True,
            "addressed": True, "address": {"session": "s"}, "language": "en", "administrator": asked,
        }  # fmt: skip
        return await self._intake.accept(Inbound(**{**fields, **changes}), hears)

    async def answer(self, most: int = 1) -> Answer:
        """Let a worker do the next turn, of so many messages at most."""
        self.sender.shown.clear()
        await self.bot.mailbox.create_group()
        [entry] = await self.bot.mailbox.receive(1, 5.0)
        claim = await self.bot.mailbox.claim(entry, most)
        assert claim is not None
        await Turn(self.bot, claim).run()
        return list(self.sender.shown.values())[-1]

    async def ask(self, text: str, **changes: Any) -> Answer:
        """Write a message and get the answer."""
        assert await self.tell(text, **changes), "it was not taken"
        return await self.answer()

    async def settings(self) -> dict[str, str]:
        """What is chosen in the room, as the store has it."""
        key = self.bot.keys.settings(self.bot.keys.pseudonym("web", "conversation", "room"))
        found = await self.store.command("HGETALL", key)
        return {name.decode(): value.decode() for name, value in zip(found[::2], found[1::2], strict=True)}

    @property
    def told(self) -> list[str]:
        """What the model was told last: the system prompt, then the messages."""
        return [message["content"] for message in self.model.requests[-1].messages]


@asynccontextmanager
async def room(store: Store, model: FakeOpenAI, **spec: Any) -> AsyncGenerator[Room]:
    """A room with two personas, unless `spec` says otherwise."""
    document = {
        "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot",
        "metadata": {"name": f"b{uuid.uuid4().hex[:8]}", "namespace": "test"},
        "spec": {
            "platforms": {"web": {}}, "llm": {"baseUrl": model.base_url, "model": "gpt-test"}, "personas": PERSONAS,
            **spec,
        },
    }  # fmt: skip
    config = BotConfig(parse(document))
    async with aiohttp.ClientSession() as http:
        found = endpoints(config, lambda: ("http://127.0.0.1:1/v1", "none"))
        yield Room(Bot.open(config, store, http, pepper="p" * 32, consumer="w", model=found), model)
