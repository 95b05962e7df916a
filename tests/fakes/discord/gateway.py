"""The gateway v10 (docs/events/gateway): HELLO, IDENTIFY, heartbeats, dispatch by intents, RESUME with replay."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import orjson
from aiohttp import WSMsgType, web

from tests.fakes.discord.connection import Connection, Session
from tests.fakes.discord.errors import Json
from tests.fakes.discord.settings import Settings
from tests.fakes.discord.state import Bot, World

HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 1, 2, 6, 7, 9, 10, 11
_ACCEPTED_BUT_UNUSED: Final = (3, 4, 8, 31)
GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 12, 1 << 15
_PRIVILEGED_NEVER: Final = 1 << 1 | 1 << 8
_ALL_INTENTS: Final = (1 << 26) - 1
_MAX_PAYLOAD: Final = 4096
_SENDS_A_MINUTE: Final = 120


class Gateway:
    """All sessions, and the websocket handler."""

    def __init__(self, world: World, settings: Settings) -> None:
        self._world = world
        self._settings = settings
        self.sessions: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        self._starts: dict[tuple[str, int], deque[float]] = {}
        self.refuse_resumes = 0
        self.opened = 0
        self.changed: Callable[[], None] = lambda: None
        self.close_codes: list[int] = []
        """Codes this side closed with."""

    def dispatch(
        self, bot: Bot, guild: str | None, intent: int, name: str, data: Json, hidden: Json | None = None
    ) -> None:
        """Send an event to the bot's sessions that it is for; `hidden` to those without the message-content intent."""
        for session in list(self.sessions.values()):
            if session.bot is not bot or (not session.intents & intent and intent):
                continue
            number, count = session.shard
            if (0 if guild is None else (int(guild) >> 22) % count) == number:
                session.dispatch(name, data if hidden is None or session.intents & MESSAGE_CONTENT else hidden)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """One connection."""
        socket = web.WebSocketResponse(compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        self.opened += 1
        self.changed()
        query = request.query
        connection = Connection(socket, query.get("compress") == "zlib-stream")
        if query.get("v") != "10":
            await socket.close(code=4012)
            return socket
        if query.get("encoding", "json") != "json" or query.get("compress", "zlib-stream") != "zlib-stream":
            await socket.close(code=4002, message=b"this server speaks JSON, plain or as zlib-stream")
            return socket
        self.connections.add(connection)
        writer = asyncio.create_task(connection.write())
        watch = asyncio.create_task(self._watch(connection))
        connection.send_json({"op": HELLO, "d": {"heartbeat_interval": self._settings.heartbeat_interval_ms}})
        try:
            await self._listen(connection, self._settings.resume_url or f"ws://{request.host}/resume/")
        finally:
            for task in (writer, watch):
                task.cancel()
            await asyncio.gather(writer, watch, return_exceptions=True)
            self.connections.discard(connection)
            self._leave(connection)
        return socket

    async def _listen(self, connection: Connection, resume_url: str) -> None:
        received: deque[float] = deque()
        while True:
            message = await connection.socket.receive()
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                connection.left_with = message.data if message.type is WSMsgType.CLOSE else None
                return
            now = time.monotonic()
            received.append(now)
            while received[0] < now - 60:
                received.popleft()
            code = 4008 if len(received) > _SENDS_A_MINUTE else self._take(connection, message.data, resume_url)
            if code is not None:
                self.close_codes.append(code)
                connection.close(code)

    def _take(self, connection: Connection, raw: str | bytes, resume_url: str) -> int | None:
        """Act on what a bot sent; the code to close with when it is wrong."""
        if len(raw) > _MAX_PAYLOAD:
            return 4002
        try:
            payload: Json = orjson.loads(raw)
            op, data = payload["op"], payload.get("d")
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return 4002
        if op == HEARTBEAT:
            connection.beats += 1
            if connection.session is not None and isinstance(data, int):
                if data > connection.session.sequence:
                    return 4007
                connection.session.acknowledge(data)
            connection.send_json({"op": HEARTBEAT_ACK})
            return None
        if op == IDENTIFY:
            return 4005 if connection.session else self._identify(connection, data, resume_url)
        if op == RESUME:
            return 4005 if connection.session else self._resume(connection, data)
        if op in _ACCEPTED_BUT_UNUSED:
            return None if connection.session else 4003
        return 4001

    def _identify(self, connection: Connection, data: Any, resume_url: str) -> int | None:
        try:
            token, intents, properties = data["token"], data["intents"], data["properties"]
            shard = tuple(data.get("shard", (0, 1)))
        except (KeyError, TypeError):
            return 4002
        bot = self._world.bots.get(token)
        if bot is None:
            return 4004
        if not all(properties.get(key) for key in ("os", "browser", "device")):
            return 4002
        if not isinstance(intents, int) or not 0 <= intents <= _ALL_INTENTS:
            return 4013
        if intents & _PRIVILEGED_NEVER or (intents & MESSAGE_CONTENT and not bot.message_content):
            return 4014
        if len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            return 4010
        if shard[1] < self._settings.shards:
            return 4011
        if not self._may_start(bot, shard[0]):
            connection.send_json({"op": INVALID_SESSION, "d": False})
            return None
        bot.identifies += 1
        bot.identifies_left -= 1
        if bot.identifies_left < 0:
            return self.reset_token(bot)
        session = Session(secrets.token_hex(16), bot, (shard[0], shard[1]), intents, connection)
        self.sessions[session.id] = connection_session = session
        connection.session = connection_session
        guilds = [g for g in self._world.guilds.values() if (int(g.id) >> 22) % shard[1] == shard[0]]
        session.dispatch("READY", {
            "v": 10, "user": bot.user.json(), "session_id": session.id, "resume_gateway_url": resume_url,
            "shard": list(shard), "application": {"id": bot.application, "flags": self.flags(bot)},
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds], "private_channels": [],
            "session_type": "normal", "relationships": [], "presences": [], "user_settings": {},
        })  # fmt: skip
        if intents & GUILDS:
            for guild in guilds:
                session.dispatch("GUILD_CREATE", self._world.guild_json(guild))
        self.changed()
        return None

    def _may_start(self, bot: Bot, shard: int) -> bool:
        key = (bot.application, shard % self._settings.max_concurrency)
        starts = self._starts.setdefault(key, deque())
        now = time.monotonic()
        while starts and starts[0] <= now - self._settings.identify_window:
            starts.popleft()
        if starts:
            return False
        starts.append(now)
        return True

    def reset_token(self, bot: Bot) -> int:
        """A new token ends all sessions: what happens to a bot that starts too many of them a day."""
        del self._world.bots[bot.token]
        bot.token = self._world.new_token(bot.application)
        self._world.bots[bot.token] = bot
        for session in [s for s in self.sessions.values() if s.bot is bot]:
            del self.sessions[session.id]
            if session.connection is not None:
                session.connection.close(4004)
        return 4004

    def _resume(self, connection: Connection, data: Any) -> int | None:
        try:
            token, session_id, sequence = data["token"], data["session_id"], data["seq"]
        except (KeyError, TypeError):
            return 4002
        bot = self._world.bots.get(token)
        if bot is None:
            return 4004
        session = self.sessions.get(session_id)
        if session is not None and isinstance(sequence, int) and sequence > session.sequence:
            return 4007
        refused = self.refuse_resumes > 0
        if refused:
            self.refuse_resumes -= 1
        if (
            refused or session is None or session.bot is not bot or not isinstance(sequence, int)
            or sequence < session.forgotten or self._timed_out(session)
        ):  # fmt: skip
            self.sessions.pop(session_id, None)
            connection.send_json({"op": INVALID_SESSION, "d": False})
            return None
        if session.connection is not None:
            session.connection.session = None
            session.connection.close(4000)
        bot.resumes += 1
        session.connection, connection.session, session.left_at = connection, session, None
        for number, payload in session.replay:
            if number > sequence:
                connection.send(payload)
        session.dispatch("RESUMED", {"_trace": []})
        self.changed()
        return None

    def _timed_out(self, session: Session) -> bool:
        return session.left_at is not None and time.monotonic() - session.left_at > self._settings.session_lifetime

    def _leave(self, connection: Connection) -> None:
        session = connection.session
        if session is None:
            return
        session.connection, session.left_at = None, time.monotonic()
        self.changed()
        if connection.left_with in (1000, 1001):
            self.sessions.pop(session.id, None)

    async def _watch(self, connection: Connection) -> None:
        """Close a connection whose heartbeats stop."""
        while True:
            before = connection.beats
            await asyncio.sleep(self._settings.heartbeat_interval_ms / 1000 * 1.5 + 1)
            if connection.beats == before:
                self.close_codes.append(4009)
                connection.close(4009)

    @staticmethod
    def flags(bot: Bot) -> int:
        """Flags of an application: GATEWAY_MESSAGE_CONTENT_LIMITED when the intent is on."""
        return 1 << 19 if bot.message_content else 0
