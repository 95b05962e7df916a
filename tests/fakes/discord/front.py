"""What every request goes through: route, fault, token, rate limits, JSON, and the log of calls."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import orjson
from aiohttp import web

from tests.fakes.discord.errors import ApiError, Json, invalid_json, not_found, unauthorized
from tests.fakes.discord.faults import Fault, Faults
from tests.fakes.discord.rates import GLOBAL_LIMIT, RateModel
from tests.fakes.discord.settings import Settings
from tests.fakes.discord.state import Bot, World

PREFIX: Final = "/api/v10"
_VIA: Final = {"Via": "1.1 google"}
"""Discord answers through Google's front end; discord.py takes a 429 without this header for Cloudflare's."""
_CALLS_KEPT: Final = 200_000


@dataclass(slots=True)
class Call:
    """A request as handlers see it."""

    bot: Bot | None
    path: dict[str, str]
    query: dict[str, str]
    body: Any
    host: str

    @property
    def caller(self) -> Bot:
        """The bot whose token came along."""
        assert self.bot is not None
        return self.bot


Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A route, its bucket, and whether it takes a bot's token."""

    name: str
    method: str
    path: str
    handler: Handler
    limit: tuple[int, float] | None = (5, 5.0)
    """Requests and seconds of its bucket, by channel or webhook."""
    authorized: bool = True


@dataclass(slots=True)
class Record:
    """A call as it was answered."""

    at: float
    route: str
    status: int
    """0: the connection was cut."""
    channel: str | None
    authorization: bool
    nonce: Any = None
    path: str = field(default="")

    def json(self) -> Json:
        return asdict(self)


class Front:
    """Answers requests."""

    def __init__(self, world: World, settings: Settings, routes: list[Route], changed: Callable[[], None]) -> None:
        self._world = world
        self._settings = settings
        self._changed = changed
        self.faults = Faults()
        self.rates = RateModel()
        self.calls: deque[Record] = deque(maxlen=_CALLS_KEPT)
        self.counts: dict[str, int] = {}
        self.app_routes = [web.route(route.method, PREFIX + route.path, self._serve(route)) for route in routes]

    async def unknown(self, request: web.Request) -> web.StreamResponse:
        """What is not there."""
        self._log(Record(time.time(), "unknown", 404, None, "Authorization" in request.headers, path=request.path))
        return self._json(404, not_found().body, {})

    def _serve(self, route: Route) -> Callable[[web.Request], Any]:
        async def serve(request: web.Request) -> web.StreamResponse:
            channel = request.match_info.get("channel")
            record = Record(time.time(), route.name, 0, channel, "Authorization" in request.headers, path=request.path)
            fault = self.faults.take(route.name, channel)
            try:
                response = await self._with_fault(route, request, record, fault)
            finally:
                self._log(record)
            record.status = response.status
            if response.status in (401, 403, 429) and response.headers.get("X-RateLimit-Scope") != "shared":
                self.rates.count_invalid()
            return response

        return serve

    async def _with_fault(
        self, route: Route, request: web.Request, record: Record, fault: Fault | None
    ) -> web.StreamResponse:
        if fault is None:
            return await self._answer(route, request, record)
        match fault.kind:
            case "answer":
                await request.read()
                return self._spoilt(fault)
            case "answer_after":
                await self._answer(route, request, record)
                return self._spoilt(fault)
            case "close_before":
                await request.read()
                return self._cut(request)
            case "close_after":
                await self._answer(route, request, record)
                return self._cut(request)
            case "stall_before":
                await asyncio.sleep(fault.seconds)
                return await self._answer(route, request, record)
            case "stall_after":
                response = await self._answer(route, request, record)
                await asyncio.sleep(fault.seconds)
                return response

    def _spoilt(self, fault: Fault) -> web.Response:
        if isinstance(fault.body, str):
            return web.Response(
                status=fault.status, text=fault.body, content_type="text/html", headers=_VIA | fault.headers
            )
        body: Any = {"message": f"{fault.status}: fault", "code": 0} if fault.body is None else fault.body
        return self._json(fault.status, body, fault.headers)

    @staticmethod
    def _cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response(status=599)

    async def _answer(self, route: Route, request: web.Request, record: Record) -> web.StreamResponse:
        headers: dict[str, str] = {}
        try:
            if self.rates.banned:
                return web.Response(status=429, text="error code: 1015", content_type="text/html")
            if not request.headers.get("User-Agent", "").startswith("DiscordBot ("):
                return web.Response(status=403, text="error code: 1010", content_type="text/html")
            bot = self._who(request) if route.authorized else None
            refusal = self._limit(route, request, bot, headers)
            if refusal is not None:
                return refusal
            call = Call(bot, dict(request.match_info), dict(request.query), await self._body(request), request.host)
            if isinstance(call.body, dict):
                record.nonce = call.body.get("nonce")
            result = route.handler(call)
            if result is None:
                return web.Response(status=204, headers=headers | _VIA)
            return self._json(200, result, headers)
        except ApiError as error:
            return self._json(error.status, error.body, headers)

    def _who(self, request: web.Request) -> Bot:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        bot = self._world.bots.get(token)
        if kind != "Bot" or bot is None:
            raise unauthorized()
        return bot

    def _limit(
        self, route: Route, request: web.Request, bot: Bot | None, headers: dict[str, str]
    ) -> web.Response | None:
        if not self._settings.rate_limits:
            return None
        now = time.monotonic()
        if bot is not None:
            free, window = self.rates.take(("*", bot.application, ""), GLOBAL_LIMIT, 1.0)
            if not free:
                return self._too_many(window.ends - now, {"X-RateLimit-Global": "true"}, "global")
        if route.limit is not None:
            who = bot.application if bot else ""
            major = request.match_info.get("channel") or request.match_info.get("token") or ""
            places, seconds = route.limit
            free, window = self.rates.take((route.name, who, major), places, self._settings.bucket_seconds or seconds)
            headers |= window.headers(f"bucket-of-{route.name}", now)
            if not free:
                return self._too_many(window.ends - now, headers, "user")
        return None

    def _too_many(self, seconds: float, headers: dict[str, str], scope: str) -> web.Response:
        seconds = max(0.001, round(seconds, 3))
        body = {"message": "You are being rate limited.", "retry_after": seconds, "global": scope == "global"}
        return self._json(429, body, headers | {"Retry-After": str(math.ceil(seconds)), "X-RateLimit-Scope": scope})

    @staticmethod
    async def _body(request: web.Request) -> Any:
        raw = await request.read()
        if not raw:
            return None
        if request.content_type != "application/json":
            raise ApiError(400, 50035, "Invalid Form Body")
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise invalid_json() from None

    @staticmethod
    def _json(status: int, body: Any, headers: dict[str, str]) -> web.Response:
        # Without a charset, as Discord does: discord.py compares the whole header.
        return web.Response(
            status=status, body=orjson.dumps(body), headers={"Content-Type": "application/json"} | _VIA | headers
        )

    def _log(self, record: Record) -> None:
        self.calls.append(record)
        self.counts[record.route] = self.counts.get(record.route, 0) + 1
        self._changed()
