"""What the page posts, read with limits, and what a refusal says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

from gptbot import locales
from gptbot.files.room import GrowingRoom, Held
from gptbot.platforms.inbound import Verdict
from gptbot.platforms.web.files import MOST_OF_SESSION
from gptbot.platforms.web.multipart import MultipartReader, Part
from gptbot.platforms.web.page import new_id
from gptbot.platforms.web.texts import Texts

MAX_CHARACTERS = 16_000
_MAX_BYTES = 12 * MAX_CHARACTERS + 4096  # four bytes of UTF-8 a character, three letters of form encoding a byte
_READ_SECONDS = 15.0
_MAX_UPLOAD = MOST_OF_SESSION + _MAX_BYTES
_UPLOAD_SECONDS = 120.0
_ROOM = GrowingRoom(60_000_000, largest=_MAX_UPLOAD, small=_MAX_BYTES, reserve=8_000_000, uncounted=16_384)
"""Memory for what is posted, of all bots of the process. Forms of 16 kB need none of it, so they always pass."""
_ROOM_SECONDS = 10.0
_SLICE = 16_384
"""Bytes that are parsed before others get their turn: 10 ms at most, where each line is nearly a boundary."""
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")


@dataclass
class Refusal(Exception):
    """A message is not taken. The text is one of the page's, or of the bot's where the intake refused it."""

    status: int
    name: str
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    draft: str = ""
    """What was written, to be given back."""

    def text(self, texts: Texts) -> str:
        """The reason, in the reader's language."""
        if self.name.startswith("web-"):
            return texts.text(self.name, **self.values)
        return locales.texts(texts.language)(self.name, **self.values)


def refusal_of(verdict: Verdict, draft: str) -> Refusal:
    """What the intake has against a message."""
    assert verdict.refusal is not None
    status = 429 if verdict.refusal.startswith("limit-") else 422
    return Refusal(status, verdict.refusal, dict(verdict.values), draft)


@dataclass(frozen=True, slots=True)
class Form:
    """A message as it was posted."""

    id: str
    conversation: str
    text: str
    press: bool = False
    """Whether a button below a message sent it: then it is not shown as something that was written."""
    below: str = ""
    """Id of the message that the button stands below; empty: it is no button, or of no message."""
    files: Sequence[Part] = ()


def uploads(request: Request) -> bool:
    """Whether a request brings more than a text, as its head tells."""
    told = request.headers.get("content-length", "")
    return not told.isdecimal() or int(told) > _MAX_BYTES


@asynccontextmanager
async def posted_form(request: Request) -> AsyncGenerator[Form]:
    """Read a posted message; the memory for its files is held meanwhile. Raises Refusal: 400, 408, 413 or 503."""
    content_type = request.headers.get("content-type", "")
    with _ROOM.hold() as held:
        if content_type.startswith("multipart/form-data"):
            yield await _with_files(request, content_type, held)
        elif content_type.startswith("application/x-www-form-urlencoded"):
            yield await _without_files(request, held)
        else:
            raise Refusal(400, "web-error-form")


async def _with_files(request: Request, content_type: str, held: Held) -> Form:
    too_large = Refusal(413, "web-error-files-size", {"limit": MOST_OF_SESSION // 1_000_000})
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > _MAX_UPLOAD:
        raise too_large
    try:
        reader = MultipartReader(content_type)
        async with aclosing(_body(request, _Bounds(_MAX_UPLOAD, too_large, _UPLOAD_SECONDS), held)) as chunks:
            async for chunk in chunks:
                for start in range(0, len(chunk), _SLICE):
                    reader.feed(chunk[start : start + _SLICE])
                    await asyncio.sleep(0)
        parts = reader.close()
        texts = [part for part in parts if part.filename is None]
        if sum(len(part.content) for part in texts) > _MAX_BYTES:
            raise Refusal(413, "web-error-size", {"limit": MAX_CHARACTERS})
        fields = {part.name: [part.content.decode()] for part in texts}
    except ValueError:
        raise Refusal(400, "web-error-form") from None
    # A field without a file in it is posted as one without a name.
    return _form(fields, [part for part in parts if part.name == "file" and part.filename])


async def _without_files(request: Request, held: Held) -> Form:
    too_large = Refusal(413, "web-error-size", {"limit": MAX_CHARACTERS})
    body = bytearray()
    async with aclosing(_body(request, _Bounds(_MAX_BYTES, too_large, _READ_SECONDS), held)) as chunks:
        async for chunk in chunks:
            body += chunk
    try:
        return _form(parse_qs(body.decode(), keep_blank_values=True, max_num_fields=8))
    except ValueError:
        raise Refusal(400, "web-error-form") from None


def _form(fields: Mapping[str, Sequence[str]], files: Sequence[Part] = ()) -> Form:
    text = _CONTROLS.sub("", fields.get("text", [""])[0].replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(text) > MAX_CHARACTERS:
        raise Refusal(413, "web-error-long", {"length": len(text), "limit": MAX_CHARACTERS}, text)
    message = fields.get("id", [""])[0]
    press = fields.get("press") == ["1"] and text.startswith("!")
    return Form(
        id=message if _ID.fullmatch(message) else new_id(),
        conversation=fields.get("conversation", [""])[0][:64],
        text=text,
        press=press,
        below=fields.get("below", [""])[0][:64] if press else "",
        files=files,
    )


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What one body may take."""

    size: int
    too_large: Refusal
    seconds: float


async def _body(request: Request, bounds: _Bounds, held: Held) -> AsyncGenerator[bytes]:
    """A body as it arrives, once there is room for it; the wait for room does not count. Raises Refusal.

    How slow a body may be at any time is the server's to say; here is what it may take in all.
    """
    left, chunks = bounds.seconds, aiter(request.stream())
    while (chunk := await _timed(chunks, left)) is not None:
        data, seconds = chunk
        left -= seconds
        if held.size + len(data) > bounds.size:
            raise bounds.too_large
        try:
            async with asyncio.timeout(_ROOM_SECONDS):
                await _ROOM.grow(held, len(data))
        except TimeoutError:
            raise Refusal(503, "web-error-files-full") from None
        yield data


async def _timed(chunks: AsyncIterator[bytes], patience: float) -> tuple[bytes, float] | None:
    """The next bytes and the seconds they took; None at the end. Raises Refusal."""
    started = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(patience):
            data = await anext(chunks, None)
    except TimeoutError:
        raise Refusal(408, "web-error-slow") from None
    except ClientDisconnect:
        raise Refusal(400, "web-error-form") from None
    return None if data is None else (data, asyncio.get_running_loop().time() - started)
