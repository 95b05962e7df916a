"""A shared store that a function keeps busy: what is said of it, and what of it the operator ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.exceptions import RedisError, ResponseError

from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.inbox.wire import Wire
from gptbot_api.store_faults import fault_of_reply
from gptbot_api.store_url import StoreUrl
from gptbot_operator.servers import Servers
from gptbot_operator.store import StoreReader
from gptbot_operator.store_busy import end_endless
from tests.store.servers import Server

OURS, OTHERS, WRITES = "promote_0123456789ab", "report", "retry_0123456789ab"
_LIBRARY = f"""#!lua name=endless
redis.register_function('{OURS}', function() while true do end end)
redis.register_function('{OTHERS}', function() while true do end end)
redis.register_function('{WRITES}', function(keys) redis.call('SET', keys[1], '1') while true do end end)
"""


@asynccontextmanager
async def busy(directory: Path, function: str) -> AsyncGenerator[tuple[Server, asyncio.Task[None]]]:
    """A server that does nothing but run a function, and the one who asked for it."""
    async with Server(directory, "busy-reply-threshold 200") as server:
        await server.ask("FUNCTION", "LOAD", _LIBRARY)

        async def ask() -> None:
            wire = await Wire.open(StoreUrl.parse(server.url), server.address, None)
            with contextlib.suppress(ResponseError, StoreUnavailable):
                await wire.ask("FCALL", function, 1, "{test/a}:x")
            wire.abort()

        caller = asyncio.create_task(ask())
        await until_busy(server)
        yield server, caller
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)


async def until_busy(server: Server) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await server.ask("PING")
            except StoreUnavailable as error:
                if "busy" in str(error):
                    return
            await asyncio.sleep(0.05)


async def look(server: Server) -> None:
    """What the operator does at each look."""
    servers = Servers(server.url, 60)
    await servers.find()
    await end_endless(servers.known)
    await servers.close()


async def test_bot_and_operator_say_that_it_is_busy_and_not_away(tmp_path: Path) -> None:
    async with busy(tmp_path, OTHERS) as (server, _):
        reader = StoreReader(max_age=0)
        reading = await reader.read(server.url, "test/a")
        await reader.close()
        assert (reading.reachable, reading.reason) == (False, "Busy")
        async with Store.connect(server.url, "test/a") as store:
            with pytest.raises(StoreUnavailable, match="is busy with a function or script") as caught:
                await store.command("SET", "{test/a}:x", "1")
            assert not await store.check()
            assert str(caught.value) == store.trouble == reading.message == str(fault_of_reply("BUSY x"))


async def test_the_operator_ends_a_function_of_the_bots(tmp_path: Path) -> None:
    async with busy(tmp_path, OURS) as (server, caller):
        await look(server)
        await asyncio.wait_for(caller, 60)
        assert await server.ask("PING") in (b"PONG", "PONG")


async def test_what_others_run_is_left_alone(tmp_path: Path) -> None:
    async with busy(tmp_path, OTHERS) as (server, caller):
        await look(server)
        await until_busy(server)
        assert not caller.done()


async def test_what_has_written_is_told_of_and_waits_for_a_restart(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with busy(tmp_path, WRITES) as (server, caller):
        await look(server)
        await until_busy(server)
        assert not caller.done()
        told = capfd.readouterr()
        assert "restart the store" in told.out + told.err
        assert "test/a" in told.out + told.err


async def test_a_store_that_is_away_is_left_alone(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with contextlib.suppress(RedisError):
        await look(server)
