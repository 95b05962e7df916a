"""Hands events to the intake: in order within a channel, none dropped, and no more at a time than fits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.inbound import Hears, Inbound, Intake
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)

Understand = Callable[[], Awaitable[Inbound | None]]
"""Makes an event a message; None when there is nothing in it for the bot."""
LIMIT: Final = 256
"""Events taken from Discord and not yet in the store, at most; then the socket is not read."""
_TRIES: Final = 3
_PAUSE: Final = 1.0


class Window:
    """The sequence numbers of one connection, and up to which all events are done with.

    Discord is told of what the store has noted of that number: what comes after it is sent again to whoever goes on.
    """

    def __init__(self, done: int | None = None) -> None:
        self.done = done
        """Every event up to this number is in the store, or not for the bot."""
        self.noted = done
        """What a heartbeat and a RESUME say. A plain attribute: discord.py's heartbeat thread reads it."""
        self.heard = time.time()
        """When something came in last, in seconds since 1970."""
        self._last = done
        self._open: dict[int, float] = {}

    def begin(self, number: int) -> None:
        """An event came in."""
        self._open[number] = time.time()
        self._last = number

    def finish(self, number: int) -> None:
        """An event is done with."""
        self._open.pop(number, None)
        first = next(iter(self._open), None)
        self.done = self._last if first is None else first - 1

    def complete_until(self) -> float:
        """Up to when all that came in is done with, in seconds since 1970."""
        return next(iter(self._open.values()), self.heard)


class Inflow:
    """Events under way from Discord to the store. Its tasks belong to the group given."""

    def __init__(
        self,
        intake: Intake,
        tasks: asyncio.TaskGroup,
        stalled: Callable[[bool], None],
        taken: Callable[[Inbound], Awaitable[None]],
    ) -> None:
        """`stalled` hears when the store goes and comes back, `taken` of each message that is in the store."""
        self._intake = intake
        self._tasks = tasks
        self._report = stalled
        self._taken = taken
        self._tails: dict[str, asyncio.Task[None]] = {}
        self._count = 0
        self._waiting = 0
        self._changed = asyncio.Event()

    def put(self, conversation: str, message: Understand, done: Callable[[], None], hears: Hears | None = None) -> None:
        """Hand a message in after those of the same conversation; `done` is called once it is in the store.

        `message` is called in its turn. `hears`: see `platforms.inbound.Intake.accept`.
        """

        async def one() -> Sequence[Inbound]:
            inbound = await message()
            return () if inbound is None else (inbound,)

        self.put_first(conversation, one, done, hears)

    def put_first(
        self,
        conversation: str,
        messages: Callable[[], Awaitable[Sequence[Inbound]]],
        done: Callable[[], None],
        hears: Hears | None = None,
    ) -> asyncio.Task[None]:
        """Hand in several messages before those of the same conversation that come from now on."""
        before = self._tails.get(conversation)
        self._count += 1
        task = self._tasks.create_task(
            self._hand_in(before, conversation, messages, done, hears), name="discord intake"
        )
        self._tails[conversation] = task
        return task

    def drop(self, conversation: str, messages: Sequence[str], done: Callable[[], None]) -> None:
        """Have deleted messages dropped, after those of the same conversation that came before."""

        async def none() -> Sequence[Inbound]:
            await self._insist(lambda: self._intake.deleted(conversation, messages))
            return ()

        self.put_first(conversation, none, done)

    def under_way(self) -> list[asyncio.Task[None]]:
        """What ends when all that is under way now is done with."""
        return list(self._tails.values())

    async def room(self, timeout: float) -> bool:
        """Wait until a further event may be read. False: not within `timeout` seconds."""
        deadline = asyncio.get_running_loop().time() + timeout
        while self._waiting or self._count >= LIMIT:
            self._changed.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                return False
        return True

    async def settled(self) -> None:
        """Wait until nothing is under way, or it cannot go on because the store is away."""
        while self._count and not self._waiting:
            self._changed.clear()
            await self._changed.wait()

    async def _hand_in(
        self,
        before: asyncio.Task[None] | None,
        conversation: str,
        messages: Callable[[], Awaitable[Sequence[Inbound]]],
        done: Callable[[], None],
        hears: Hears | None,
    ) -> None:
        try:
            if before is not None:
                await asyncio.wait({before})
            for inbound in await self._understood(messages):
                await self._accept(inbound, hears)
            done()
        finally:
            if self._tails.get(conversation) is asyncio.current_task():
                del self._tails[conversation]
            self._count -= 1
            self._changed.set()

    @staticmethod
    async def _understood(messages: Callable[[], Awaitable[Sequence[Inbound]]]) -> Sequence[Inbound]:
        """What an event says; nothing when it cannot be read: one odd event must not end the connection."""
        try:
            return await messages()
        except Exception as error:
            log.error("a message of Discord cannot be read; it is left out", reason=type(error).__name__)
            return ()

    async def _accept(self, inbound: Inbound, hears: Hears | None) -> None:
        async def accept() -> None:
            if await self._intake.accept(inbound, hears):
                await self._taken(inbound)

        await self._insist(accept)

    async def _insist(self, step: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        while True:
            try:
                return await step()
            except StoreUnavailable:
                await self._wait_for_store()
            except Exception as error:
                failures += 1
                if failures == _TRIES:
                    log.error("message dropped: the intake fails on it each time", exc_info=error)
                    return None
                await asyncio.sleep(_PAUSE)

    async def _wait_for_store(self) -> None:
        self._waiting += 1
        self._changed.set()
        if self._waiting == 1:
            self._report(True)
        try:
            await self._intake.ready()
        finally:
            self._waiting -= 1
            if self._waiting == 0:
                self._report(False)
            self._changed.set()
