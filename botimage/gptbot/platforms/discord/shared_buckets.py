"""Buckets that are used up, told to the other workers of a bot: each of them sees the headers of its own answers only.

The answers of a channel come from one worker at a time, and from one after the other: what the last of them was told
of the channel's buckets is what the next has to know.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store, StoreUnavailable

SHARED: Final = frozenset({"create message"})
"""Routes that workers share. A message is edited by the worker that made it, which knows that bucket by itself."""
MOST_SECONDS: Final = 60.0
"""Waits of more are none of a channel's: somebody else wrote them."""
_PATIENCE: Final = 0.5
"""Seconds that the store may take; without it, a 429 says the same."""


@dataclass(frozen=True, slots=True)
class SharedBuckets:
    """Of one bot. Raises nothing: a store that is away knows of no bucket."""

    store: Store
    keys: BotKeys

    async def wait(self, route: tuple[str, str]) -> float:
        """Seconds until there is a place in a route's bucket, as far as another worker was told; 0.0: now."""
        with contextlib.suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                left: int = await self.store.command("PTTL", self._key(route))
                return min(max(0, left) / 1000, MOST_SECONDS)
        return 0.0

    async def spent(self, route: tuple[str, str], seconds: float) -> None:
        """Tell that a route's bucket has no place for so long."""
        with contextlib.suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self.store.command("SET", self._key(route), "1", "PX", max(1, round(seconds * 1000)))

    def _key(self, route: tuple[str, str]) -> str:
        return self.keys.platform("discord", f"bucket:{self.keys.pseudonym('discord', 'bucket', *route)}")
