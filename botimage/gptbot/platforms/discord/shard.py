"""One shard: connect, RESUME or IDENTIFY, read, and again, for as long as its lease is held (docs/events/gateway)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeVar

import aiohttp
import discord
from discord.gateway import ReconnectWebSocket

from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.base import Intake, Misconfigured
from gptbot.platforms.discord.client import Client, GatewayInfo, Parser, Session, Socket, resume_address
from gptbot.platforms.discord.inflow import Inflow
from gptbot.platforms.discord.limits import Close
from gptbot.platforms.discord.sessions import SharedSessions
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)
T = TypeVar("T")

_TICK: Final = 10.0
_SAVE_INTERVAL: Final = 1.0
_LAST_SAVE: Final = 1.0
_SETTLE: Final = 3.0
_STEADY: Final = 30.0
"""Seconds after which a connection counts as good, so that its drop is followed by a try at once."""
_LONGEST_PAUSE: Final = 60.0
_LOW_BUDGET: Final = 50
_OTHER_ADDRESS: Final = 3
"""Failures in a row after which a RESUME goes to the first address, not to the one READY told."""

TROUBLE: Final = (OSError, aiohttp.ClientError, discord.HTTPException, discord.RateLimited, asyncio.TimeoutError)
"""What passes by itself: no network, an outage, a rate limit."""
UNAUTHORIZED: Final = (
    "Discord refuses the bot's token: reset it in the Developer Portal under Bot, and put the new one into the Secret"
)
_CONTENT_REFUSED: Final = (
    "Discord refuses the message-content intent: switch it on in the Developer Portal under Bot, Privileged Gateway"
    " Intents, or set messageContentIntent to false"
)
_MISCONFIGURED: Final[Mapping[int, str]] = {
    Close.AUTHENTICATION_FAILED: UNAUTHORIZED,
    Close.DISALLOWED_INTENTS: _CONTENT_REFUSED,
    Close.INVALID_INTENTS: "Discord does not know the intents asked for (close code 4013): update gptbot",
    Close.INVALID_API_VERSION: "Discord serves version 10 of its gateway no more (close code 4012): update gptbot",
}


class Resharded(Exception):
    """Discord wants another number of shards."""


@dataclass(slots=True)
class Shard:
    """A shard of a bot, while this process holds its lease."""

    number: int
    info: GatewayInfo
    client: Client
    intake: Intake
    shared: SharedSessions
    report: Callable[[bool, str], None]
    """Whether it is connected, and what is wrong."""
    parsers: Callable[[Inflow, asyncio.TaskGroup], Mapping[str, Parser]]
    """What takes the events, given where messages go and who owns the tasks."""
    _session: Session | None = field(default=None, init=False)
    _saved: Session | None = field(default=None, init=False)
    _save_now: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _holding: int = field(default=0, init=False)
    _ready_at: float | None = field(default=None, init=False)

    async def run(self) -> None:
        """Hold the shard until cancelled. Raises Misconfigured, Resharded."""
        self._holding = await self._reach(lambda: self.shared.hold(self.number))
        self._session = await self._reach(lambda: self.shared.load(self.number, self._holding, self._terms))
        try:
            async with asyncio.TaskGroup() as tasks:
                inflow = Inflow(self.intake, tasks, self._stalled)
                parsers = {**self.parsers(inflow, tasks), "READY": self._on_ready, "RESUMED": self._on_ready}
                tasks.create_task(self._save_often(), name="discord session")
                await self._keep_connected(inflow, parsers)
        except BaseExceptionGroup as group:
            raise telling(group) from None

    @property
    def _terms(self) -> str:
        return f"shards={self.info.shards} intents={self.client.intents.value}"

    async def _keep_connected(self, inflow: Inflow, parsers: Mapping[str, Parser]) -> None:
        failures = 0
        while True:
            self._ready_at = None
            reason = await self._connect_once(inflow, parsers, failures)
            if self._ready_at is not None and time.monotonic() - self._ready_at >= _STEADY:
                failures = 0
            failures += 1
            if failures > 1:
                log.warning(reason, shard=self.number, failures=failures)
                self.report(False, f"{reason}; trying again")
                await asyncio.sleep(min(_LONGEST_PAUSE, 2.0 ** (failures - 2)) * random.uniform(0.5, 1.0))

    async def _connect_once(self, inflow: Inflow, parsers: Mapping[str, Parser], failures: int) -> str:
        """One connection, from its opening to its end; why it ended."""
        socket: Socket | None = None
        try:
            if self._session is None:
                await self._may_identify()
            socket = await self.client.open(
                self.info.url, self.number, self.info.shards, self._session, elsewhere=failures >= _OTHER_ADDRESS
            )
            socket.parse_with(parsers)
            await self._read(socket, inflow)
        except ReconnectWebSocket as request:
            if not request.resume:
                self._session = socket = None
            return "Discord closed the connection"
        except discord.ConnectionClosed as closed:
            if closed.code in (Close.INVALID_SHARD, Close.SHARDING_REQUIRED):
                raise Resharded from None
            if closed.code in _MISCONFIGURED:
                raise Misconfigured(_MISCONFIGURED[closed.code]) from None
            return f"Discord closed the connection (code {closed.code})"
        except TROUBLE as error:
            if isinstance(error, discord.HTTPException) and error.status == 401:
                raise Misconfigured(UNAUTHORIZED) from None
            return f"Discord's gateway cannot be reached ({type(error).__name__})"
        finally:
            if socket is not None:
                await self._part(socket, inflow)

    async def _read(self, socket: Socket, inflow: Inflow) -> NoReturn:
        while True:
            while not await inflow.room(_TICK):
                socket.tick()  # it is us who do not listen; Discord is there
            await socket.poll_event()
            self._remember(socket)

    def _remember(self, socket: Socket) -> None:
        session = socket.session()
        if session is not None:
            if self._session is None or self._session.id != session.id:
                self._save_now.set()
            self._session = Session(session.id, session.sequence, resume_address(session.url, self.info.url))

    async def _part(self, socket: Socket, inflow: Inflow) -> None:
        """Leave a connection so that the session can go on elsewhere, with as little as possible to be sent again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE):
                await inflow.settled()
        self._remember(socket)
        await socket.shut()
        with contextlib.suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_LAST_SAVE):
                await self._save()

    async def _may_identify(self) -> None:
        """Wait for the budget of session starts (Discord resets the token of a bot that exceeds it), and for a turn."""
        while (info := await self.client.gateway_info()).remaining <= 0:
            wait = max(1.0, info.reset_after)
            self.report(False, f"no session starts are left for today; Discord gives new ones in {wait / 3600:.1f} h")
            await asyncio.sleep(wait)
        if info.remaining <= _LOW_BUDGET:
            log.warning("few session starts are left for today", remaining=info.remaining)
        await self._reach(lambda: self.shared.permit(self.number, info.max_concurrency))

    def _on_ready(self, _: Any, __: Socket) -> None:
        self._ready_at = time.monotonic()
        self.report(True, "")

    def _stalled(self, stalled: bool) -> None:
        self.report(True, "the store cannot be reached; Discord is not read until it can" if stalled else "")

    async def _reach(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the store, as often as it takes."""
        while True:
            try:
                return await ask()
            except StoreUnavailable:
                await self.intake.ready()

    async def _save_often(self) -> None:
        """Note where the shard is, so that another gateway can go on even if this one is killed."""
        while True:
            self._save_now.clear()
            with contextlib.suppress(StoreUnavailable):
                await self._save()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SAVE_INTERVAL):
                    await self._save_now.wait()

    async def _save(self) -> None:
        session = self._session
        if session is not None and session != self._saved:
            await self.shared.save(self.number, self._holding, self._terms, session)
            self._saved = session


def telling(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one exception of a group that tells most: what a person must mend first."""
    leaves: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        error = waiting.pop()
        if isinstance(error, BaseExceptionGroup):
            waiting += error.exceptions
        else:
            leaves.append(error)
    return next((error for error in leaves if isinstance(error, Misconfigured)), leaves[0])
