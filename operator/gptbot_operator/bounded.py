"""A bound for what a store answers. Whoever runs a store of a bot's own decides what it says, and how much."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from redis._parsers.resp2 import _AsyncRESP2Parser  # no public name; hiredis keeps whatever comes
from redis.exceptions import ConnectionError as StoreConnectionError
from redis.exceptions import InvalidResponse

MOST_BYTES = 4 << 20
"""Of one reply, where nothing else is said."""
MOST_ITEMS = 200_000
"""Of one reply, where nothing else is said."""
_SLICE = 1_000
"""Items that are read before others have their turn."""


class TooLarge(StoreConnectionError):
    """A store answers with more than any gptbot keeps. The connection is closed."""


class Bounds:
    """How much the servers of a store may answer: so much a reply, or so many bytes for several replies together."""

    def __init__(self, *, most_bytes: int = MOST_BYTES, most_items: int = MOST_ITEMS) -> None:
        """`most_bytes`, `most_items`: of one reply; each array in it counts as an item too."""
        self._most_bytes, self._most_items = most_bytes, most_items
        self._together = False
        self.bytes = self.items = 0
        """Still to come at most."""

    def begin(self) -> None:
        """A reply begins."""
        self.items = self._most_items
        if not self._together:
            self.bytes = self._most_bytes

    @contextmanager
    def together(self, most: int) -> Generator[None]:
        """All replies within have so many bytes together at most."""
        self.bytes, self._together = most, True
        try:
            yield
        finally:
            self._together = False

    def parser(self, socket_read_size: int) -> Any:
        """Make a parser for a connection of redis-py, RESP 2."""
        return _Bounded(socket_read_size, self)


class _Bounded(_AsyncRESP2Parser):
    __slots__ = ("_bounds",)

    def __init__(self, socket_read_size: int, bounds: Bounds) -> None:
        super().__init__(socket_read_size)
        self._bounds = bounds

    async def read_response(self, disable_decoding: bool = False, **_: Any) -> Any:
        self._bounds.begin()
        try:
            return await super().read_response(disable_decoding=disable_decoding)
        except RecursionError:
            raise TooLarge("a reply has arrays within arrays without an end") from None
        except ValueError:  # a line without an end, or no number where one must be
            raise InvalidResponse("a reply is none of RESP") from None

    async def _readline(self) -> bytes:
        line = await super()._readline()
        self._bounds.items -= 1
        self._bounds.bytes -= len(line)
        if self._bounds.items % _SLICE == 0:
            await asyncio.sleep(0)
        values, parts = (int(line[1:]) if line[:1] == kind else 0 for kind in (b"$", b"*"))
        if max(values, 0) > self._bounds.bytes:
            raise TooLarge("a value has more bytes than a bot keeps")
        if max(parts, 0) > self._bounds.items:
            raise TooLarge("a reply has more parts than a bot keeps")
        return line

    async def _read(self, length: int) -> bytes:
        self._bounds.bytes -= length
        return await super()._read(length)
