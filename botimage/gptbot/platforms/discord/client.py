"""discord.py with our own address for its REST, our own loop around its sockets, and none of its caches.

discord.py has three addresses of Discord built in: `Route.BASE`, the CDN's (never asked here), and
`DiscordWebSocket.DEFAULT_GATEWAY`, which its `Client.connect` uses at first and after a session that could not be
resumed. Here REST goes to the base given to each client, and a socket to the address given to each call.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Generator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route

from gptbot.platforms.discord.fields import fields, id_of, number, word
from gptbot.platforms.discord.inflow import Window
from gptbot.platforms.discord.limits import STARTS_A_DAY
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)

_OPEN_TIMEOUT = 30.0
_CLOSE_TIMEOUT = 2.0
HEARTBEAT_TIMEOUT = 60.0
"""Seconds without anything from Discord after which the connection is given up and resumed."""
KEEP_SESSION = 4000
"""Close code after which Discord keeps the session for a RESUME; 1000 and 1001 end it (docs/events/gateway)."""

Parser = Callable[[Any, "Socket"], None]
"""Takes an event and the socket it came by. One that goes on with the event later calls `socket.keep()`."""


@dataclass(frozen=True, slots=True)
class Session:
    """What it takes to RESUME."""

    id: str
    sequence: int | None
    url: str


@dataclass(frozen=True, slots=True)
class GatewayInfo:
    """What Get Gateway Bot says (docs/events/gateway)."""

    url: str
    shards: int
    remaining: int
    """IDENTIFYs left today."""
    reset_after: float
    """Seconds until there are more."""
    max_concurrency: int


class _Http(HTTPClient):
    """discord.py's REST client with a base address of its own."""

    def __init__(self, base: str) -> None:
        super().__init__(asyncio.get_running_loop(), max_ratelimit_timeout=60)
        self._base = base.rstrip("/")

    async def request(self, route: Route, **kwargs: Any) -> Any:
        if route.url.startswith(Route.BASE):
            route.url = self._base + route.url.removeprefix(Route.BASE)
        return await super().request(route, **kwargs)


_SEQUENCE = re.compile(r'"s"\s{0,8}:\s{0,8}([0-9]{1,15})')

_opening: ContextVar[list[Socket]] = ContextVar("_opening")


class Socket(DiscordWebSocket):
    """A connection to the gateway whose sequence number is that noted in the store, not that of the last event read."""

    DEFAULT_GATEWAY = yarl.URL("ws://gateway.invalid/")
    """So that a way round the address given fails, instead of reaching Discord."""

    def __init__(self, socket: Any, *, loop: asyncio.AbstractEventLoop) -> None:
        self.window = Window()
        self._receiving = False
        self._current: int | None = None
        super().__init__(socket, loop=loop)
        _opening.get().append(self)

    @property
    def sequence(self) -> int | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What heartbeats and RESUME say."""
        return self.window.noted

    @sequence.setter
    def sequence(self, value: int | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        if not self._receiving:
            self.window = Window(value)
        elif value is not None:
            self._current = value
            self.window.begin(value)

    async def received_message(self, msg: Any, /) -> None:
        """Take one frame in; the event in it is done with at the end, unless its parser kept it."""
        self._receiving, self._current = True, None
        self.window.heard = time.time()
        try:
            if type(msg) is bytes:
                msg = self._decompressor.decompress(msg)
            if msg is not None:
                await super().received_message(msg)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            # One odd frame must not end the connection: the session would go on with it, again and again.
            log.error("a frame of Discord cannot be read; it is left out", reason=type(error).__name__)
            found = _SEQUENCE.search(msg) if isinstance(msg, str) and self._current is None else None
            if found is not None:
                self._current = int(found[1])
                self.window.begin(self._current)
        finally:
            self._receiving = False
            if self._current is not None:
                self.window.finish(self._current)

    def keep(self) -> Callable[[], None]:
        """For parsers: this event is not done with before the returned function is called."""
        number, window = self._current, self.window
        self._current = None
        return (lambda: None) if number is None else lambda: window.finish(number)

    def parse_with(self, parsers: Mapping[str, Parser]) -> None:
        """Have events parsed by these functions instead of discord.py's, which would fill its caches."""

        def bound(name: str, parser: Parser) -> Callable[[Any], None]:
            def parse(data: Any) -> None:
                number = self._current
                try:
                    parser(data, self)
                except Exception as error:  # one odd event must not end the connection, again and again
                    self._current = number  # also when it was kept before it failed: nobody goes on with it
                    log.error("an event of Discord is not understood", kind=name, exc_info=error)

            return parse

        self._discord_parsers = {name: bound(name, parser) for name, parser in parsers.items()}

    def tick(self) -> None:
        """Keep the connection for alive although nothing is read from it now."""
        if self._keep_alive is not None:
            self._keep_alive.tick()

    def session(self) -> Session | None:
        """What it takes to go on from here on another connection; None before READY or after an invalidation."""
        if self.session_id is None or self.gateway.host == self.DEFAULT_GATEWAY.host:
            return None
        return Session(self.session_id, self.window.done, str(self.gateway))

    def noted(self, session: Session) -> None:
        """The store has it: Discord may be told, and forget the events up to there."""
        if session.id == self.session_id:
            self.window.noted = session.sequence

    async def shut(self, code: int = KEEP_SESSION) -> None:
        """Close, without waiting long for Discord to agree."""
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self.close(code)


