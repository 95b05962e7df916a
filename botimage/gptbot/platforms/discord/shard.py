"""One shard: connect, RESUME or IDENTIFY, read, and again, for as long as its lease is held (docs/events/gateway)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn, TypeVar

import discord
from discord.gateway import ReconnectWebSocket

from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.discord.catchup import CHANNELS, CatchUp
from gptbot.platforms.discord.client import Client, GatewayInfo, Parser, Session, Socket, resume_address
from gptbot.platforms.discord.fields import id_of, objects
from gptbot.platforms.discord.inflow import Inflow
from gptbot.platforms.discord.limits import Close
from gptbot.platforms.discord.places import Place
from gptbot.platforms.discord.sessions import Progress, SharedSessions
from gptbot.platforms.discord.starts import LOW_BUDGET, SessionStarts
from gptbot.platforms.discord.trouble import MISCONFIGURED, TROUBLE, telling
from gptbot.platforms.errors import Misconfigured
from gptbot.platforms.inbound import Intake
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
_GUILDS_COME: Final = 10.0
"""Seconds in which a new session is told of the bot's guilds."""
_OTHER_ADDRESS: Final = 3
"""Failures in a row after which a RESUME goes to the first address, not to the one READY told."""


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
    catch_up: CatchUp
    report: Callable[[bool, str, str], None]
    """Whether it is connected, and what is wrong: the reason in one word, and for a person."""
    parsers: Callable[[Inflow, asyncio.TaskGroup], Mapping[str, Parser]]
    """What takes the events, given where messages go and who owns the tasks."""
    refusal: Misconfigured
    """What to raise when Discord does not take the token."""
    _progress: Progress = field(default_factory=Progress, init=False)
    _saved: Progress = field(default_factory=Progress, init=False)
    _socket: Socket | None = field(default=None, init=False)
    _places: list[Place] = field(default_factory=list[Place], init=False)
    """Where to look for what was missed."""
    _fetching: set[asyncio.Task[None]] | None = field(default=None, init=False)
    """What is being fetched now of what was missed."""
    _others: int = field(default=0, init=False)
    """How many further channels were asked for on this connection."""
    _to_come: set[str] = field(default_factory=set[str], init=False)
    """Guilds of which a new session is still to tell."""
    _came: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _starts: SessionStarts = field(init=False)
    _save_now: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _holding: int = field(default=0, init=False)
    _ready_at: float | None = field(default=None, init=False)

    async def run(self) -> None:
        """Hold the shard until cancelled. Raises Misconfigured, Resharded."""
        self._holding = await self._reach(lambda: self.shared.hold(self.number))
        self._progress = await self._reach(lambda: self.shared.load(self.number, self._holding, self._terms))
        self._starts = SessionStarts(self.client.gateway_info, self._permit, self.report, self.info.max_concurrency)
        try:
            async with asyncio.TaskGroup() as tasks:
                inflow = Inflow(self.intake, tasks, self._stalled, self.catch_up.places.taken)

                def ready(data: Any, _: Socket) -> None:
                    self._to_come = {id_of(guild) for guild in objects(data, "guilds")}
                    self._on_ready(inflow, tasks, fresh=True)

                def guild(data: Any, socket: Socket) -> None:
                    ours["GUILD_CREATE"](data, socket)
                    self._on_guild(inflow, data, socket)

                def resumed(_: Any, __: Socket) -> None:
                    self._on_ready(inflow, tasks, fresh=False)

                ours = self.parsers(inflow, tasks)
                parsers = {**ours, "READY": ready, "RESUMED": resumed, "GUILD_CREATE": guild}
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
                self.report(False, "Unreachable", f"{reason}; trying again")
                await asyncio.sleep(min(_LONGEST_PAUSE, 2.0 ** (failures - 2)) * random.uniform(0.5, 1.0))

    async def _connect_once(self, inflow: Inflow, parsers: Mapping[str, Parser], failures: int) -> str:
        """One connection, from its opening to its end; why it ended."""
        socket: Socket | None = None
        try:
            session = self._progress.session
            if session is None or self._progress.missed is not None:
                of_shard = self.catch_up.places.of_shard
                self._places = await self._reach(lambda: of_shard(self.number, self.info.shards, CHANNELS))
            if session is None:
                await self._starts.admit()
            elif self._saved.session is not None and self._saved.session.id == session.id:
                session = self._saved.session  # what Discord is told of, the store must know
            self._others = 0
            socket = await self.client.open(
                self.info.url, self.number, self.info.shards, session, elsewhere=failures >= _OTHER_ADDRESS
            )
            self._socket = socket
            socket.parse_with(parsers)
            await self._read(socket, inflow)
        except ReconnectWebSocket as request:
            if not request.resume:
                self._progress = replace(self._progress, session=None)
                self._socket = socket = None
            return "Discord closed the connection"
        except discord.ConnectionClosed as closed:
            if closed.code in (Close.INVALID_SHARD, Close.SHARDING_REQUIRED):
                raise Resharded from None
            if closed.code == Close.AUTHENTICATION_FAILED:
                raise self.refusal from None
            if closed.code in MISCONFIGURED:
                reason, text = MISCONFIGURED[closed.code]
                raise Misconfigured(text, reason) from None
            return f"Discord closed the connection (code {closed.code})"
        except TROUBLE as error:
            if isinstance(error, discord.HTTPException) and error.status == 401:
                raise self.refusal from None
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
            last = self._progress.session
            if last is None or last.id != session.id:
                self._save_now.set()
            session = Session(session.id, session.sequence, resume_address(session.url, self.info.url))
            # Before the end of a RESUME, or of what was missed, there is more that was sent and has not come.
            complete = self._ready_at is not None and self._progress.missed is None
            until = socket.window.complete_until() if complete else self._progress.until
            self._progress = Progress(session, until, self._progress.missed)

    async def _part(self, socket: Socket, inflow: Inflow) -> None:
        """Leave a connection so that the session can go on elsewhere, with as little as possible to be sent again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE):
                await inflow.settled()
        self._remember(socket)
        self._socket = None
        await socket.shut()
        with contextlib.suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_LAST_SAVE):
                await self._save()

    async def _permit(self, max_concurrency: int) -> None:
        await self._reach(lambda: self.shared.permit(self.number, max_concurrency))

    def _on_ready(self, inflow: Inflow, tasks: asyncio.TaskGroup, *, fresh: bool) -> None:
        """A new session is there, or one goes on."""
        self._ready_at = time.monotonic()
        self._well()
        progress = self._progress
        since = progress.missed if progress.missed is not None else progress.until if fresh else None
        if since is None or (not fresh and self._fetching is not None):  # a RESUME does not end what is being fetched
            return
        self._progress = replace(progress, missed=since)
        # What an earlier session brought and is not in the store yet would be missed, too, if this process ended now.
        self._fetching = under_way = set(inflow.under_way())
        # Before the first event of the new session, so that each channel's messages stay in order.
        under_way.update(self._fetch(inflow, place, since) for place in self._places)
        tasks.create_task(self._caught_up(under_way, all_known=not fresh), name="discord catch-up")

    def _on_guild(self, inflow: Inflow, guild: Any, socket: Socket) -> None:
        """A guild of a new session: somebody may have spoken to the bot where nobody did before.

        Until that is known, the event is not done with: a gateway that goes on with the session is told of it again.
        """
        since = self._progress.missed
        if since is not None:
            known = {place.channel for place in self._places}
            places = [place for place in self.catch_up.unheard(guild, since) if place.channel not in known]
            places = places[: CHANNELS - self._others]
            self._others += len(places)
            fetches = {self._fetch(inflow, place, since) for place in places}
            if fetches:
                done, left = socket.keep(), set(fetches)

                def finish(task: asyncio.Task[None]) -> None:
                    left.discard(task)
                    if not left and not task.cancelled():
                        done()

                for task in fetches:
                    task.add_done_callback(finish)
            if self._fetching is not None:
                self._fetching |= fetches
        self._to_come.discard(id_of(guild))
        self._came.set()

    def _fetch(self, inflow: Inflow, place: Place, since: float) -> asyncio.Task[None]:
        return inflow.put_first(place.channel, lambda: self.catch_up.missed(place, since), lambda: None)

    async def _caught_up(self, under_way: set[asyncio.Task[None]], *, all_known: bool) -> None:
        if not all_known:
            with contextlib.suppress(TimeoutError):  # of a guild with an outage nothing comes
                async with asyncio.timeout(_GUILDS_COME):
                    while self._to_come:
                        self._came.clear()
                        await self._came.wait()
        if under_way:
            log.info("looking for messages that were missed", shard=self.number, channels=len(under_way))
        while left := [task for task in under_way if not task.done()]:
            await asyncio.wait(left)
        if self._fetching is under_way:  # no newer session has its own
            self._fetching = None
            self._progress = replace(self._progress, missed=None)

    def _stalled(self, stalled: bool) -> None:
        if stalled:
            self.report(True, "StoreAway", "the store cannot be reached; Discord is not read until it can")
        else:
            self._well()

    def _well(self) -> None:
        note = self._starts.note
        self.report(True, LOW_BUDGET if note else "", note)

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
        progress = self._progress
        if progress != self._saved:
            await self.shared.save(self.number, self._holding, self._terms, progress)
            self._saved = progress
            if self._socket is not None and progress.session is not None:
                self._socket.noted(progress.session)
