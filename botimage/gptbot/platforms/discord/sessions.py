"""What the gateways of a bot share in the store: who may IDENTIFY now, and where the last holder of a shard stopped."""

from __future__ import annotations

import asyncio
from typing import Final

import orjson

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.discord import limits
from gptbot.platforms.discord.client import Session

_KEPT: Final = 300
"""Seconds a session is kept: Discord forgets a disconnected one after a few minutes (docs/events/gateway)."""
_LOOK_BACK: Final = 3


class SharedSessions:
    """Of one bot. All methods raise StoreUnavailable."""

    def __init__(self, store: Store, keys: BotKeys) -> None:
        self._store = store
        self._keys = keys

    async def permit(self, shard: int, max_concurrency: int) -> None:
        """Wait until the shard may IDENTIFY: one a window for each of `max_concurrency` groups, over all gateways."""
        key = self._key("identify", shard % max(1, max_concurrency))
        window = round(limits.IDENTIFY_WINDOW * 1000)
        while await self._store.command("SET", key, shard, "NX", "PX", window) is None:
            left = await self._store.command("PTTL", key)
            await asyncio.sleep(max(10, left) / 1000)

    async def hold(self, shard: int) -> int:
        """Begin to hold a shard; the number of this holding. A holder writes under its own number only.

        So one that was paused past its lease cannot overwrite what its successor noted.
        """
        return int(await self._store.command("INCR", self._key("holding", shard)))

    async def save(self, shard: int, holding: int, terms: str, session: Session) -> None:
        """Note where a shard is. `terms`: what a session is bound to, such as its intents."""
        value = orjson.dumps({"terms": terms, "id": session.id, "sequence": session.sequence, "url": session.url})
        await self._store.command("SET", self._key("session", shard, holding), value, "EX", _KEPT)

    async def load(self, shard: int, holding: int, terms: str) -> Session | None:
        """Where the holders before this one stopped, if it was on the same terms."""
        for earlier in range(holding - 1, max(0, holding - 1 - _LOOK_BACK), -1):
            value = await self._store.command("GET", self._key("session", shard, earlier))
            if value is not None:
                data = orjson.loads(value)
                return Session(data["id"], data["sequence"], data["url"]) if data["terms"] == terms else None
        return None

    def _key(self, what: str, *numbers: int) -> str:
        return self._keys.platform("discord", ":".join([what, *map(str, numbers)]))