class Client(discord.Client):
    """One bot: its REST and the ground its sockets stand on. Use as an async context manager."""

    def __init__(self, base: str, *, message_content: bool) -> None:
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.dm_messages = True
        intents.message_content = message_content
        super().__init__(intents=intents, max_messages=None, heartbeat_timeout=HEARTBEAT_TIMEOUT)
        self.http = self._connection.http = _Http(base)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Nothing to wait for: starts of sessions are spread by who opens sockets."""

    async def identity(self, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Log in; the bot's user and application. Raises discord.LoginFailure, discord.HTTPException, OSError; the
        last also where the answer tells no id.
        """
        user = fields(await self.http.static_login(token))
        application = fields(await self.http.application_info())
        if not id_of(user) or not id_of(application):
            raise ConnectionError("Discord's API does not tell who the bot is")
        return user, application

    async def gateway_info(self) -> GatewayInfo:
        """Where the gateway is, how many shards there should be, and how many sessions may be started.

        Raises as `identity` does. A proxy may tell the address alone: then there is one shard, and a day's budget.
        """
        async with asyncio.timeout(_OPEN_TIMEOUT):
            data = fields(await self.http.request(Route("GET", "/gateway/bot")))
        if not (url := word(data, "url")):
            raise ConnectionError("Discord's API does not tell where its gateway is")
        limit = fields(data, "session_start_limit")
        return GatewayInfo(
            url, max(1, number(data, "shards", 1)), number(limit, "remaining", STARTS_A_DAY),
            number(limit, "reset_after") / 1000, max(1, number(limit, "max_concurrency", 1)),
        )  # fmt: skip

    async def commands(self, application: str) -> list[dict[str, Any]]:
        """The application's global commands, with all their languages."""
        route = Route("GET", "/applications/{application_id}/commands", application_id=application)
        answer = await self.http.request(route, params={"with_localizations": "true"})
        return [fields(command) for command in answer] if isinstance(answer, list) else []

    async def overwrite_commands(self, application: str, commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Make these the application's global commands; returns them as they are there."""
        answer: Any = await self.http.bulk_upsert_global_commands(int(application), commands)
        return [fields(command) for command in answer] if isinstance(answer, list) else []

    async def open(
        self, url: str, shard: int, shards: int, session: Session | None, *, elsewhere: bool = False
    ) -> Socket:
        """Connect a shard and RESUME `session`, or IDENTIFY. READY or RESUMED is still to come.

        `elsewhere`: RESUME at `url` too, because the session's own address does not answer.
        Raises what discord.py does: ConnectionClosed, ReconnectWebSocket, aiohttp's errors, TimeoutError.
        """
        self._connection.shard_count = shards
        address = session.url if session is not None and not elsewhere else url
        with _collect() as opened:
            try:
                async with asyncio.timeout(_OPEN_TIMEOUT):
                    return await Socket.from_client(
                        self, initial=True, gateway=yarl.URL(address), shard_id=shard,
                        session=session.id if session else None, sequence=session.sequence if session else None,
                        resume=session is not None,
                    )  # fmt: skip
            except BaseException:
                for socket in opened:
                    await socket.shut()
                raise


@contextlib.contextmanager
def _collect() -> Generator[list[Socket]]:
    """The sockets made inside, also when their opening fails half-way and discord.py drops them."""
    opened: list[Socket] = []
    token = _opening.set(opened)
    try:
        yield opened
    finally:
        _opening.reset(token)


def resume_address(resume: str, gateway: str) -> str:
    """Where to RESUME: at READY's `resume_gateway_url`, unless `/gateway/bot` named somebody else's host.

    Discord's own are all under one domain (gateway.discord.gg, gateway-us-east1-b.discord.gg). A proxy that names
    itself in `/gateway/bot` but hands READY through as it came must not be gone round.
    """
    wanted, given = yarl.URL(resume).host or "", yarl.URL(gateway).host or ""
    if wanted == given:
        return resume
    domain = given.partition(".")[2]
    # An address of digits has no domain, and a single label under a top-level domain is not one to share.
    related = "." in domain and not domain.rpartition(".")[2].isdigit() and wanted.endswith("." + domain)
    return resume if related else gateway
