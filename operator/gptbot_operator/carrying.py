"""Carries a bot's keys from one server to another. Begun anew it goes on with those that are left.

Neither server is to be trusted: a source names keys without an end, says of a value that it is small, and sends more
than it was asked for. So all that is read is bounded, and few values are in memory at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from redis.exceptions import ResponseError

from gptbot_api.store_rights import key_pattern, key_prefix
from gptbot_operator.bounded import Bounds, TooLarge
from gptbot_operator.cancelling import cancelled

_STEP = 20
"""Most keys in one step."""
_SCANNED = 1000
"""Keys looked at for a step, about."""
_SMALL: Final = 1 << 20
"""Bytes of a step, as the source says; a key with more is a step of its own."""
_SENT: Final = 2 * _SMALL
"""Bytes that the source may send for such a step."""
MOST_BYTES: Final = 32 << 20
"""Bytes of one key; a bot's largest is a file of 20 MB."""
_SLICE = 500
"""Elements written in one go."""
_PASSES = 20
"""Most looks for keys that are left, in one go: nobody writes any meanwhile."""
_FULL = 0.8
"""Part of a shared store's memory that what is moved may fill: the rest is for the bots that are there."""

_log = structlog.get_logger("gptbot_operator")


class NoRoom(ValueError):
    """The target has too little memory left."""


class Endless(ValueError):
    """The source names keys without an end."""


def _nothing() -> None: ...


