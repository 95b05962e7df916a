"""Who has been seen in a group, by their names there: a word behind an `@` is a person only if that person is known.

Platforms that mention people by a word tell nobody whether it is one: `@ada` is somebody, `@dataclass` is code.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable

from gptbot.inbox.chats import KNOWN
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store

MOST = 1000
"""People of a group that are known, those seen last: about 90 kB."""
_MOST_ASKED = 100
"""Words of a message that are looked up: a message has no more mentions."""
_AGAIN = 60.0
"""Seconds in which somebody who is seen again is not noted again."""
_MOST_NOTED = 20_000
"""People that a process remembers to have noted, about 3 MB."""


class People:
    """Those seen in the groups of one bot, by their pseudonyms there. All methods raise StoreUnavailable."""

    def __init__(self, store: Store, keys: BotKeys, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._store = store
        self._keys = keys
        self._clock = clock
        self._noted: dict[tuple[str, str], float] = {}

    async def saw(self, conversation: str, names: Iterable[str], retention: float) -> None:
        """Note that people were seen in a group, by their names there; for as long as the group is known of a person.

        `retention`: seconds that a message may wait for its answer.
        """
        now = self._clock()
        new = [name for name in names if now >= self._noted.get((conversation, name), 0.0)]
        if not new:
            return
        key, ttl, wall = self._keys.met(conversation), int(KNOWN * retention * 1000), int(time.time() * 1000)
        scored = [part for name in new for part in (wall, name)]
        await asyncio.gather(
            self._store.command("ZADD", key, *scored),
            self._store.command("ZREMRANGEBYSCORE", key, "-inf", f"({wall - ttl}"),
            self._store.command("ZREMRANGEBYRANK", key, 0, -1 - MOST),
            self._store.command("PEXPIRE", key, ttl),
        )
        for name in new:
            self._noted.pop((conversation, name), None)
            self._noted[conversation, name] = now + _AGAIN
        while len(self._noted) > _MOST_NOTED:
            del self._noted[next(iter(self._noted))]

    async def known(self, conversation: str, names: Collection[str]) -> frozenset[str]:
        """Those of the names that somebody has who was seen in the group."""
        asked = list(names)[:_MOST_ASKED]
        if not asked:
            return frozenset()
        key = self._keys.met(conversation)
        found = await asyncio.gather(*(self._store.command("ZSCORE", key, name) for name in asked))
        return frozenset(name for name, score in zip(asked, found, strict=True) if score is not None)
