"""What the gateways of a bot share in the store: who may IDENTIFY now, and where the last holder of a shard stopped."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gptbot.inbox.claims import number, text
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mending import count
from gptbot.inbox.store import Store
from gptbot.platforms.discord import limits
from gptbot.platforms.discord.client import Session

_KEPT: Final = 3600
"""Seconds the progress is kept. Discord forgets a disconnected session after a few minutes (docs/events/gateway) and
says so when it is tried; what was missed is fetched for an hour back."""
_MARGIN: Final = 1.1
"""How much longer than Discord's a window for IDENTIFY is: the way there is not always as long."""
_LOOK_BACK: Final = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a shard came."""

    session: Session | None = None
    """What to RESUME; all up to its sequence number is in the store."""
    until: float | None = None
    """All that was sent up to then (seconds since 1970) is in the store."""
    missed: float | None = None
    """From when on messages were missed and are not fetched yet."""


class SharedSessions:
    """Of one bot. All methods raise StoreUnavailable."""

    def __init__(self, store: Store, keys: BotKeys) -> None:
        self._store = store
        self._keys = keys

    async def permit(self, shard: int, max_concurrency: int) -> None:
        """Wait until the shard may IDENTIFY: one a window for each of `max_concurrency` groups, over all gateways."""
        key = self._key("identify", shard % max(1, max_concurrency))
        window = round(limits.IDENTIFY_WINDOW * _MARGIN * 1000)
        while await self._store.command("SET", key, shard, "NX", "PX", window) is None:
            left = await self._store.command("PTTL", key)
            if not 0 <= left <= window:  # it was not written here: it would never end, or much too late
                await self._store.command("DEL", key)
            else:
                await asyncio.sleep(max(10, left) / 1000)

    async def hold(self, shard: int) -> int:
        """Begin to hold a shard; the number of this holding. A holder writes under its own number only.

        So one that was paused past its lease cannot overwrite what its successor noted.
        """
        return int(await self._store.command("INCR", self._key("holding", shard)))

    async def save(self, shard: int, holding: int, terms: str, progress: Progress) -> None:
        """Note how far a shard is. `terms`: what a session is bound to, such as its intents."""
        session = progress.session
        value = orjson.dumps({
            "terms": terms, "until": progress.until, "missed": progress.missed,
            "session": [session.id, session.sequence, session.url] if session else None,
        })  # fmt: skip
        await self._store.command("SET", self._key("session", shard, holding), value, "EX", _KEPT)

    async def load(self, shard: int, holding: int, terms: str) -> Progress:
        """How far the holders before this one came; without their session if it was on other terms.

        A shard that nobody held before, because there are more of them now, missed what the first one missed.
        """
        found = await self._last(shard, holding, terms)
        if found is None and shard > 0:
            held = text(await self._store.command("GET", self._key("holding", 0)))
            first = await self._last(0, number(held) + 1, terms)
            return Progress(until=first.missed or first.until) if first else Progress()
        return found or Progress()

    async def _last(self, shard: int, holding: int, terms: str) -> Progress | None:
        for earlier in range(holding - 1, max(0, holding - 1 - _LOOK_BACK), -1):
            value = await self._store.command("GET", self._key("session", shard, earlier))
            if value is not None:
                try:
                    return _progress(orjson.loads(value), terms)
                except (ValueError, KeyError, TypeError):
                    count(self._keys.bot, "p:session")  # as one that was never written
        return None

    def _key(self, what: str, *numbers: int) -> str:
        return self._keys.platform("discord", ":".join([what, *map(str, numbers)]))


def _progress(data: Any, terms: str) -> Progress:
    """Raises KeyError, TypeError and ValueError where it is none."""
    times, session = (data["until"], data["missed"]), data["session"]
    if not all(each is None or type(each) in (int, float) for each in times):
        raise TypeError("times are numbers")
    if not session or data["terms"] != terms:
        return Progress(None, *times)
    name, sequence, url = session
    if not isinstance(name, str) or not isinstance(url, str) or not (sequence is None or type(sequence) is int):
        raise TypeError("a session is of other types")
    return Progress(Session(name, sequence, url), *times)
