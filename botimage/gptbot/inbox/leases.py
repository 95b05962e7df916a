"""Leases of receivers: which of several gateways reads a bot's token or shard."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Script, Store, StoreUnavailable

_LEASE, _RELEASE = Script.load("lease"), Script.load("release")


class StoreLeases:
    """The leases of one bot, held by one process."""

    def __init__(self, store: Store, keys: BotKeys, holder: str, ttl: float = 10.0) -> None:
        self._store = store
        self._keys = keys
        self._holder = holder
        self._ttl = ttl
        self.held: set[str] = set()
        """Receivers held now."""

    async def run(self, receiver: str, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease of `receiver`, run `work` while it is held, cancel it when it is lost, and so on.

        Returns when `work` does; raises what `work` raises. The lease is released either way, and on cancellation.
        """
        while True:
            deadline = await self._acquire(receiver)
            self.held.add(receiver)
            task = asyncio.ensure_future(work())
            keeper = asyncio.create_task(self._keep(receiver, deadline), name=f"lease {receiver}")
            try:
                await asyncio.wait({task, keeper}, return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    return task.result()
            finally:
                self.held.discard(receiver)
                for other in (task, keeper):
                    other.cancel()
                await asyncio.gather(task, keeper, return_exceptions=True)
                await self._release(receiver)

    async def _acquire(self, receiver: str) -> float:
        """Wait until the lease is ours; until when, on the monotonic clock."""
        while True:
            asked = time.monotonic()
            with contextlib.suppress(StoreUnavailable):
                if await self._take(receiver):
                    return asked + self._ttl
            await asyncio.sleep(min(1.0, self._ttl / 5))

    async def _keep(self, receiver: str, deadline: float) -> None:
        """Renew until the lease is lost, or may be by the time a renewal could tell."""
        while True:
            await asyncio.sleep(self._ttl / 4)
            asked = time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, deadline - asked)):
                    if not await self._take(receiver):
                        return
                deadline = asked + self._ttl
            except (StoreUnavailable, TimeoutError):
                if time.monotonic() >= deadline - self._ttl / 4:
                    return

    async def _take(self, receiver: str) -> bool:
        key = self._keys.lease(receiver)
        return bool(await self._store.run(_LEASE, (key,), self._holder, int(self._ttl * 1000)))

    async def _release(self, receiver: str) -> None:
        with contextlib.suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(2):
                await self._store.run(_RELEASE, (self._keys.lease(receiver),), self._holder)
