"""A store of a bot's own whose owner means no good: it lies about sizes, never ends, or never answers."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import repeat
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from gptbot_api.store_rights import key_prefix
from gptbot_operator import leftovers, moving
from gptbot_operator.bounded import MOST_BYTES, Bounds, TooLarge
from gptbot_operator.carrying import Carrier, Endless
from gptbot_operator.moving import Moves
from gptbot_operator.purge import purge
from gptbot_operator.servers import Servers
from tests.ports import listening
from tests.store.servers import Server
from tests.store.test_tenants import Operator, until, works

BOT = "test/bot"
KEY = f"{key_prefix(BOT)}ctx:x".encode()
Answer = Callable[[list[bytes]], Iterator[bytes]]
_CHUNK = 1 << 16
_MOST_SENT = 48 << 20
"""Bytes: what one value may have, and what is on its way when the connection is closed."""


@asynccontextmanager
async def lying(answer: Answer) -> AsyncGenerator[tuple[str, list[int]]]:
    """A server that answers each command as it likes: its URL, and how many bytes it got rid of."""
    sent = [0]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readline():
                words: list[bytes] = []
                for _ in range(int(head[1:])):
                    length = int((await reader.readline())[1:])
                    words.append((await reader.readexactly(length + 2))[:-2])
                for part in answer(words):
                    writer.write(part)
                    await writer.drain()
                    sent[0] += len(part)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the operator has hung up
        finally:
            writer.close()

    async with listening(serve) as port:
        yield f"redis://127.0.0.1:{port}/0", sent


@asynccontextmanager
async def between(directory: Path, answer: Answer) -> AsyncGenerator[tuple[Servers, Servers, Server, list[int]]]:
    """A store that lies and a real one: clients of both, the real server, and how many bytes the other got rid of."""
    async with Server(directory) as real, lying(answer) as (url, sent):
        source, target = Servers(url, 3, Bounds()), Servers(real.url, 3)
        await source.find()
        await target.find()
        try:
            yield source, target, real, sent
        finally:
            await source.close()
            await target.close()


def bulk(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


LIES = {
    "a value without an end": lambda: iter((b"$31000000\r\n", *(b"x" * _CHUNK for _ in range(2000)))),
    "a value of 4 GB": lambda: iter((b"$4000000000\r\n", *repeat(b"x" * _CHUNK, 60_000))),
    "parts without an end": lambda: iter((b"*4000000000\r\n", *repeat(b"$0\r\n\r\n" * 10_000, 60_000))),
    "one part within another": lambda: repeat(b"*1\r\n" * 10_000, 60_000),
    "a line without an end": lambda: iter((b"+", *repeat(b"x" * _CHUNK, 60_000))),
    "no number": lambda: iter((b"$many\r\n",)),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("to", ["DUMP", "GET", "SCAN"])
async def test_what_a_store_sends_is_bounded(tmp_path: Path, lie: str, to: str) -> None:
    scans = 0

    def answer(words: list[bytes]) -> Iterator[bytes]:
        nonlocal scans
        command = words[0].decode().upper()
        if command == to:
            return LIES[lie]()
        match command:
            case "SCAN":
                scans += 1
                return iter((b"*2\r\n$1\r\n0\r\n" + (b"*1\r\n" + bulk(KEY) if scans == 1 else b"*0\r\n"),))
            case "TYPE":
                return iter((b"+string\r\n",))
            case "MEMORY" | "UNLINK":
                return iter((b":100\r\n",))
            case "PTTL":
                return iter((b":-1\r\n",))
            case "DUMP":
                return iter((b"-NOPERM no dumps\r\n",))
            case _:
                return iter((b"+OK\r\n",))

    async with between(tmp_path, answer) as (source, target, real, sent):
        carrier = Carrier(source.of(BOT), target.of(BOT), BOT, source.bounds or Bounds(), dumped=to != "GET")
        tracemalloc.start()
        try:
            async with asyncio.timeout(60):
                with contextlib.suppress(RedisError, OSError):
                    await carrier.carry()
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert sent[0] < _MOST_SENT
        assert peak < 6 * _MOST_SENT
        if lie != "a value without an end":  # what it begins with is a value that a bot may have
            assert not await real.ask("EXISTS", KEY)


async def test_a_reply_and_replies_together_are_bounded() -> None:
    def answer(words: list[bytes]) -> Iterator[bytes]:
        return iter((bulk(b"x" * (MOST_BYTES // 2)) if words[0] == b"GET" else b"+OK\r\n",))

    async with lying(answer) as (url, _):
        servers = Servers(url, 3, Bounds())
        await servers.find()
        client = servers.of(BOT)
        for _ in range(3):
            assert len(await client.get("x")) == MOST_BYTES // 2, "each has a bound of its own"
        assert servers.bounds is not None
        pipeline = client.pipeline(transaction=False)
        for _ in range(3):
            pipeline.get("x")
        with servers.bounds.together(MOST_BYTES), pytest.raises(TooLarge):
            await pipeline.execute()
        await servers.close()


async def test_nothing_but_its_own_keys_comes_out_of_a_store_that_lies(tmp_path: Path) -> None:
    def answer(words: list[bytes]) -> Iterator[bytes]:
        keys = bulk(b"gptbot:bots") + bulk(b"{test/other}:ctx:1")
        return iter((b"*2\r\n$1\r\n0\r\n*2\r\n" + keys if words[0] == b"SCAN" else b"+OK\r\n",))

    async with between(tmp_path, answer) as (source, target, real, _):
        assert await Carrier(source.of(BOT), target.of(BOT), BOT).carry() == 0
        assert not await real.ask("DBSIZE")


async def test_keys_that_come_back_for_ever_are_not_moved_for_ever(tmp_path: Path) -> None:
    """A source that says it has erased a key, and names it again."""

    def answer(words: list[bytes]) -> Iterator[bytes]:
        match words[0]:
            case b"SCAN":
                return iter((b"*2\r\n$1\r\n0\r\n*1\r\n" + bulk(KEY),))
            case b"TYPE":
                return iter((b"+string\r\n",))
            case b"GET":
                return iter((bulk(b"x"),))
            case b"DUMP":
                return iter((b"-NOPERM no dumps\r\n",))
            case b"CLIENT":
                return iter((b"+OK\r\n",))
            case _:
                return iter((b":1\r\n",))

    async with between(tmp_path, answer) as (source, target, _, _):
        with pytest.raises(Endless):
            await Carrier(source.of(BOT), target.of(BOT), BOT).carry()


@asynccontextmanager
async def silent() -> AsyncGenerator[str]:
    """A store that lets everybody in and says nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(_CHUNK):
                pass
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async with listening(serve) as port:
        yield f"redis://127.0.0.1:{port}/0"


