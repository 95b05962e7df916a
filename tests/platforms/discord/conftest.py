"""A Discord, a bot on it, and both halves of the platform as the program makes them."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.leases import StoreLeases
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.manifest import BotConfig
from gptbot.platforms.base import ArgumentInfo, CommandInfo, GatewayContext, Identity, SenderContext
from gptbot.platforms.discord import PLATFORM
from gptbot.platforms.discord.sender import DiscordSender
from gptbot.platforms.inbound import Hears, Inbound, Verdict
from gptbot_api import parse
from gptbot_api.platforms import Discord
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.settings import Settings


def personas(typed: str, language: str | None, given: Mapping[str, str]) -> list[tuple[str, str]]:
    """Completes names."""
    return [(f"{name} ({language})", name) for name in ("chef", "poet") if name.startswith(typed)]


COMMANDS = (
    CommandInfo("help", {"en": "What I can do", "ru": "Что я умею"}),
    CommandInfo(
        "persona", {"en": "Choose a persona", "ru": "Выбрать роль"},
        [ArgumentInfo(name="name", descriptions={"en": "Which one", "ru": "Какую"}, complete=personas)],
    ),
    CommandInfo(
        "settings", {"en": "Change settings"},
        [
            ArgumentInfo(
                name="what", descriptions={"en": "Which"}, required=True,
                values={"en": [("When to answer", "answer")], "ru": [("Когда отвечать", "answer")]},
            ),
            ArgumentInfo(name="number", descriptions={"en": "How many"}, number=True, least=1, most=500),
        ],
        ["group"], True,
    ),
)  # fmt: skip


class NotingIntake:
    """Takes messages in as `Intake` says: an event twice is one message; a store away takes nothing."""

    def __init__(self) -> None:
        self.taken: list[Inbound] = []
        self.forgotten: list[str] = []
        self.edited: list[Inbound] = []
        self.gone: list[tuple[str, str]] = []
        """Conversations and events of deleted messages."""
        self.tries = 0
        self.verdict = Verdict()
        """What gateways hear of each message."""
        self._seen: set[str] = set()
        self._there = asyncio.Event()
        self._there.set()
        self._news = asyncio.Condition()

    def go_away(self) -> None:
        """The store cannot be reached from now on."""
        self._there.clear()

    def come_back(self) -> None:
        """The store is there again."""
        self._there.set()

    async def forget(self, conversation: str) -> None:
        self.forgotten.append(conversation)

    async def accept(self, message: Inbound, hears: Hears | None = None) -> bool:
        self.tries += 1
        await asyncio.sleep(0)  # a store is never asked within one tick
        if hears is not None and self._there.is_set():
            address = await hears(self.verdict)
            if address is None:
                return False
            message = replace(message, address=address)
        async with self._news:
            if self._there.is_set() and message.original_at is not None:
                self.edited.append(message)
            elif self._there.is_set() and message.event not in self._seen:
                self._seen.add(message.event)
                self.taken.append(message)
            self._news.notify_all()
        if not self._there.is_set():
            raise StoreUnavailable("the store cannot be reached")
        return True

    def barred(self, conversation: str, user: str, principals: Sequence[str]) -> Verdict | None:
        return None

    async def deleted(self, conversation: str, events: Sequence[str]) -> None:
        self.tries += 1
        await asyncio.sleep(0)
        async with self._news:
            if self._there.is_set():
                self.gone += [(conversation, event) for event in events]
            self._news.notify_all()
        if not self._there.is_set():
            raise StoreUnavailable("the store cannot be reached")

    async def ready(self) -> None:
        await self._there.wait()

    async def until(self, condition: Callable[[], bool], timeout: float = 15.0) -> None:
        """Wait until a condition holds; it is looked at after each message."""
        async with asyncio.timeout(timeout), self._news:
            await self._news.wait_for(condition)

    async def next(self, count: int = 1) -> list[Inbound]:
        """Wait for so many messages altogether."""
        await self.until(lambda: len(self.taken) >= count)
        return list(self.taken)


@dataclass
class Reports:
    """What the gateway says of itself: after each report, that of the whole, and the messages of all."""

    lines: list[tuple[bool, str]] = field(default_factory=list[tuple[bool, str]])
    parts: dict[str, tuple[bool, str]] = field(default_factory=dict[str, tuple[bool, str]])
    """By receiver; the platform's own is that of none."""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    reasons: dict[str, str] = field(default_factory=dict[str, str])
    """By receiver, the last ones."""
    identity: Identity | None = None

    def __call__(
        self, *, connected: bool, reason: str = "", message: str = "", receiver: str = "", of: int = 0,
        identity: Identity | None = None,
    ) -> None:  # fmt: skip
        self.reasons[receiver] = reason
        self.identity = identity or self.identity
        self.parts[receiver] = (connected, message)
        up = sum(well for name, (well, _) in self.parts.items() if name)
        messages = dict.fromkeys(text for _, text in self.parts.values() if text)
        self.lines.append((connected and up >= of, "; ".join(messages)))
        with contextlib.suppress(RuntimeError):
            self._wake = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, condition: Callable[[bool, str], bool], timeout: float = 15.0) -> None:
        """Wait until the last report fulfils a condition."""
        async with asyncio.timeout(timeout), self._news:
            await self._news.wait_for(lambda: bool(self.lines) and condition(*self.lines[-1]))


