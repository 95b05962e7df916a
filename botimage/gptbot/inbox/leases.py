"""Leases of receivers: which of several gateways reads a bot's token or shard, and how shards spread over them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot_api.store_functions import function

_LEASE, _RELEASE, _ATTEND = function("lease"), function("release"), function("attend")
_POLL = 0.5


class StoreLeases:
    """The leases of one bot, held by one process.

    Receivers with the same name before the colon (`shards:0`, `shards:1`) are a group that the gateways alive share:
    one takes its share at once, more only what stays free for half a TTL, and gives one up when another gateway has
    less than its share and waits for it.
    """

    def __init__(self, store: Store, keys: BotKeys, holder: str, ttl: float = 10.0) -> None:
        self._store = store
        self._keys = keys
        self._holder = holder
        self._ttl = ttl
        self._alive = 1
        """Gateways of this bot."""
        self._wanted: set[str] = set()
        self._turn = asyncio.Lock()
        """So that what one receiver takes counts before the next one asks."""
        self.held: set[str] = set()
        """Receivers held now."""

    async def attend(self) -> None:
        """Be counted as a gateway of this bot until cancelled. One that is not counts itself as the only one."""
        try:
            while True:
                with contextlib.suppress(StoreUnavailable):
                    await self._count()
                await asyncio.sleep(self._ttl / 4)
        finally:
            with contextlib.suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(2):
                    await self._store.command("ZREM", self._gateways, self._holder)

    async def run(self, receiver: str, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease of `receiver`, run `work` while it is held, cancel it when it is lost, and so on.

        Returns when `work` does; raises what `work` raises. The lease is released either way, and on cancellation.
        """
        self._wanted.add(receiver)
        try:
            yielded = False
            while True:
                deadline = await self._acquire(receiver, yielded)
                yielded = False
                task = asyncio.ensure_future(work())
                keeper = asyncio.create_task(self._keep(receiver, deadline), name=f"lease {receiver}")
                try:
                    await asyncio.wait({task, keeper}, return_when=asyncio.FIRST_COMPLETED)
                    if task.done():
                        return task.result()
                    yielded = keeper.result()
                finally:
                    self.held.discard(receiver)
                    for other in (task, keeper):
                        other.cancel()
                    await asyncio.gather(task, keeper, return_exceptions=True)
                    await self._release(receiver)
        finally:
            self._wanted.discard(receiver)

    def waits(self, receiver: str) -> bool:
        """Whether this gateway would read a receiver that it does not hold."""
        return receiver in self._wanted and receiver not in self.held

    async def _acquire(self, receiver: str, yielded: bool) -> float:
        """Wait until the lease is ours; until when, on the monotonic clock. `yielded`: others come first now."""
        free_since: float | None = None
        while True:
            with contextlib.suppress(StoreUnavailable):
                async with self._turn:
                    asked = time.monotonic()
                    may = not self._others_first(receiver, yielded)
                    if not may and await self._store.command("EXISTS", self._keys.lease(receiver)):
                        free_since, yielded = None, False
                    elif not may:
                        await self._count()  # the one who had it may just have gone
                        free_since = free_since or asked
                        may = not self._others_first(receiver, yielded) or asked - free_since >= self._ttl / 2
                    if may and await self._take(receiver):
                        self.held.add(receiver)
                        return asked + self._ttl
            await asyncio.sleep(min(_POLL, self._ttl / 5))

    async def _keep(self, receiver: str, deadline: float) -> bool:
        """Renew until the lease is lost, or may be by the time a renewal could tell. True: until it is given away."""
        while True:
            await asyncio.sleep(self._ttl / 4)
            asked = time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, deadline - asked)):
                    taken = await self._take(receiver)
                if not taken:
                    return False
                if taken > 1 and self._count_held(receiver) > self._share(receiver)[0]:
                    self.held.discard(receiver)
                    return True
                deadline = asked + self._ttl
            except (StoreUnavailable, TimeoutError):
                if time.monotonic() >= deadline - self._ttl / 4:
                    return False

    def _share(self, receiver: str) -> tuple[int, int]:
        """The least and the most that each gateway has of a receiver's group, when it is spread evenly."""
        total = sum(_group(other) == _group(receiver) for other in self._wanted)
        return total // self._alive, -(-total // self._alive)

    def _count_held(self, receiver: str) -> int:
        return sum(_group(other) == _group(receiver) for other in self.held)

    def _others_first(self, receiver: str, yielded: bool) -> bool:
        return self._alive > 1 and (yielded or self._count_held(receiver) >= self._share(receiver)[1])

    @property
    def _gateways(self) -> str:
        return self._keys.gateways

    async def _count(self) -> None:
        self._alive = max(1, await self._store.run(_ATTEND, (self._gateways,), self._holder, int(self._ttl * 1000)))

    async def _take(self, receiver: str) -> int:
        """Take or keep a lease: 0 when it is another's, 2 when it is ours and another gateway should have it."""
        key = self._keys.lease(receiver)
        hungry = self._count_held(receiver) < self._share(receiver)[0]
        mark = int(self._ttl * 500) if hungry else 0  # twice the time between renewals, so that each holder sees it
        return int(await self._store.run(_LEASE, (key, f"{key}:wanted"), self._holder, int(self._ttl * 1000), mark))

    async def _release(self, receiver: str) -> None:
        with contextlib.suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(2):
                await self._store.run(_RELEASE, (self._keys.lease(receiver),), self._holder)


def _group(receiver: str) -> str:
    return receiver.partition(":")[0]
