"""The gateway's way to the Bot API: aiogram's client at `apiBaseUrl`, what its errors mean, and how long to wait."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import orjson
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramConflictError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import User
from aiogram.utils.token import TokenValidationError

from gptbot.manifest import BotConfig
from gptbot.platforms.base import Identity, Report
from gptbot.platforms.errors import Misconfigured
from gptbot.platforms.telegram.limits import REQUEST_TIMEOUT, RETRY_FIRST, RETRY_MOST
from gptbot.platforms.telegram.platform import TOKEN_PATH
from gptbot.platforms.wording import wording
from gptbot_api import InvalidManifest
from gptbot_api.platforms import Telegram

UPDATES = ["message", "edited_message", "callback_query", "stopped_message_generation"]
"""Kinds of updates asked for (Bot API, `Update`); a server passes over those that it does not know."""


FAILURES = (AiogramError, OSError, ValueError)
"""What a call may raise: aiogram leaves broken text and sockets to others."""


class GetRawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """`getUpdates` with the updates as they came: one that aiogram cannot read must not hide the others."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None = None
    limit: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None


class GetRawMe(TelegramMethod[Any]):
    """`getMe` with the bot as the server tells it: see `needed.me`."""

    __returning__ = Any
    __api_method__ = "getMe"


class GetRawWebhookInfo(TelegramMethod[Any]):
    """`getWebhookInfo` as the server tells it: see `needed.webhook`."""

    __returning__ = Any
    __api_method__ = "getWebhookInfo"


class GetRawAdministrators(TelegramMethod[Any]):
    """`getChatAdministrators` with the members as they came: see `needed.administrators`."""

    __returning__ = Any
    __api_method__ = "getChatAdministrators"

    chat_id: int


def connect(config: BotConfig, settings: Telegram) -> Bot:
    """A client that talks to `apiBaseUrl` and nowhere else, methods and files alike.

    Raises Misconfigured when there is no token, or nothing that could be one.
    """
    try:
        token = config.secret(settings.token_secret_ref, TOKEN_PATH)
    except InvalidManifest as error:
        raise Misconfigured(str(error), "SecretMissing") from None
    server = TelegramAPIServer.from_base(settings.api_base_url)
    session = AiohttpSession(api=server, timeout=REQUEST_TIMEOUT, json_loads=orjson.loads)
    try:
        return Bot(token, session=session)
    except TokenValidationError:
        raise refused(settings) from None


def refused(settings: Telegram) -> Misconfigured:
    """What to say when Telegram does not take the token."""
    reference = settings.token_secret_ref
    return Misconfigured(
        f"Telegram refuses the token in key {reference.key!r} of Secret {reference.name!r}: "
        "get the bot's token from @BotFather and put it there, and see that apiBaseUrl is a Bot API server",
        "TokenRefused",
    )


@dataclass(frozen=True, slots=True)
class Trouble:
    """What an error of the Bot API means."""

    reason: str
    """In one CamelCase word."""
    message: str
    """For a person: what is wrong and what to do. Holds no token, id or text."""
    wait: float = 0.0
    """Seconds the server wants us to wait at least."""
    token_refused: bool = False


def trouble(error: Exception) -> Trouble:
    """What an error of aiogram means, or of what it leaves to others."""
    match error:
        case TelegramUnauthorizedError() | TelegramNotFound():
            return Trouble("TokenRefused", "Telegram refuses the token", token_refused=True)
        case TelegramRetryAfter():
            return Trouble("FloodWait", f"Telegram asks to wait {error.retry_after} s", wait=float(error.retry_after))
        case TelegramConflictError() if "webhook" in error.message:
            return Trouble("WebhookInTheWay", "a webhook is set for this bot and cannot be deleted; trying again")
        case TelegramConflictError():
            text = "another program reads this bot's messages: stop it, or give it a bot of its own"
            return Trouble("AnotherPoller", f"{text} (Telegram allows one reader a token)")
        case TelegramNetworkError():
            return Trouble("Unreachable", "the Bot API server cannot be reached or does not answer; trying again")
        case TelegramServerError():
            return Trouble("ServerError", "the Bot API server fails; trying again")
        case ClientDecodeError():
            text = "spec.platforms.telegram.apiBaseUrl does not answer as a Bot API server does; trying again"
            return Trouble("NotABotApi", text)
        case TelegramAPIError():
            return Trouble("RequestRefused", f"Telegram refuses a request: {wording(error.message)}; trying again")
        case _:
            return Trouble("ReadingFails", f"reading from Telegram failed ({type(error).__name__}); trying again")


class Backoff:
    """Waits that double from try to try, and differ from gateway to gateway."""

    def __init__(self, first: float = RETRY_FIRST, most: float = RETRY_MOST) -> None:
        self._first, self._most = first, most
        self._next = first

    def next(self, at_least: float = 0.0) -> float:
        """Seconds to wait now."""
        wait, self._next = self._next, min(self._next * 2, self._most)
        return max(at_least, wait * random.uniform(0.8, 1.0))

    def reset(self) -> None:
        """It works again."""
        self._next = self._first


class Reporter:
    """Reports what changed, and only then."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last: tuple[bool, str, str] | None = None
        self._identity: Identity | None = None
        self.notices: dict[str, str] = {}
        """Reason to message of what does not work as it should although messages are received."""

    def __call__(self, *, connected: bool, reason: str = "", message: str = "") -> None:
        """As `platforms.base.Report`."""
        if self._last != (connected, reason, message):
            self._last = (connected, reason, message)
            self._report(connected=connected, reason=reason, message=message, identity=self._identity)

    def well(self) -> None:
        """Messages are received."""
        self(connected=True, reason=next(iter(self.notices), ""), message="; ".join(self.notices.values()))

    def trouble(self, found: Trouble) -> None:
        """They are not."""
        self(connected=False, reason=found.reason, message=found.message)

    def knows(self, me: User) -> None:
        """Telegram said who the bot is; told with the next report."""
        if me.username:
            self._identity = Identity(me.username, f"https://t.me/{me.username}")