@dataclass(slots=True)
class Carrier:
    """One bot's way from one server to another. Nobody else may write its keys meanwhile."""

    source: Any
    target: Any
    bot: str
    bounds: Bounds = field(default_factory=Bounds)
    """What the source may send."""
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Held while a large value is in memory."""
    dumped: bool = True
    """Keys go as the source keeps them; else by the commands of their types, for a target whose memory is not to take
    a stranger's bytes, and only while it has room."""
    progress: Callable[[], None] = _nothing
    """Called after each step that has moved something."""

    async def carry(self) -> int:
        """Move every key with its time to live; how many.

        Of what the source names only keys of the bot are moved, and none that is larger than any of a bot: that is
        erased there. Raises redis' exceptions, OSError, NoRoom, Endless.
        """
        count, passes, cursor, found = 0, 0, 0, False
        prefix = key_prefix(self.bot).encode()
        while True:
            if cancelled():
                raise asyncio.CancelledError
            cursor, named = await self.source.scan(cursor, match=key_pattern(self.bot), count=_SCANNED)
            keys = [key for key in named if key.startswith(prefix)]
            count += await self._some(keys)
            found = found or bool(keys)
            if cursor:
                continue
            passes += 1
            if not found:
                return count
            if passes == _PASSES:
                raise Endless
            found = False

    async def _some(self, keys: Sequence[bytes]) -> int:
        count = 0
        for first in range(0, len(keys), _STEP):
            few = keys[first : first + _STEP]
            for step, size in _steps(few, await self._sizes(few)):
                if cancelled():
                    raise asyncio.CancelledError
                if not self.dumped:
                    await self._room()
                count += await self._step(step, size)
        return count

    async def _sizes(self, keys: Sequence[bytes]) -> list[int]:
        """What the source says; where it does not, each may be the largest. https://valkey.io/commands/memory-usage/"""
        asked = self.source.pipeline(transaction=False)
        for key in keys:
            asked.memory_usage(key, samples=0)
        replies = await asked.execute(raise_on_error=False)
        return [MOST_BYTES if isinstance(size, Exception) else min(int(size or 0), MOST_BYTES) for size in replies]

    async def _step(self, keys: Sequence[bytes], size: int) -> int:
        if size <= _SMALL:
            return await self._moved(keys, _SENT)
        async with self.large:
            return await self._moved(keys, MOST_BYTES)

    async def _moved(self, keys: Sequence[bytes], most: int) -> int:
        """How many were moved: all, or none of one that is too large."""
        try:
            if not (self.dumped and await self._dumped(keys, most)):
                for key in keys:
                    with self.bounds.together(most):
                        await self._written_anew(key)
        except TooLarge:
            if len(keys) > 1:
                return sum([await self._moved([key], most) for key in keys])
            if most < MOST_BYTES:  # what takes little memory may take more on its way
                async with self.large:
                    return await self._moved(keys, MOST_BYTES)
            _log.warning("a value larger than any of a bot is erased instead of moved", bot=self.bot)
            await self.source.unlink(*keys)
            return 0
        await self.source.unlink(*keys)
        self.progress()
        return len(keys)

    async def _dumped(self, keys: Sequence[bytes], most: int) -> bool:
        """https://valkey.io/commands/restore/; False: a target of an older version, or a login that may not do this."""
        asked = self.source.pipeline(transaction=False)
        for key in keys:
            asked.dump(key)
            asked.pttl(key)
        written = self.target.pipeline(transaction=False)
        try:
            with self.bounds.together(most):
                replies = await asked.execute()
            for place, key in enumerate(keys):
                payload, ttl = replies[2 * place : 2 * place + 2]
                if payload is not None:  # else it has expired
                    written.restore(key, 0 if ttl == -1 else max(ttl, 1), payload, replace=True)
            await written.execute()
        except ResponseError:
            return False
        return True

    async def _written_anew(self, key: bytes) -> None:
        """The same by the commands of its type. What a worker of a group had begun is delivered once more.

        Cut off in the middle it is begun anew: the source has the key until all of it is written.
        """
        source, target = self.source, self.target
        kind: bytes = await source.type(key)
        await target.delete(key)
        match kind:
            case b"string":
                await target.set(key, await source.get(key))
            case b"list":
                await self._list(key)
            case b"hash":
                await self._hash(key)
            case b"zset":
                await self._sorted_set(key)
            case b"stream":
                await self._stream(key)
            case _:
                return  # it has expired
        ttl: int = await source.pttl(key)
        if ttl >= 0:
            await target.pexpire(key, max(ttl, 1))

    async def _list(self, key: bytes) -> None:
        start = 0
        while some := await self.source.lrange(key, start, start + _SLICE - 1):
            await self.target.rpush(key, *some)
            start += len(some)

    async def _hash(self, key: bytes) -> None:
        cursor = 0
        while True:
            cursor, some = await self.source.hscan(key, cursor, count=_SLICE)
            if some:
                await self.target.hset(key, mapping=some)
            if not cursor:
                return

    async def _sorted_set(self, key: bytes) -> None:
        start = 0
        while some := await self.source.zrange(key, start, start + _SLICE - 1, withscores=True):
            await self.target.zadd(key, dict(some))
            start += len(some)

    async def _stream(self, key: bytes) -> None:
        after = b"-"
        while some := await self.source.xrange(key, after, count=_SLICE):
            written = self.target.pipeline(transaction=False)
            for entry, fields in some:
                written.xadd(key, fields, id=entry)
            await written.execute()
            after = b"(" + some[-1][0]
        for group in await self.source.xinfo_groups(key):
            await self.target.xgroup_create(key, group["name"], id="0", mkstream=True)

    async def _room(self) -> None:
        """https://valkey.io/commands/info/; 0: it takes all that its machine has."""
        memory = await self.target.info("memory")
        most = int(memory.get("maxmemory") or 0)
        if most and int(memory["used_memory"]) > _FULL * most:
            raise NoRoom


def _steps(keys: Sequence[bytes], sizes: Sequence[int]) -> Iterator[tuple[list[bytes], int]]:
    """Keys that are moved together, and their bytes."""
    step: list[bytes] = []
    total = 0
    for key, size in zip(keys, sizes, strict=True):
        if step and total + size > _SMALL:
            yield step, total
            step, total = [], 0
        step.append(key)
        total += size
    if step:
        yield step, total
