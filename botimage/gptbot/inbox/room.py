"""Whether the store that bots share has room for more of this one: the operator counts, and leaves a mark if not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from redis.exceptions import ResponseError

from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.telemetry.logs import get_logger
from gptbot_api.store_faults import RIGHTS
from gptbot_api.store_rights import full_key

log = get_logger("store")

LOOKS_EVERY = 10.0
"""Seconds."""


class Room:
    """The room of one bot, as this process knows it."""

    def __init__(self, store: Store, bot: str, shared: Callable[[], bool]) -> None:
        """`bot`: `namespace/name`. `shared`: whether its spec names no store of its own: nobody counts there."""
        self._store = store
        self._bot = bot
        self._shared = shared
        self.full = False
        """Nothing new is to be taken in."""

    async def watch(self, every: float = LOOKS_EVERY) -> None:
        """Look for the mark again and again; return where this login may not."""
        while True:
            if not await self.look():
                return
            await asyncio.sleep(every * random.uniform(0.8, 1.2))

    async def look(self) -> bool:
        """Look once; False: this login may not. While the store is away, what is known stands."""
        if not self._shared():
            self._note(False)
            return True
        try:
            self._note(await self._store.command("GET", full_key(self._bot)) is not None)
        except StoreUnavailable as error:
            return str(error) != str(RIGHTS)
        except ResponseError:  # the mark is no string: nobody of ours wrote it
            self._note(False)
        return True

    def _note(self, full: bool) -> None:
        if full != self.full:
            told = "no more messages are taken in" if full else "messages are taken in again"
            log.warning("the bot's share of the store: " + told, bot=self._bot)
        self.full = full
