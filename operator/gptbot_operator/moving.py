"""Moves all that a bot keeps from one store to another, when its spec names another and none of its pods is at work.

Either store may be somebody's who means no good, or be slow or gone: whatever asks one of them is an errand beside the
looks at bots. Where keys are on their way is in the bot's Secret before the first of them arrives there.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import structlog

from gptbot_api.store_faults import UNREACHABLE, StoreFault
from gptbot_api.store_rights import key_prefix
from gptbot_api.store_url import StoreUrl
from gptbot_operator.accounts import FAILURES
from gptbot_operator.bounded import Bounds, TooLarge
from gptbot_operator.carrying import Carrier, Endless, NoRoom
from gptbot_operator.desired.secret import SHARED
from gptbot_operator.errands import Errands
from gptbot_operator.servers import Servers
from gptbot_operator.store_client import fault_of
from gptbot_operator.tenants import Tenants

_TIMEOUT = 3.0
"""Seconds for one command."""
_TURN_SECONDS = 40.0
"""For one go at a move; the next one goes on where it ended."""
_AT_ONCE = 8
"""Moves that ask stores at the same time; the others wait for their turn."""
_PATIENCE = 120.0
"""Seconds without progress for an old store that does not answer; then the bot begins with what has arrived."""
_PROBE_SECONDS = 60
_QUICK = 0.25
"""Seconds that a look waits for an errand: most are over by then."""
_LONGEST_PAUSE = 15.0
"""Seconds between two tries at most."""
_UNDER_WAY = "that is under way"

_log = structlog.get_logger("gptbot_operator")


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a bot stands with its stores."""

    used: str | None
    """The store that holds what it keeps: `SHARED`, or a URL; None: it keeps nothing."""
    fault: StoreFault | None = None
    """Why it cannot begin in the store of its spec."""
    pods: Literal["run", "stay", "stop"] = "run"
    """`stay`: those that are there go on as they are. `stop`: there are to be none."""
    moving: str | None = None
    """The store to which some of it may have gone: `SHARED`, or a URL."""


@dataclass(frozen=True, slots=True)
class _Way:
    """Of a move."""

    source: str = field(repr=False)
    target: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What went wrong with an errand when it was tried last."""

    subject: object
    fault: StoreFault
    tries: int
    again: float
    """When it is to be tried next."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    fault: StoreFault | None
    """None: done, or given up."""
    moved: bool = False
    """Something was moved, though not all."""


