"""Readings of bots' stores, for looks that wait for none of a bot's own: it may answer slowly, never, or in jest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

import structlog

from gptbot_operator.errands import Errands
from gptbot_operator.store import Reading, StoreReader

_NEW, _QUICK = 1.0, 0.25
"""Seconds that a look waits for a store of a bot's own of which nothing is known, and for one that has answered."""
_NOT_YET = Reading(False, "NotAnswered", "the store has not answered yet")

_log = structlog.get_logger("gptbot_operator")


class Readings:
    """Asks the shared store within a look, and all others beside it."""

    def __init__(self, shared: str | None, max_age: float, done: Callable[[str], None]) -> None:
        """`shared`: URL of the shared store; `max_age`: seconds; `done`: called for a bot whose store answers later."""
        self._reader = StoreReader(max_age=max_age, shared=shared)
        self._shared = shared
        self._errands = Errands(done)
        self._last: dict[str, tuple[str, Reading]] = {}
        """Bot to the store of its own that was read last, and what was read."""

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Let readings begin from now on; they end with the group."""
        self._errands.start(tasks)

    async def read(self, url: str, bot: str) -> Reading:
        """The store of a bot; of one that is slow, what was read last."""
        if url == self._shared:
            return await self._reader.read(url, bot)
        if (reading := self._reader.known(url, bot)) and self._errands.subject(bot) is None:
            return self._keep(url, bot, reading)
        of, last = self._last.get(bot, ("", None))
        last = last if of == url else None
        patience = _NEW if last is None else _QUICK if last.reachable else 0.0
        found: Reading | None = await self._errands.outcome(bot, url, partial(self._ask, url, bot), patience=patience)
        return (last or _NOT_YET) if found is None else self._keep(url, bot, found)

    async def forget(self, bot: str, urls_in_use: Iterable[str]) -> None:
        """Drop what is known of a bot, and the connections nobody uses."""
        await self._errands.end(bot)
        self._last.pop(bot, None)
        await self._reader.forget(bot, urls_in_use)

    async def close(self) -> None:
        """Close all connections."""
        await self._reader.close()

    def _keep(self, url: str, bot: str, reading: Reading) -> Reading:
        self._last[bot] = url, reading
        return reading

    async def _ask(self, url: str, bot: str) -> Reading:
        try:
            return await self._reader.read(url, bot)
        except Exception as error:  # whatever it answers
            _log.warning("own store not read, and is asked again later", bot=bot, reason=type(error).__name__)
            return Reading(False, "Unreadable", "what the store answers is not what a bot keeps")
