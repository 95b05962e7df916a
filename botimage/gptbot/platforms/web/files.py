"""Files that people attached, in the store from the gateway to the answer: the page is no service that keeps them.

Each is a list of pieces, so that no large command holds up the others. They are deleted once they were answered, when
their conversation is forgotten, and after an hour in any case.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection, Mapping
from typing import Final

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store

LASTS: Final = 3600
"""Seconds."""
MOST_OF_SESSION: Final = 25_000_000
MOST: Final = 64_000_000
"""Bytes of all sessions of a bot: the store holds much else."""
_PIECE = 256 * 1024
_PIECES = 4
_WORDS = 3
_SIZE = re.compile(r"[0-9]{1,12}")
"""Read at once."""


class Full(Exception):
    """There is no room for more files now."""


class Files:
    """Those of one bot. Sessions go by their pseudonyms. All methods raise StoreUnavailable."""

    def __init__(self, store: Store, keys: BotKeys) -> None:
        self._store = store
        self._keys = keys
        self._index = keys.platform("web", "files")
        """Sorted set: `SESSION NAME SIZE`, by when it goes (seconds since 1970)."""

    def _key(self, session: str, name: str) -> str:
        return self._keys.platform("web", f"file:{session}:{name}")

    async def keep(self, session: str, contents: Mapping[str, bytes]) -> None:
        """Keep files under their names, in the place of what had these. Raises Full."""
        now, store = time.time(), self._store
        await store.command("ZREMRANGEBYSCORE", self._index, "-inf", int(now))
        others = [item for item in await self._kept() if item[0] != session or item[1] not in contents]
        size = sum(map(len, contents.values()))
        ours = sum(item[2] for item in others if item[0] == session)
        if size + ours > MOST_OF_SESSION or size + sum(item[2] for item in others) > MOST:
            raise Full
        await self._drop(session, contents)
        for name, content in contents.items():
            key = self._key(session, name)
            await asyncio.gather(
                store.command("ZADD", self._index, int(now) + LASTS, f"{session} {name} {len(content)}"),
                store.command("EXPIRE", self._index, LASTS),
                store.command("RPUSH", key, content[:_PIECE]),
                store.command("EXPIRE", key, LASTS),
            )
            for place in range(_PIECE, len(content), _PIECE):
                await store.command("RPUSH", key, content[place : place + _PIECE])

    async def read(self, session: str, name: str, limit: int) -> bytes | None:
        """The content of a file, up to a byte more than `limit`. None: it is not there (any more)."""
        found = bytearray()
        for place in range(0, limit // _PIECE + 2, _PIECES):
            key = self._key(session, name)
            pieces = await self._store.command("LRANGE", key, place, place + _PIECES - 1)
            found += b"".join(pieces)
            if len(pieces) < _PIECES:
                break
        return bytes(found[: limit + 1]) or None

    async def drop(self, session: str, names: Collection[str] | None = None) -> None:
        """Delete files of a session; all of them, where no names are given."""
        if names is None:
            names = [name for owner, name, _ in await self._kept() if owner == session]
        await self._drop(session, names)

    async def _drop(self, session: str, names: Collection[str]) -> None:
        if not names:
            return
        items = [f"{session} {name} {size}" for owner, name, size in await self._kept()
                 if owner == session and name in names]  # fmt: skip
        steps = [self._store.command("UNLINK", *(self._key(session, name) for name in names))]
        if items:
            steps.append(self._store.command("ZREM", self._index, *items))
        await asyncio.gather(*steps)

    async def _kept(self) -> list[tuple[str, str, int]]:
        """Session, name and size of each."""
        found: list[bytes] = await self._store.command("ZRANGE", self._index, 0, -1)
        items = (item.decode(errors="replace").split(" ") for item in found)
        # What has another form names no file.
        return [(item[0], item[1], int(item[2])) for item in items if len(item) == _WORDS and _SIZE.fullmatch(item[2])]
