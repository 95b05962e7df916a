"""What the page posts, read with limits, and what a refusal says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

from gptbot import locales
from gptbot.files.room import Room
from gptbot.platforms.inbound import Verdict
from gptbot.platforms.web.files import MOST_OF_SESSION
from gptbot.platforms.web.multipart import Part, parse
from gptbot.platforms.web.page import new_id
from gptbot.platforms.web.texts import Texts

MAX_CHARACTERS = 16_000
_MAX_BYTES = 12 * MAX_CHARACTERS + 4096  # four bytes of UTF-8 a character, three letters of form encoding a byte
_READ_SECONDS = 15.0
_MAX_UPLOAD = MOST_OF_SESSION + _MAX_BYTES
_UPLOAD_SECONDS = 120.0
_ROOM = Room(60_000_000)
"""Memory for files on their way to the store, of all bots of the process; their forms are there twice."""
_ROOM_SECONDS = 20.0
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
    files: Sequence[Part] = ()


@asynccontextmanager
async def posted_form(request: Request) -> AsyncGenerator[Form]:
    """Read a posted message; the memory for its files is held meanwhile. Raises Refusal: 413, 400 or 503."""
    content_type = request.headers.get("content-type", "")
    async with AsyncExitStack() as stack:
        if content_type.startswith("multipart/form-data"):
            size = _upload_size(request)
            try:
                async with asyncio.timeout(_ROOM_SECONDS):
                    await stack.enter_async_context(_ROOM.hold(2 * size))
            except TimeoutError:
                raise Refusal(503, "web-error-files-full") from None
            body = await _body(request, _MAX_UPLOAD, _UPLOAD_SECONDS)
            try:
                parts = await asyncio.to_thread(parse, body, content_type)
                fields = {part.name: [part.content.decode()] for part in parts if part.filename is None}
            except ValueError:
                raise Refusal(400, "web-error-form") from None
            # A field without a file in it is posted as one without a name.
            yield _form(fields, [part for part in parts if part.name == "file" and part.filename])
        elif content_type.startswith("application/x-www-form-urlencoded"):
            body = await _body(request, _MAX_BYTES, _READ_SECONDS)
            try:
                fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=8)
            except ValueError:
                raise Refusal(400, "web-error-form") from None
            yield _form(fields)
        else:
            raise Refusal(400, "web-error-form")


def _upload_size(request: Request) -> int:
    size = request.headers.get("content-length", "")
    if not size.isdecimal():
        raise Refusal(400, "web-error-form")
    if int(size) > _MAX_UPLOAD:
        raise Refusal(413, "web-error-files-size", {"limit": MOST_OF_SESSION // 1_000_000})
    return int(size)


def _form(fields: Mapping[str, Sequence[str]], files: Sequence[Part] = ()) -> Form:
    text = _CONTROLS.sub("", fields.get("text", [""])[0].replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(text) > MAX_CHARACTERS:
        raise Refusal(413, "web-error-long", {"length": len(text), "limit": MAX_CHARACTERS}, text)
    message = fields.get("id", [""])[0]
    return Form(
        id=message if _ID.fullmatch(message) else new_id(),
        conversation=fields.get("conversation", [""])[0][:64],
        text=text,
        press=fields.get("press") == ["1"] and text.startswith("!"),
        files=files,
    )


async def _body(request: Request, limit: int, patience: float) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(patience):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise Refusal(413, "web-error-size", {"limit": MAX_CHARACTERS})
    except (TimeoutError, ClientDisconnect):
        raise Refusal(400, "web-error-form") from None
    return bytes(body)
