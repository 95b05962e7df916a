"""A Telegram gateway and sender against the fake, with an intake that is as strict as `platforms.inbound` says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.manifest import BotConfig
from gptbot.platforms.base import (
    ArgumentInfo,
    CommandInfo,
    GatewayContext,
    Identity,
    Leases,
    PlatformGateway,
    SenderContext,
)
from gptbot.platforms.inbound import Hears, Inbound, Verdict
from gptbot.platforms.registry import platform
from gptbot.platforms.telegram.sender import TelegramSender
from gptbot_api import parse
from tests.fakes.telegram import FakeTelegram

COMMANDS = (
    CommandInfo("help", {"en": "What this bot can do", "ru": "Что умеет бот"}),
    CommandInfo("persona", {"en": "Choose a persona"}, [ArgumentInfo(name="name", descriptions={"en": "Which one"})]),
    CommandInfo("settings", {"en": "Change settings"}, where=["group"], administrators=True),
)
ADA, BOB, GROUP = 1001, 1002, -1001000000001
SECRET = "a-webhook_secret"


def config(fake: FakeTelegram, *, groups: str = "mentioned", **telegram: Any) -> BotConfig:
    """A bot that knows the fake and nothing else."""
    document = {
        "apiVersion": "gptbot.dev/v1alpha1",
        "kind": "GptBot",
        "metadata": {"name": "bot", "namespace": "test"},
        "spec": {
            "platforms": {
                "telegram": {"tokenSecretRef": {"name": "bot", "key": "token"}, "apiBaseUrl": fake.url, **telegram}
            },
            "answerIn": {"groups": groups},
            "llm": {"embedded": {}},
            "personas": [{"name": "helper", "prompt": "Help."}],
        },
    }
    return BotConfig(parse(document), {("test", "bot"): {"token": fake.token, "webhook": SECRET}})


class FakeIntake:
    """Takes messages in as `base.Intake` promises: known events are told apart, a store that is away is said."""

    def __init__(self) -> None:
        self.accepted: list[Inbound] = []
        self.duplicates: list[Inbound] = []
        self.refused: list[Inbound] = []
        self.forgotten: list[str] = []
        self.edited: list[Inbound] = []
        self.fails_on: str | None = None
        self.failures = 0
        self._seen: set[str] = set()
        self._back = asyncio.Event()
        self._back.set()

    def go_away(self) -> None:
        self._back.clear()

    def come_back(self) -> None:
        self._back.set()

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.accepted]

    async def forget(self, conversation: str) -> None:
        self.forgotten.append(conversation)

    async def accept(self, message: Inbound, hears: Hears | None = None) -> bool:
        for name in ("event", "conversation", "user", "text"):
            assert isinstance(getattr(message, name), str), name
        assert message.event
        assert message.conversation
        assert message.user
        assert all(":" in principal for principal in message.principals)
        await asyncio.sleep(0)
        if not self._back.is_set():
            self.refused.append(message)
            raise StoreUnavailable("the store cannot be reached")
        if self.fails_on is not None and self.fails_on in message.text:
            self.failures += 1
            raise RuntimeError("a bug of the intake")
        if message.original_at is not None:
            self.edited.append(message)
            return True
        if message.event in self._seen:
            self.duplicates.append(message)
            return True
        self._seen.add(message.event)
        self.accepted.append(message)
        return True

    def barred(self, conversation: str, user: str, principals: Sequence[str]) -> Verdict | None:
        return None

    async def deleted(self, conversation: str, events: Sequence[str]) -> None:
        raise AssertionError("the Bot API tells of no deleted messages")

    async def ready(self) -> None:
        await self._back.wait()


class Held:
    """The lease of the only gateway there is."""

    async def run(self, receiver: str, work: Callable[[], Awaitable[None]]) -> None:
        assert receiver == "telegram"
        await work()


class Reports:
    """What the platform reported, newest last."""

    def __init__(self) -> None:
        self.all: list[tuple[bool, str]] = []
        self.reasons: list[str] = []
        self.identity: Identity | None = None

    def __call__(
        self, *, connected: bool, reason: str = "", message: str = "", receiver: str = "", of: int = 0,
        identity: Identity | None = None,
    ) -> None:  # fmt: skip
        self.all.append((connected, message))
        self.reasons.append(reason)
        self.identity = identity or self.identity

    @property
    def connected(self) -> bool:
        return bool(self.all) and self.all[-1][0]

    def said(self, words: str) -> bool:
        return any(words in message for _, message in self.all)


class Running:
    """A gateway at work, and what it works with."""

    def __init__(self, gateway: PlatformGateway, context: GatewayContext, intake: FakeIntake, reports: Reports) -> None:
        self.gateway, self.context, self.intake, self.reports = gateway, context, intake, reports
        self.task: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """As SIGTERM does."""
        if self.task is not None and not self.task.done():
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task


def prepare(
    bot: BotConfig,
    store: Store,
    keys: BotKeys,
    *,
    intake: FakeIntake | None = None,
    leases: Leases | None = None,
    commands: Sequence[CommandInfo] = COMMANDS,
) -> Running:
    """A gateway that does not run yet."""
    reports, intake = Reports(), intake or FakeIntake()
    settings = bot.bot.spec.platforms.telegram
    assert settings is not None
    context = GatewayContext(
        bot=bot, settings=settings, intake=intake, leases=leases or Held(), report=reports, commands=commands,
        store=store, keys=keys,
    )  # fmt: skip
    return Running(platform("telegram").gateway(context), context, intake, reports)


@asynccontextmanager
async def running(bot: BotConfig, store: Store, keys: BotKeys, **more: Any) -> AsyncGenerator[Running]:
    """A gateway at work."""
    prepared = prepare(bot, store, keys, **more)
    prepared.task = asyncio.create_task(prepared.gateway.run())
    try:
        yield prepared
    finally:
        await prepared.stop()


@asynccontextmanager
async def sending(fake: FakeTelegram, store: Store, keys: BotKeys) -> AsyncGenerator[TelegramSender]:
    """A sender of the bot."""
    bot = config(fake)
    settings = bot.bot.spec.platforms.telegram
    assert settings is not None
    async with aiohttp.ClientSession() as http:
        sender = platform("telegram").sender(
            SenderContext(bot=bot, settings=settings, http=http, store=store, keys=keys)
        )
        assert isinstance(sender, TelegramSender)
        yield sender


async def eventually(condition: Callable[[], object], timeout: float = 20.0) -> None:
    """Wait until a condition holds. Raises TimeoutError."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.01)
