"""How much of the shared store each bot fills, and which of them are to take in nothing more: one bot is not all.

Bots are not asked: what is counted is every key that begins as theirs do. The mark that a bot is full lies beside its
keys, where its user may read it and nobody but the operator writes.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from redis.exceptions import TimeoutError as RedisTimeoutError

from gptbot_api.store_rights import FULL_PREFIX, full_key
from gptbot_operator.accounts import FAILURES
from gptbot_operator.cancelling import cancelled
from gptbot_operator.servers import Server, Servers
from gptbot_operator.store import Reading
from gptbot_operator.store_allowance import Allowance
from gptbot_operator.store_client import fault_of

_STEP = 500
"""Keys looked at in one step, about."""
_REST = 50
"""How much longer than a step takes there is none: what is counted costs the store and the operator at most 2 %."""
_MARK_LASTS = 600
"""Seconds that a bot refuses messages for the last mark. Without an operator nobody counts, and bots go on."""
_RENEWED = 200.0
"""Seconds after which marks are written again."""
_ANSWERS = 10
"""Tries of PING after a key that took too long to be counted."""
_WARNED = 0.8
_KEY = re.compile(rb"\{([^{}]{1,400})\}:")

_log = structlog.get_logger("gptbot_operator")


@dataclass(frozen=True, slots=True)
class Use:
    """What a bot had when it was counted last."""

    used: int
    """Bytes."""
    limit: int
    """Bytes."""


class Shares:
    """Counts what bots have in a store, a step at a time."""

    def __init__(self, allowance: Allowance, servers: Servers, bots: Mapping[str, str], pause: float) -> None:
        """`bots`: those that are looked after here, with their uids, as of now. `pause`: seconds between passes."""
        self._allowance = allowance
        self._servers = servers
        self._bots = bots
        self._pause = pause
        self._uses: dict[str, Use] = {}

    async def run(self) -> None:
        """Count again and again, until cancelled."""
        while not cancelled():
            await asyncio.sleep(self._pause * random.uniform(0.9, 1.1))
            for server in [each for each in self._servers.known if each.primary]:
                try:
                    await self.count(server)
                except FAILURES as error:
                    _log.info("shares of the store not counted; tried again", reason=str(fault_of(error, None)))
                except Exception:
                    _log.exception("shares of the store not counted; tried again")

    async def count(self, server: Server) -> None:
        """One pass over the keys of a server. Raises one of FAILURES."""
        client = server.client
        limit = self._allowance.of(int((await client.info("memory")).get("maxmemory") or 0))
        if not limit:
            self._uses.clear()
            return
        sums, marked, full = dict[str, int](), set[str](), set[str]()
        cursor, told = 0, time.monotonic()
        while True:
            started = time.monotonic()
            cursor, keys = await client.scan(cursor, count=_STEP)
            marked |= {key[len(FULL_PREFIX) + 1 : -1].decode() for key in keys if key.startswith(_MARK)}
            theirs = [(found[1].decode(errors="replace"), key) for key in keys if (found := _KEY.match(key))]
            for (bot, _), size in zip(theirs, await _sizes(client, [key for _, key in theirs], limit), strict=True):
                sums[bot] = sums.get(bot, 0) + size
            # Whoever is over it already need not be counted to the end; the marks of a long pass must not lapse.
            over = {bot for bot in {bot for bot, _ in theirs} & self._bots.keys() if sums[bot] >= limit}
            late = started - told > _RENEWED
            await _mark(client, full | over if late else over - full)
            full, told = full | over, started if late else told
            if not cursor:
                break
            await asyncio.sleep((time.monotonic() - started) * _REST)
        await self._conclude(server, sums, limit, marked)

    async def _conclude(self, server: Server, sums: Mapping[str, int], limit: int, marked: Collection[str]) -> None:
        here = [bot for bot in self._bots if self._is_on(server, bot)]
        before = {bot for bot, use in self._uses.items() if use.used >= use.limit}
        full = {bot for bot in here if sums.get(bot, 0) >= limit}
        for bot in here:
            self._uses[bot] = Use(sums.get(bot, 0), limit)
        for bot in self._uses.keys() - self._bots.keys():
            del self._uses[bot]
        await _mark(server.client, full)
        await _unmark(server.client, [bot for bot in here if bot in {*marked, *before} and bot not in full])
        for bot in full - before:
            _log.warning("a bot has filled its share of the store; it takes in nothing until it has less", bot=bot)

    def _is_on(self, server: Server, bot: str) -> bool:
        try:
            return self._servers.of(bot) is server.client
        except LookupError:
            return False

    def judge(self, bot: str, reading: Reading | None) -> Reading | None:
        """What a reading of the shared store does not show."""
        use = self._uses.get(bot) if bot in self._bots else None
        if reading is None or not reading.reachable or use is None or use.used < _WARNED * use.limit:
            return reading
        sizes = f"{_size(use.used)} of {_size(use.limit)}"
        part = f"the bot fills {100 * use.used // use.limit} % of its share of the store ({sizes})"
        remedy = "lower privacy.retention, context.ttl or context.maxMessages, or raise operator.storeShare"
        if use.used >= use.limit:
            text = f"{part} and takes in no messages until it has less: {remedy}"
            return replace(reading, reason="StoreShareSpent", message=text)
        if reading.reason != "Reachable":
            return reading
        return replace(reading, reason="StoreShare", message=f"{part}; with all of it, it takes in no more: {remedy}")


_MARK = f"{FULL_PREFIX}{{".encode()


async def _sizes(client: Any, keys: Sequence[bytes], limit: int) -> list[int]:
    """Bytes of keys, with every element of each: a sample could be led astray. 0: it is there no more."""
    try:
        pipeline = client.pipeline(transaction=False)
        for key in keys:
            pipeline.memory_usage(key, samples=0)
        return [size or 0 for size in await pipeline.execute()] if keys else []
    except (RedisTimeoutError, TimeoutError):
        return [await _size_of(client, key, limit) for key in keys]


async def _size_of(client: Any, key: bytes, limit: int) -> int:
    """Bytes of a key; one that takes too long to be counted, of a store that answers, is as much as there may be."""
    try:
        return await client.memory_usage(key, samples=0) or 0
    except (RedisTimeoutError, TimeoutError):
        for again in range(_ANSWERS):
            try:
                await client.ping()
            except (RedisTimeoutError, TimeoutError):
                if again + 1 == _ANSWERS:
                    raise
            else:
                break
        return limit


async def _mark(client: Any, bots: Collection[str]) -> None:
    if bots:
        pipeline = client.pipeline(transaction=False)
        for bot in bots:
            pipeline.set(full_key(bot), "1", ex=_MARK_LASTS)
        await pipeline.execute()


async def _unmark(client: Any, bots: Collection[str]) -> None:
    if bots:
        pipeline = client.pipeline(transaction=False)
        for bot in bots:
            pipeline.delete(full_key(bot))
        await pipeline.execute()


def _size(count: int) -> str:
    return f"{count / 1024**2:.1f} MiB"
