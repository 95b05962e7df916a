"""The receiving half: `POST /relay/messages` with a message as JSON."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Sequence
from typing import Annotated

import orjson
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.base import GatewayContext
from gptbot.platforms.inbound import Inbound
from gptbot_api import InvalidManifest
from gptbot_api.base import ApiModel
from gptbot_api.validate import parse_as

_MOST_BYTES = 64 * 1024
_READ_SECONDS = 10.0
_Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]


class Message(ApiModel):
    """A message as it comes in."""

    id: _Id
    """The same message has the same id, however often it is sent: it is answered once."""
    chat: _Id
    """What shares a context."""
    user: _Id
    """Who wrote it."""
    text: Annotated[str, Field(min_length=1, max_length=16_000)]
    """What was said."""
    direct: bool = True
    """Whether only the author and the bot are in the chat."""
    addressed: bool = False
    """Whether the bot was meant, in a chat of several."""


class RelayGateway:
    """See `gptbot.platforms.base.PlatformGateway`."""

    def __init__(self, context: GatewayContext, token: str) -> None:
        self._context = context
        self._wanted = f"Bearer {token}".encode()

    async def run(self) -> None:
        """Nothing has to be fetched: say that messages are received, and wait to be cancelled."""
        self._context.report(connected=True)
        await asyncio.Event().wait()

    def routes(self) -> Sequence[BaseRoute]:
        """Served by every gateway, beside the web page's: begin with the platform's own name."""
        return [Route("/relay/messages", self._take, methods=["POST"])]

    async def _take(self, request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._wanted):  # who it is comes before any work
            return _refusal(401, "the token is wrong")
        try:
            async with asyncio.timeout(_READ_SECONDS):
                body = await _read(request)
        except TimeoutError:
            return _refusal(408, "the message did not come in time")
        if body is None:
            return _refusal(413, f"a message has at most {_MOST_BYTES} bytes")
        try:
            message = parse_as(Message, orjson.loads(body))
        except orjson.JSONDecodeError:
            return _refusal(400, "the message is no JSON")
        except InvalidManifest as error:
            return _refusal(400, str(error))
        try:
            taken = await self._context.intake.accept(_inbound(message))
        except StoreUnavailable:  # it is not in the store: whoever sent it keeps it, and sends it again
            return _refusal(503, "the store is away: send it again", {"Retry-After": "5"})
        return JSONResponse({"taken": taken}, 202)


def _inbound(message: Message) -> Inbound:
    return Inbound(
        event=message.id,
        conversation=message.chat,
        user=message.user,
        text=message.text,
        direct=message.direct,
        addressed=message.direct or message.addressed,
        address={"chat": message.chat, "message": message.id},
        principals=(f"user:{message.user}", f"chat:{message.chat}"),
    )


async def _read(request: Request) -> bytes | None:
    """The body; None when it is too long, of which no more is read then."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            return None
    return bytes(body)


def _refusal(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": text}, status, headers)
