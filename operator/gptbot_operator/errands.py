"""Work for bots that may take long, beside the looks at them: a store of somebody else's may answer slowly or never."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

_END_SECONDS = 5.0
"""To wait for work that is ended."""


@dataclass(slots=True)
class _Errand:
    subject: object
    task: asyncio.Task[Any]
    awaited: bool = False
    """A look waits for it right now."""


class Errands:
    """At most one piece of work a bot. All of it belongs to the TaskGroup given to `start`, and ends with it."""

    def __init__(self, done: Callable[[str], None]) -> None:
        """`done`: called for a bot whose work is over while nobody waits for it."""
        self._done = done
        self._tasks: asyncio.TaskGroup | None = None
        self._errands: dict[str, _Errand] = {}

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Let work begin from now on."""
        self._tasks = tasks

    def subject(self, bot: str) -> object:
        """What the work for a bot is about, also when it is over and nobody has asked for its outcome; None: none."""
        errand = self._errands.get(bot)
        return None if errand is None else errand.subject

    async def outcome(
        self, bot: str, subject: object, work: Callable[[], Awaitable[object]], *, patience: float
    ) -> Any | None:
        """What comes of the work for a bot; None: it is still under way after `patience` seconds, or not begun.

        It is begun unless it is under way; work about another subject is ended first. It must handle its own errors,
        and its outcome is told once.
        """
        if self._tasks is None:
            return None
        if self.subject(bot) != subject:
            await self.end(bot)
            self._errands[bot] = _Errand(subject, self._tasks.create_task(self._do(bot, work)))
        errand = self._errands[bot]
        if not errand.task.done() and patience:
            errand.awaited = True
            try:
                await asyncio.wait({errand.task}, timeout=patience)
            finally:
                errand.awaited = False
        if not errand.task.done():
            return None
        self._errands.pop(bot)
        return errand.task.result()

    async def end(self, bot: str) -> None:
        """End the work for a bot; nothing of it goes on afterwards."""
        errand = self._errands.pop(bot, None)
        if errand is not None and not errand.task.done():
            errand.task.cancel()
            await asyncio.wait({errand.task}, timeout=_END_SECONDS)

    def close(self) -> None:
        """End all work, without waiting for it: the TaskGroup does."""
        for errand in self._errands.values():
            errand.task.cancel()

    async def _do(self, bot: str, work: Callable[[], Awaitable[object]]) -> object:
        outcome = await work()
        errand = self._errands.get(bot)
        if errand is not None and errand.task is asyncio.current_task() and not errand.awaited:
            self._done(bot)
        return outcome
