"""The worker role: claims conversations of one bot and answers them, so many at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from redis.exceptions import ResponseError

from gptbot.bot import Bot
from gptbot.conversation.folding import Folder
from gptbot.conversation.turn import MAX_ATTEMPTS, Turn
from gptbot.inbox.claims import Claim, Entry, TurnLost
from gptbot.inbox.mailbox import MOST_MERGED
from gptbot.inbox.stops import Stops
from gptbot.inbox.store import StoreUnavailable
from gptbot.living import persist
from gptbot.locales import prepare
from gptbot.telemetry import metrics
from gptbot.telemetry.logs import get_logger
from gptbot_api import InvalidManifest

log = get_logger("worker")

DRAIN = 20.0
"""Seconds that turns under way get to end after SIGTERM; the rest is handed to other workers."""
_BLOCK = 1.0
_AFTER_FAILURE = 1.0
"""Seconds until a part that failed begins again: turns are renewed every third of their lease."""


class Worker:
    """Answers the conversations of one bot. `run` until cancelled; `drain` first to end in order."""

    def __init__(self, bot: Bot, concurrency: int) -> None:
        self._bot = bot
        self._concurrency = concurrency
        self._turns: dict[asyncio.Task[None], Claim | None] = {}
        self._answering: dict[int, Turn] = {}
        """Fencing token to turn."""
        self._stops = Stops(bot.store, bot.keys)
        self._folder = Folder(bot)
        self._flying: set[str] = set()
        self._changed = asyncio.Event()
        self._drained = asyncio.Event()

    async def run(self) -> None:
        """Claim and answer until cancelled or drained."""
        self._prepare()
        try:
            async with asyncio.TaskGroup() as group:
                parts: dict[str, Callable[[], Awaitable[None]]] = {
                    "renew": self._renew, "promote": self._promote, "take over": lambda: self._take_over(group),
                    "stops": self._hear_stops, "fold": self._folder.run, "outcomes": self._bot.outcomes.publish,
                }  # fmt: skip
                helpers = [
                    group.create_task(persist(name, self._bot.key, part, _AFTER_FAILURE), name=name)
                    for name, part in parts.items()
                ]
                await persist("claim", self._bot.key, lambda: self._claim(group), _AFTER_FAILURE)
                await self._wait_for_turns()
                for task in [*helpers, *self._turns]:
                    task.cancel()
        finally:
            metrics.TURNS_IN_FLIGHT.labels(bot=self._bot.key).set(0)

    def drain(self) -> None:
        """Claim nothing more; `run` returns once the turns under way have ended or been handed over."""
        self._drained.set()
        self._changed.set()

    def _prepare(self) -> None:
        """Load what answers need now, and not while the first of them wait: texts and senders take a quarter second."""
        prepare()
        for platform in self._bot.config.bot.spec.platforms.enabled():
            with contextlib.suppress(InvalidManifest, LookupError):  # a turn says it, when there is one
                self._bot.sender(platform)

    async def _wait_for_turns(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN):
                while self._turns:
                    await asyncio.wait(set(self._turns))

    async def _claim(self, group: asyncio.TaskGroup) -> None:
        bot = self._bot
        while not self._drained.is_set():
            free = self._concurrency - len(self._turns)
            if free <= 0:
                self._changed.clear()
                await self._changed.wait()
                continue
            try:
                entries = await bot.mailbox.receive(min(free, 64), _BLOCK)
            except StoreUnavailable as error:
                log.warning("cannot claim", reason=str(error), bot=bot.key)
                await self._until_store_or_drain()
                continue
            for entry in entries:
                self._start(group, entry)

    async def _until_store_or_drain(self) -> None:
        waits: set[asyncio.Task[object]] = {
            asyncio.create_task(self._bot.store.wait_available()),
            asyncio.create_task(self._drained.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _take_over(self, group: asyncio.TaskGroup) -> None:
        """Every third of a lease, look for turns whose worker has died."""
        while True:
            await asyncio.sleep(self._bot.mailbox.lease / 3)
            free = self._concurrency - len(self._turns)
            if free <= 0 or self._drained.is_set():
                continue
            with contextlib.suppress(StoreUnavailable):
                for entry in await self._bot.mailbox.take_over(min(free, 64)):
                    if entry.id not in self._flying:  # after a pause our own come back to us
                        log.info("taking over a turn", bot=self._bot.key)
                        self._start(group, entry)

    def _start(self, group: asyncio.TaskGroup, entry: Entry) -> None:
        self._flying.add(entry.id)
        task = group.create_task(self._turn(entry), name="turn")
        self._turns[task] = None
        metrics.TURNS_IN_FLIGHT.labels(bot=self._bot.key).set(len(self._turns))
        task.add_done_callback(lambda _: self._ended(task, entry))

    def _ended(self, task: asyncio.Task[None], entry: Entry) -> None:
        self._turns.pop(task, None)
        self._flying.discard(entry.id)
        metrics.TURNS_IN_FLIGHT.labels(bot=self._bot.key).set(len(self._turns))
        self._changed.set()

    async def _turn(self, entry: Entry) -> None:
        try:
            most = MOST_MERGED if self._bot.config.bot.spec.context.merge_bursts else 1
            claim = await self._bot.mailbox.claim(entry, most)
        except StoreUnavailable:
            return  # it stays pending, and is taken over once its lease has run out
        except Exception as error:
            log.exception("a conversation cannot be claimed; tried again", exc_info=error, bot=self._bot.key)
            await self._give_up(entry, error)
            return
        if claim is None:
            return
        task = asyncio.current_task()
        assert task is not None
        self._end_older(claim)
        self._turns[task] = claim
        self._answering[claim.token] = turn = Turn(self._bot, claim)
        try:
            await turn.run()
        except Exception as error:  # it ends this turn alone: whoever takes it over counts the tries
            log.exception("a turn ended without an end", exc_info=error, bot=self._bot.key)
        finally:
            if self._answering.get(claim.token) is turn:  # a token that was given twice is another turn's too
                del self._answering[claim.token]
        if turn.fold_due:
            self._folder.add(claim.conversation)

    def _end_older(self, claim: Claim) -> None:
        """End the turns of a conversation that was claimed anew: they are lost, and hold a place at the model.

        Other workers hear it within a second.
        """
        for older in self._turns.values():
            if older is not None and older.conversation == claim.conversation and older.token < claim.token:
                older.lost = True
                if turn := self._answering.get(older.token):
                    turn.stop()

    async def _give_up(self, entry: Entry, error: Exception) -> None:
        """Bury what cannot be claimed, after as many tries as an answer has; else it is taken over in a while."""
        try:
            reason = f"unreadable: the conversation cannot be claimed ({type(error).__name__})"
            if await self._bot.mailbox.give_up(entry, reason, MAX_ATTEMPTS):
                log.error("a conversation that cannot be claimed was given up", bot=self._bot.key)
        except Exception as trouble:
            log.warning("it cannot be given up either; tried again", reason=type(trouble).__name__, bot=self._bot.key)

    async def _renew(self) -> None:
        """Every third of a lease, keep the turns under way; one that is lost is stopped."""
        while True:
            await asyncio.sleep(self._bot.mailbox.lease / 3)
            await asyncio.gather(*(self._renew_one(task, claim) for task, claim in self._turns.items() if claim))

    async def _renew_one(self, task: asyncio.Task[None], claim: Claim) -> None:
        try:
            await self._bot.mailbox.renew(claim)
        except TurnLost:
            task.cancel()
        except (StoreUnavailable, ResponseError) as error:
            # The deadline in the claim stops its sends.
            log.warning("a turn is not renewed", reason=type(error).__name__, bot=self._bot.key)

    async def _promote(self) -> None:
        """Every second, make turns runnable whose time has come."""
        while True:
            await asyncio.sleep(1.0)
            with contextlib.suppress(StoreUnavailable):
                await self._bot.mailbox.promote()

    async def _hear_stops(self) -> None:
        """Every second while there are turns, end the answers that nobody wants to go on: one read for all of them."""
        while True:
            await asyncio.sleep(1.0)
            if self._answering:
                with contextlib.suppress(StoreUnavailable):
                    for token in await self._stops.heard():
                        if turn := self._answering.get(token):
                            turn.stop()
