"""A platform's API that is broken or hostile fills no memory, ends nothing, and writes no log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import aiohttp
import orjson
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from gptbot.platforms.bounded import ANSWER
from gptbot.platforms.discord.rest import Rest
from gptbot.platforms.errors import PlatformError
from gptbot.platforms.telegram.api import BotApi
from gptbot.platforms.telegram.session import FAILURES, trouble
from tests.hostile.raw import plain, raw_model

_MARK = "MARK-anna-at-home"
_TOKEN = "123456:" + "a" * 35
_STATUS = [
    "200 OK",
    "302 Found",
    "400 Bad Request",
    "401 No",
    "403 No",
    "404 No",
    "409 No",
    "418 No",
    "429 Slow",
    "500 Oops",
    "503 No",
]
_BODIES = [
    b"",
    _MARK.encode(),
    b"\xff" + _MARK.encode(),
    b"[" * 100_000,
    orjson.dumps([_MARK]),
    orjson.dumps(_MARK),
    orjson.dumps({"ok": False, "description": _MARK, "error_code": 400, "parameters": _MARK}),
    orjson.dumps({"ok": False, "description": [_MARK], "parameters": {"retry_after": _MARK}}),
    orjson.dumps({"ok": False, "description": "Bad Request", "parameters": {"migrate_to_chat_id": _MARK}}),
    orjson.dumps({"ok": False, "description": f"Bad Request: {_MARK}", "parameters": {"retry_after": -1e308}}),
    orjson.dumps({"ok": _MARK, "result": _MARK, "description": {_MARK: _MARK}}),
    orjson.dumps({"message": _MARK, "code": _MARK, "retry_after": _MARK, "global": _MARK}),
    orjson.dumps({"message": {_MARK: _MARK}, "code": 50035, "errors": {_MARK: {"_errors": [{"message": _MARK}]}}}),
]  # fmt: skip


_Call: TypeAlias = Callable[[aiohttp.ClientSession, str], Awaitable[None]]


def _answers() -> list[bytes]:
    more = f"Retry-After: {_MARK}\r\nLocation: http://{_MARK}/\r\nX-RateLimit-Reset-After: {_MARK}\r\n".encode()
    whole = [plain(f"{status} {_MARK}", body, more=more) for status in _STATUS for body in _BODIES]
    ok = "HTTP/1.1 200 OK\r\n"
    broken = [f"{_MARK}\r\n\r\n", f"{ok}{_MARK}\r\n\r\n", f"{ok}Content-Length: {_MARK}\r\n\r\n"]
    return whole + [text.encode() for text in broken]


async def _telegram(http: aiohttp.ClientSession, url: str) -> None:
    await BotApi(http, url, _TOKEN).call("sendMessage", {"chat_id": 1, "text": "hello"}, 5.0)


async def _discord(http: aiohttp.ClientSession, url: str) -> None:
    await Rest(http, url, _TOKEN).request(
        "POST", "/channels/1/messages", route=("messages", "1"), body={"content": "hello"}
    )


async def _told(calling: Awaitable[None]) -> str:
    """What an error says, and what it was made of."""
    try:
        await calling
    except PlatformError as error:
        return f"{error} {error.__cause__}"
    return ""


@pytest.mark.parametrize("call", [_telegram, _discord], ids=["telegram", "discord"])
async def test_an_error_of_an_api_is_told_without_its_own_words(call: _Call) -> None:
    async with aiohttp.ClientSession() as http:
        for answer in _answers():
            async with raw_model(answer) as url:
                told = await _told(call(http, url))
                assert "MARK" not in told, answer
                assert _TOKEN not in told, answer


@pytest.mark.parametrize("call", [_telegram, _discord], ids=["telegram", "discord"])
@pytest.mark.parametrize("told", [True, False])
async def test_an_answer_without_an_end_is_not_kept(call: _Call, told: bool) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    length = f"Content-Length: {1 << 40}\r\n" if told else ""
    async with (
        aiohttp.ClientSession() as http,
        raw_model(f"{head}{length}\r\n".encode(), b" " * (1 << 20), pause=0.001) as url,
    ):
        with pytest.raises(PlatformError, match=f"more than {ANSWER} bytes"):
            await call(http, url)


async def test_trouble_of_the_telegram_gateway_is_told_without_its_words() -> None:
    session = AiohttpSession(timeout=5, json_loads=orjson.loads)
    async with Bot(_TOKEN, session=session) as bot:
        for answer in _answers():
            async with raw_model(answer) as url:
                session.api = TelegramAPIServer.from_base(url)
                try:
                    await bot.get_me()
                except FAILURES as error:
                    found = trouble(error)
                    assert "MARK" not in f"{found}", answer
                    assert 0 <= found.wait <= 86_400, answer