class Moves:
    """Sees to it that a bot's pods find in its store what it kept in the one before."""

    def __init__(self, tenants: Tenants, done: Callable[[str], None]) -> None:
        """`done`: called for a bot that is to be looked at, as an errand for it is over."""
        self._tenants = tenants
        self._errands = Errands(done)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._large = asyncio.Semaphore(1)
        self._progress: dict[str, tuple[_Way, float]] = {}
        """Bot to the move that it is about, and when that began or moved something last."""
        self._troubles: dict[str, _Trouble] = {}

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Let moves begin from now on; they end with the group."""
        self._errands.start(tasks)

    async def forget(self, bot: str) -> None:
        """The bot is no more, or is another's. Nothing is moved any more afterwards."""
        await self._errands.end(bot)
        self._progress.pop(bot, None)
        self._troubles.pop(bot, None)

    async def hold(self, bot: str, used: str | None, moving: str | None) -> Stand:
        """Where a bot stands of which nothing is to be changed now."""
        await self._errands.end(bot)
        return Stand(used, moving=moving)

    async def look(
        self,
        bot: str,
        uid: str,
        used: str | None,
        wanted: str | None,
        stopped: Callable[[], Awaitable[bool]],
        moving: str | None = None,
    ) -> Stand:
        """What is to be done about the pods of a bot; what it keeps is moved once it has none.

        `used`, `moving`, `wanted`: `SHARED`, or the URL of a store of its own; None: not known. The first two are those
        of a Stand before, as the bot's Secret has them. `stopped`: whether the bot has neither Deployments nor pods.
        """
        if wanted is None or not _readable(wanted):  # SecretsResolved or StoreReachable says what is wrong
            await self._errands.end(bot)
            return Stand(used, None, "run" if used is None else "stay", moving)
        if used is None:  # a store that was never there keeps nothing
            return Stand(wanted if await self._probe(bot, wanted) is None else None)
        home = wanted if _same(used, wanted) else used  # the one that is used, with its newest login
        if moving is not None and not _same(moving, wanted) and not _same(moving, home):
            return await self._bring_back(bot, uid, home, moving, wanted, stopped)
        if home == wanted:
            await self.forget(bot)
            return Stand(wanted)
        return await self._go(bot, uid, used, moving, wanted, stopped)

    async def _go(
        self, bot: str, uid: str, used: str, moving: str | None, wanted: str, stopped: Callable[[], Awaitable[bool]]
    ) -> Stand:
        way = _Way(used, wanted)
        if not self._under_way(bot, way):
            if fault := await self._probe(bot, wanted):
                return Stand(used, _moving(f"it cannot be used yet: {fault}"), "stay", moving)
            if not await stopped():
                return Stand(used, _moving("its pods end first"), "stop", moving)
            if moving != wanted:
                return Stand(used, _moving("it begins"), "stop", wanted)
        fault = await self._moved(bot, uid, way)
        return Stand(wanted) if fault is None else Stand(used, _moving(fault), "stop", wanted)

    async def _bring_back(
        self, bot: str, uid: str, home: str, moving: str, wanted: str, stopped: Callable[[], Awaitable[bool]]
    ) -> Stand:
        """The spec names another store in the middle of a move: what has arrived comes back first."""
        if not await stopped():
            return Stand(home, _returning("its pods end first"), "stop", moving)
        if fault := await self._moved(bot, uid, _Way(moving, home)):
            return Stand(home, _returning(fault), "stop", moving)
        return Stand(wanted) if home == wanted else Stand(home, _moving("it begins"), "stop")

    def _under_way(self, bot: str, way: _Way) -> bool:
        """Whether a move is, or rests after what went wrong."""
        trouble = self._trouble(bot, way)
        return self._errands.subject(bot) == way or (trouble is not None and time.monotonic() < trouble.again)

    async def _moved(self, bot: str, uid: str, way: _Way) -> str | None:
        """Go on with a move; why it is not done yet."""
        trouble = self._trouble(bot, way)
        if trouble is not None and self._errands.subject(bot) != way and time.monotonic() < trouble.again:
            return f"that goes wrong: {trouble.fault}"
        work = partial(self._turn, bot, uid, way)
        outcome: _Outcome | None = await self._errands.outcome(bot, way, work, patience=0 if trouble else _QUICK)
        if outcome is None:
            return f"that goes wrong: {trouble.fault}" if trouble else _UNDER_WAY
        if outcome.fault is None:
            await self.forget(bot)
            return None
        if outcome.moved:
            self._troubles.pop(bot, None)
            return _UNDER_WAY
        self._note(bot, way, outcome.fault)
        return f"that goes wrong: {outcome.fault}"

    async def _turn(self, bot: str, uid: str, way: _Way) -> _Outcome:
        """One go at a move. Raises nothing."""
        moved = False

        def progress() -> None:
            nonlocal moved
            moved = True
            self._progress[bot] = way, time.monotonic()

        async with self._turns:
            if self._progress.get(bot, (None, 0.0))[0] != way:
                self._progress[bot] = way, time.monotonic()
            # In the shared store, what another bot of that name left is erased before anything of this one arrives.
            if way.target == SHARED:
                fault = await self._tenants.admit(bot, uid, (), running=False)
                if fault is not None or not self._tenants.admitted(bot, uid):
                    return _Outcome(fault or UNREACHABLE)
            try:
                async with asyncio.timeout(_TURN_SECONDS):
                    await self._move(bot, way, progress)
            except Exception as error:
                rest = time.monotonic() - self._progress[bot][1]
                if rest < _PATIENCE or await self._fault(bot, way.source) is None:
                    return _Outcome(_fault_of(error), moved and not isinstance(error, Endless | NoRoom))
                text, reason = "what a bot keeps is left in the store it used before", type(error).__name__
                _log.warning(text, bot=bot, reason=reason)
            return _Outcome(None)

    async def _probe(self, bot: str, store: str) -> StoreFault | None:
        """Why a store takes no writes of a bot, as far as is known."""
        subject = ("probe", store)
        trouble = self._trouble(bot, subject)
        if trouble is not None and self._errands.subject(bot) != subject and time.monotonic() < trouble.again:
            return trouble.fault

        async def work() -> _Outcome:
            async with self._turns:
                return _Outcome(await self._fault(bot, store))

        outcome: _Outcome | None = await self._errands.outcome(bot, subject, work, patience=0 if trouble else _QUICK)
        if outcome is None:
            return trouble.fault if trouble else StoreFault("Moving", "has not answered yet")
        if outcome.fault is not None:
            self._note(bot, subject, outcome.fault)
        elif trouble is not None:
            self._troubles.pop(bot)
        return outcome.fault

    def _trouble(self, bot: str, subject: object) -> _Trouble | None:
        trouble = self._troubles.get(bot)
        return trouble if trouble is not None and trouble.subject == subject else None

    def _note(self, bot: str, subject: object, fault: StoreFault) -> None:
        before = self._trouble(bot, subject)
        tries = before.tries + 1 if before else 1
        pause = min(2.0 ** min(tries, 10) / 2, _LONGEST_PAUSE)
        self._troubles[bot] = _Trouble(subject, fault, tries, time.monotonic() + pause)

    async def _fault(self, bot: str, store: str) -> StoreFault | None:
        """Why a store takes no writes of a bot."""
        try:
            async with asyncio.timeout(_TIMEOUT), self._servers(store) as target:
                await target.of(bot).set(f"{key_prefix(bot)}probe", "1", xx=True)
        except Exception as error:
            return _fault_of(error)
        return None

    async def _move(self, bot: str, way: _Way, progress: Callable[[], None]) -> None:
        async with self._servers(way.source) as old, self._servers(way.target) as new:
            if not await _one(old.of(bot), new.of(bot), bot):
                carrier = Carrier(
                    old.of(bot), new.of(bot), bot, old.bounds or Bounds(), self._large,
                    dumped=way.target != SHARED, progress=progress,
                )  # fmt: skip
                _log.info("moved to another store", bot=bot, keys=await carrier.carry())
        if way.source == SHARED:
            await self._tenants.depart(bot)

    @asynccontextmanager
    async def _servers(self, store: str) -> AsyncGenerator[Servers]:
        if store == SHARED:
            yield self._tenants.servers()
            return
        servers = Servers(store, _TIMEOUT, Bounds())
        try:
            await servers.find()
            yield servers
        finally:
            await servers.close()