async def yes() -> bool:
    return True


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a store waits for ever."""
    for module in (moving, leftovers):
        monkeypatch.setattr(module, "_TIMEOUT", 3600.0)
    monkeypatch.setattr(moving, "_TURN_SECONDS", 3600.0)
    monkeypatch.setattr(leftovers, "_PASS_SECONDS", 3600.0)


@pytest.mark.parametrize("silent_one", ["old", "new"])
@pytest.mark.usefixtures("patient")
async def test_looks_do_not_wait_for_stores_that_never_answer(tmp_path: Path, silent_one: str) -> None:
    bots = [f"test/b{number}" for number in range(20)]
    async with Server(tmp_path) as real, silent() as hole, asyncio.TaskGroup() as tasks:
        moves = Moves(Operator(real.url).tenants, lambda _: None)
        moves.start(tasks)
        used, wanted = (hole, real.url) if silent_one == "old" else (real.url, hole)
        for bot in bots:
            async with asyncio.timeout(120):
                await moves.look(bot, "1", used, wanted, yes, wanted)
                stand = await moves.look(bot, "1", used, wanted, yes, wanted)
            assert (stand.used, stand.pods != "run") == (used, True)
            assert stand.fault is not None
        for bot in bots:
            await moves.forget(bot)


@pytest.mark.usefixtures("patient")
async def test_what_a_deleted_bot_left_in_such_a_store_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with Server(tmp_path) as server, silent() as hole, Operator(server.url).running() as operator:
        for number in range(20):
            operator.tenants.leave(f"test/gone{number}", [hole])
        operator.there["test/again"] = "2"
        operator.tenants.leave("test/again", [hole])
        for _ in range(2):
            fault = await operator.tenants.begin("test/again", running=False)
            assert fault is not None
            assert fault.reason == "InUse"
        url = (await operator.look("test/mine")).url or ""
        await server.kill()
        await server.start()

        async def looked_after() -> bool:
            return await works(url, "test/mine")

        await until(looked_after)


async def test_a_purge_of_a_store_without_an_end_can_be_ended() -> None:
    def answer(words: list[bytes]) -> Iterator[bytes]:
        return iter((b"*2\r\n$1\r\n1\r\n*0\r\n" if words[0] == b"SCAN" else b"+OK\r\n",))

    async with lying(answer) as (url, _):
        servers = Servers(url, 3, Bounds())
        await servers.find()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await purge(servers.of(BOT), [BOT])
        await servers.close()
