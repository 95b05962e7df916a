"""What deleted bots leave in stores of their own: erased beside all else, as such a store may be slow, gone, or lie."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol

import structlog

from gptbot_api.store_faults import IN_USE, StoreFault
from gptbot_operator import metrics
from gptbot_operator.bounded import Bounds
from gptbot_operator.errands import Errands
from gptbot_operator.purge import purge
from gptbot_operator.servers import Servers
from gptbot_operator.store_client import fault_of

_TIMEOUT = 3.0
"""Seconds for one command."""
_PASS_SECONDS = 30.0
"""For one pass over a store."""
_PASSES = 40
"""Most passes over a store."""
_AT_ONCE = 8
"""Bots whose stores are erased at the same time."""
_CANDIDATES = 50
"""Most bots the API server is asked about at once, whether they are still there."""
_QUICK = 0.25
"""Seconds that a look waits for a pass: most are over by then."""
_SUBJECT = "erase"
_ERASING = StoreFault(IN_USE.reason, "still holds what a deleted GptBot of this name kept; that is being erased")

_log = structlog.get_logger("gptbot_operator")


class Bots(Protocol):
    """Tells which bots (`namespace/name`) are there; `Presence` does."""

    async def gone(self, bots: Collection[str]) -> set[str]:
        """Which of them are deleted for certain. Raises nothing."""
        ...

    async def ended(self, bots: Collection[str]) -> set[str]:
        """Which of them have no pods for certain. Raises nothing."""
        ...


class Leftovers:
    """Stores of deleted bots' own, each erased again and again until nothing comes back."""

    def __init__(self, bots: Bots, done: Callable[[str], None]) -> None:
        """`done`: called for a bot whose stores were gone over while nobody waited."""
        self._bots = bots
        self._errands = Errands(done)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._left: dict[str, dict[str, int]] = {}
        """Bot to the URLs of its stores, and passes made over each."""

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Let erasing begin from now on; it ends with the group."""
        self._errands.start(tasks)

    def close(self) -> None:
        """End what is under way."""
        self._errands.close()

    def add(self, bot: str, urls: Collection[str]) -> None:
        """A bot is deleted that kept something there."""
        if urls:
            self._left[bot] = dict.fromkeys(urls, 0) | self._left.get(bot, {})

    async def look(self) -> None:
        """Begin a pass for each bot that is gone and whose pods have ended, and see what came of those before."""
        gone = await self._bots.gone([*self._left][:_CANDIDATES]) if self._left else set[str]()
        for bot in await self._bots.ended(gone):
            if bot in self._left:
                await self._pass(bot, patience=0)

    async def begin(self, bot: str, *, running: bool) -> StoreFault | None:
        """A bot of that name is there: what an earlier one left is erased before, by one pass, or stays.

        Returns why it has to wait for that. `running`: it has pods itself.
        """
        if bot not in self._left:
            return None
        if not running and not await self._bots.ended((bot,)):
            return IN_USE
        found = await self._pass(bot, patience=_QUICK)
        if found is None:
            return _ERASING
        if self._left.pop(bot, {}).keys() - found.keys():
            _log.warning("keys of a deleted bot are left in the store it used", bot=bot)
        return None

    async def _pass(self, bot: str, *, patience: float) -> dict[str, int] | None:
        """Go over the stores of a bot: how many keys there were in each that answered; None: that is under way."""
        work = partial(self._erase, bot, tuple(self._left[bot]))
        found: dict[str, int] | None = await self._errands.outcome(bot, _SUBJECT, work, patience=patience)
        if found is None:
            return None
        again = {url: passes + 1 for url, passes in self._left[bot].items() if found.get(url) != 0}
        if any(passes == _PASSES for passes in again.values()):
            _log.warning("keys of a deleted bot are left in the store it used", bot=bot)
        self._left[bot] = {url: passes for url, passes in again.items() if passes < _PASSES}
        if not self._left[bot]:
            del self._left[bot]
        return found

    async def _erase(self, bot: str, urls: Collection[str]) -> dict[str, int]:
        """One pass over each store. Raises nothing."""
        found: dict[str, int] = {}
        async with self._turns:
            for url in urls:
                try:
                    async with asyncio.timeout(_PASS_SECONDS):
                        found[url] = await _erase_own(url, bot)
                except Exception as error:  # whatever a store answers that is not to be trusted
                    _log.info("own store not erased yet", bot=bot, reason=str(fault_of(error, None)))
        return found


async def _erase_own(url: str, bot: str) -> int:
    """One pass over a store of a bot's own; how many keys there were."""
    servers = Servers(url, _TIMEOUT, Bounds())
    try:
        await servers.find()
        found = await purge(servers.of(bot), [bot])
    finally:
        await servers.close()
    metrics.PURGED.inc(sum(found.values()))
    return found.get(bot, 0)
