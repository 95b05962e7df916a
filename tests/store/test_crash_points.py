"""The operator is killed before each of the commands that a move, or a deletion in its midst, sends to a store.

The next operator knows of the bot what is in its Secret, and what is in the shared store. Whatever then becomes of the
bot, no key may be lost, be in both stores, or be left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio.connection import AbstractConnection

from gptbot_api.store_rights import key_prefix, user_name
from gptbot_operator import carrying
from gptbot_operator.desired.secret import SHARED
from tests.store.servers import Server
from tests.store.test_moving import BOT, OTHERS, Mover
from tests.store.test_tenants import Operator, until, users

_KEYS, _STEP = 3, 2
"""Of the bot, and of one step of a move."""
_MOST = 100
"""Commands of a whole move, and more."""
_CHANGES = (b"SET", b"DEL", b"UNLINK", b"RESTORE", b"RPUSH", b"PEXPIRE", b"HSET", b"HDEL", b"ACL")
"""Between others, an operator that is killed leaves everything as it was."""
_counted: ContextVar[Kill | None] = ContextVar("counted", default=None)


class Kill:
    """The end of an operator: from one of a move's commands on it sends nothing any more."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.done = asyncio.Event()

    async def count(self) -> None:
        self.left -= 1
        if self.left < 0:
            self.done.set()
            await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def killable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what moves send."""
    send = AbstractConnection.send_packed_command

    async def counted(connection: Any, command: Any, *args: Any, **kwargs: Any) -> None:
        words = b"".join([command] if isinstance(command, bytes) else command).upper().split(b"\r\n")
        if (kill := _counted.get()) and not set(_CHANGES).isdisjoint(words):
            await kill.count()
        await send(connection, command, *args, **kwargs)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    monkeypatch.setattr(carrying, "_STEP", _STEP)


class Mortal(Mover):
    """A mover that may be killed in the middle of a move."""

    def __init__(self, operator: Operator, kill: Kill) -> None:
        super().__init__(operator)
        turn = self.moves._turn

        async def killed(*arguments: Any) -> Any:
            _counted.set(kill)
            return await turn(*arguments)

        self.moves._turn = killed  # type: ignore[method-assign]


_FILL = """
for number = 1, ARGV[1] do redis.call('RPUSH', KEYS[1] .. 'ctx:' .. number, number, 'text', number) end
redis.call('RPUSH', KEYS[2] .. 'ctx:x', 'of another bot')
"""
_READ = """
local found = {}
for _, key in ipairs(redis.call('KEYS', KEYS[1] .. '*')) do
  if key ~= KEYS[1] .. 'moving' then table.insert(found, {key, redis.call('LRANGE', key, 0, -1)}) end
end
return found
"""
"""All but the mark by which a move finds out whether both stores are one: it goes by itself."""


async def everything(server: Server, bot: str = BOT) -> list[Any]:
    """Each key of a bot and its value."""
    return sorted(await server.ask("EVAL", _READ, 1, key_prefix(bot)))


async def fill(server: Server) -> list[Any]:
    await server.ask("EVAL", _FILL, 2, key_prefix(BOT), key_prefix(OTHERS), _KEYS)
    return await everything(server)


class Scene:
    """Two stores, a bot in one of them that is to go to the other."""

    def __init__(self, shared: Server, one: Server, other: Server, way: str) -> None:
        self.shared = shared
        start, _, end = way.partition(" to ")
        place = {"shared": (SHARED, shared), "one": (one.url, one), "other": (other.url, other)}
        self.used, self.source = place[start]
        self.wanted, self.target = place[end]

    async def empty(self) -> None:
        for server in (self.shared, self.source, self.target):
            await server.ask("FLUSHALL")
            for user in await users(server) - {"default"}:
                await server.ask("ACL", "DELUSER", user)

    def operator(self) -> Operator:
        operator = Operator(self.shared.url)
        operator.there = {BOT: "1", OTHERS: "1"}
        return operator

    @contextlib.asynccontextmanager
    async def killed(self, at: int) -> AsyncGenerator[tuple[str, str | None, bool]]:
        """Fill the source and have an operator move until it is killed: what the Secret says, whether it was killed."""
        operator, kill = self.operator(), Kill(at)
        async with operator.running(), Mortal(operator, kill).running() as mover:
            if SHARED in (self.used, self.wanted):
                await operator.tenants.admit(BOT, "1", ("x",), running=True)

            async def over() -> bool:
                return kill.done.is_set() or (await mover.look(self.used, self.wanted)).pods == "run"

            await until(over)
            moving = mover.moving if kill.done.is_set() else None
        yield (self.used if kill.done.is_set() else self.wanted), moving, kill.done.is_set()


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncGenerator[list[Server]]:
    async with Server(tmp_path) as shared, Server(tmp_path) as one, Server(tmp_path) as other:
        yield [shared, one, other]


@pytest.mark.parametrize(
    ("way", "then"),
    [
        ("one to other", "goes to a third"), ("shared to one", "is taken back"), ("shared to one", "is deleted"),
        ("one to shared", "is deleted"),
    ],
)  # fmt: skip
async def test_nothing_is_lost_doubled_or_left(servers: list[Server], way: str, then: str) -> None:
    scene = Scene(servers[0], servers[1], servers[2], way)
    third = next(server for server in servers if server not in (scene.source, scene.target))
    for at in range(_MOST):
        await scene.empty()
        before = await fill(scene.source)
        async with scene.killed(at) as (used, moving, killed):
            operator = scene.operator()
            places = [scene.source, scene.target, third]
            async with operator.running(), Mover(operator, moving).running() as mover:
                if then == "is deleted":
                    del operator.there[BOT]
                    operator.tenants.leave(BOT, {each for each in (used, moving) if each not in (None, SHARED)})
                    where = None
                else:
                    where = {"goes on": scene.target, "is taken back": scene.source, "goes to a third": third}[then]
                    wanted = SHARED if where is scene.shared else where.url
                    assert (await mover.end(used, wanted)).used == wanted

                wanted_there = [(server, before if server is where else []) for server in places]

                async def as_it_should_be(wanted_there: list[tuple[Server, list[Any]]] = wanted_there) -> bool:
                    return all([await everything(server) == wanted for server, wanted in wanted_there])

                await until(as_it_should_be)

                async def no_trace(where: Server | None = where) -> bool:
                    there = user_name(BOT) in await users(scene.shared)
                    entry = bool(await scene.shared.ask("HEXISTS", "gptbot:bots", BOT))
                    return where is scene.shared or not (there or entry)

                await until(no_trace)
            assert await everything(scene.source, OTHERS), "another bot's stay"
        if not killed:
            assert at >= 6, "two steps, each with a change in either store, and a mark before"
            return
    raise AssertionError("a move has more commands than that")