def _fault_of(error: Exception) -> StoreFault:
    if isinstance(error, NoRoom):
        return StoreFault("MemoryFull", "that all bots share has too little memory left for it; raise its maxmemory")
    if isinstance(error, Endless):
        return StoreFault("Endless", "of before names keys of the bot without an end; see what writes them")
    if isinstance(error, TooLarge) or not isinstance(error, (*FAILURES, LookupError, ValueError)):
        return StoreFault("Unreadable", "answers what no store of a bot's does; see what is behind its URL")
    return fault_of(error, None)


def _moving(why: str) -> StoreFault:
    text = f"is another one than before: what the bot kept in that one is moved before it begins; {why}"
    return StoreFault("Moving", text)


def _returning(why: str) -> StoreFault:
    text = f"was to be another one: what has arrived there is brought back before the bot begins; {why}"
    return StoreFault("Moving", text)


def _readable(text: str) -> bool:
    if text == SHARED:
        return True
    try:
        StoreUrl.parse(text)
    except ValueError:
        return False
    return True


def _same(one: str, other: str) -> bool:
    """Whether two stores are certainly the same, whatever the login."""
    if one == other:
        return True
    try:
        first, second = StoreUrl.parse(one), StoreUrl.parse(other)
    except ValueError:
        return False

    def place(url: StoreUrl) -> tuple[Any, ...]:
        return url.kind, frozenset(url.addresses), url.path, url.service, url.database

    return place(first) == place(second)


async def _one(source: Any, target: Any, bot: str) -> bool:
    """Whether both are the same server and database, however it is called: what is moved would be lost."""
    key, mark = f"{key_prefix(bot)}moving", secrets.token_hex(8)
    await source.set(key, mark, ex=_PROBE_SECONDS)
    there = await target.get(key)
    await source.delete(key)
    return there == mark.encode()
