"""A session and the connection it is on: numbered events, kept for a RESUME; a compressed stream."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from aiohttp import web

from tests.fakes.discord.errors import Json
from tests.fakes.discord.state import Bot

DISPATCH: Final = 0
_REPLAY: Final = 100_000


@dataclass(slots=True)
class Session:
    """What a bot's shard has open, with or without a connection."""

    id: str
    bot: Bot
    shard: tuple[int, int]
    intents: int
    connection: Connection | None = None
    sequence: int = 0
    replay: deque[tuple[int, bytes]] = field(default_factory=lambda: deque[tuple[int, bytes]](maxlen=_REPLAY))
    forgotten: int = 0
    """Events up to this number cannot be sent again."""
    left_at: float | None = None

    def dispatch(self, name: str, data: Any) -> None:
        """Number an event, keep it for a RESUME, send it."""
        self.sequence += 1
        payload = orjson.dumps({"op": DISPATCH, "t": name, "s": self.sequence, "d": data})
        if len(self.replay) == _REPLAY:
            self.forgotten = self.replay[0][0]
        self.replay.append((self.sequence, payload))
        if self.connection is not None:
            self.connection.send(payload)

    def acknowledge(self, sequence: int) -> None:
        """The bot has everything up to here."""
        while self.replay and self.replay[0][0] <= sequence:
            self.forgotten = self.replay.popleft()[0]


class Connection:
    """A websocket, its compression, and what waits to be written to it."""

    def __init__(self, socket: web.WebSocketResponse, compress: bool) -> None:
        self.socket = socket
        self.session: Session | None = None
        self._compressor = zlib.compressobj() if compress else None
        self._queue: asyncio.Queue[bytes | int] = asyncio.Queue()
        self.beats = 0
        self.left_with: int | None = None
        """The code the bot closed with, if it did."""

    def send(self, payload: bytes) -> None:
        """Write when its turn comes."""
        self._queue.put_nowait(payload)

    def send_json(self, payload: Json) -> None:
        self.send(orjson.dumps(payload))

    def close(self, code: int) -> None:
        """Close after what waits is written."""
        self._queue.put_nowait(code)

    def cut(self) -> None:
        """End without a word."""
        request = self.socket._req
        if request is not None and request.transport is not None:
            request.transport.abort()

    async def write(self) -> None:
        """Write until closed."""
        with contextlib.suppress(ConnectionError):
            while True:
                item = await self._queue.get()
                if isinstance(item, int):
                    await self.socket.close(code=item)
                    return
                if self._compressor is None:
                    await self.socket.send_str(item.decode())
                else:
                    data = self._compressor.compress(item) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
                    await self.socket.send_bytes(data)