def config(token: str, **discord: Any) -> BotConfig:
    """A bot on Discord with this token."""
    bot = parse({
        "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": "bot", "namespace": "test"},
        "spec": {
            "platforms": {"discord": {"tokenSecretRef": {"name": "bot", "key": "token"}, **discord}},
            "llm": {"baseUrl": "http://127.0.0.1:1/v1", "model": "none"},
            "personas": [{"name": "helper", "title": "Helper", "prompt": "Help."}], "defaultPersona": "helper",
        },
    })  # fmt: skip
    return BotConfig(bot, secrets={("test", "bot"): {"token": token}})


def settings_of(bot: BotConfig) -> Discord:
    """Its settings for Discord."""
    found = bot.bot.spec.platforms.discord
    assert found is not None
    return found


class Running:
    """A gateway at work."""

    def __init__(self, bot: BotConfig, store: Store, keys: BotKeys, intake: NotingIntake | None = None) -> None:
        self.intake = intake or NotingIntake()
        self.keys = keys
        self.reports = Reports()
        context = GatewayContext(
            bot=bot, settings=settings_of(bot), intake=self.intake, report=self.reports, commands=COMMANDS,
            leases=StoreLeases(store, keys, uuid.uuid4().hex, ttl=2.0), store=store, keys=keys,
        )  # fmt: skip
        self._gateway = PLATFORM.gateway(context)
        self.task = asyncio.create_task(self._gateway.run())

    async def connected(self) -> None:
        """Wait until it is, or fail as it does."""
        waiting = asyncio.ensure_future(self.reports.until(lambda connected, _: connected))
        await asyncio.wait({waiting, self.task}, return_when=asyncio.FIRST_COMPLETED)
        if self.task.done():
            waiting.cancel()
            self.task.result()
        await waiting

    async def stop(self) -> None:
        """End it as SIGTERM does."""
        self.task.cancel()
        async with asyncio.timeout(15):
            await asyncio.gather(self.task, return_exceptions=True)


@dataclass
class Scene:
    """A guild with a channel, a person, and a bot."""

    discord: FakeDiscord
    token: str
    bot: str
    guild: str
    channel: str
    user: str


def texts(intake: NotingIntake) -> list[str]:
    """What was said in what came in."""
    return [message.text for message in intake.taken]


async def say(scene: Scene, *words: str) -> None:
    """The person says something to the bot."""
    for word in words:
        await scene.discord.say(scene.channel, scene.user, word, mention=True)


@pytest.fixture(autouse=True)
def no_official_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolving any name but this machine's fails the test: nothing may talk to Discord itself."""
    real = asyncio.BaseEventLoop.getaddrinfo

    async def local_only(self: asyncio.BaseEventLoop, host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in ("127.0.0.1", "localhost", "::1", None):
            pytest.fail(f"a test asked for {host}")
        return await real(self, host, *args, **kwargs)

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", local_only)


@pytest_asyncio.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    """A Discord of this test's own."""
    async with FakeDiscord(settings=Settings(identify_window=0.2)) as server:
        yield server


@pytest_asyncio.fixture
async def scene(discord: FakeDiscord) -> Scene:
    """The usual people and places."""
    bot = await discord.add_bot("Helper")
    guild = await discord.add_guild()
    channel = await discord.add_channel(guild)
    return Scene(discord, bot["token"], bot["user"], guild, channel, await discord.add_user("Ann"))


@pytest.fixture(autouse=True)
def quick_identify(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of 0.2 s for IDENTIFY, as the server has them: 5 s would only be waited out."""
    monkeypatch.setattr("gptbot.platforms.discord.limits.IDENTIFY_WINDOW", 0.2)


Start = Callable[..., Running]


@pytest_asyncio.fixture
async def start(scene: Scene, store: Store, keys: BotKeys) -> AsyncIterator[Start]:
    """Starts gateways of the scene's bot."""
    running: list[Running] = []
    by_token: dict[str, BotKeys] = {}

    def begin(*, token: str | None = None, url: str | None = None, intake: NotingIntake | None = None, **discord: Any):
        bot = config(token or scene.token, apiBaseUrl=url or scene.discord.url, **discord)
        # Gateways of one bot share its keys; another bot has its own.
        own = keys if token is None else BotKeys(f"{keys.bot}-{len(running)}", keys.pepper)
        running.append(Running(bot, store, by_token.setdefault(token or scene.token, own), intake))
        return running[-1]

    yield begin
    for one in running:
        await one.stop()


@pytest_asyncio.fixture
async def sender(scene: Scene, store: Store, keys: BotKeys) -> AsyncIterator[DiscordSender]:
    """A sender of the scene's bot."""
    bot = config(scene.token, apiBaseUrl=scene.discord.url)
    async with aiohttp.ClientSession() as http:
        made = PLATFORM.sender(SenderContext(bot=bot, settings=settings_of(bot), http=http, store=store, keys=keys))
        assert isinstance(made, DiscordSender)
        yield made
