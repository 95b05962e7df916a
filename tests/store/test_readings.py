"""Stores of bots' own, which a stranger may run: a look at a bot waits for none of them, and keeps little of any."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import psutil
import pytest

from gptbot.inbox.store import Store
from gptbot_operator.readings import Readings
from tests.ports import listening
from tests.store.servers import Server

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
MIB = 1 << 20


@asynccontextmanager
async def stranger(talk: Talk, scheme: str = "redis") -> AsyncGenerator[str]:
    """URL of a server that talks as it likes, until it or the test ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with listening(serve) as port:
        yield f"{scheme}://127.0.0.1:{port}"


@asynccontextmanager
async def looking(shared: str | None = None) -> AsyncGenerator[tuple[Readings, asyncio.Queue[str]]]:
    """Readings, and the bots for which another look is asked."""
    again = asyncio.Queue[str]()
    readings = Readings(shared, 0, again.put_nowait)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        readings.start(tasks)
        yield readings, again
        await readings.forget("shop/bot", ())
        await readings.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_a_look_does_not_wait_for_a_store_that_says_nothing() -> None:
    async with stranger(silent) as url, looking() as (readings, again):
        first = await readings.read(url, "shop/bot")
        assert (first.reachable, first.reason) == (False, "NotAnswered")
        assert again.empty(), "it is still waited for, beside the looks"
        assert await again.get() == "shop/bot"
        known = await readings.read(url, "shop/bot")
        assert (known.reachable, known.reason) == (False, "TimedOut")
        assert await readings.read(url, "shop/bot") is known, "asked again, and nobody waits for it"
        assert again.empty()


async def test_many_silent_stores_hold_up_no_other_bot(store: Store, store_url: str) -> None:
    async with stranger(silent) as url, looking(store_url) as (readings, again):
        stores = {f"shop/bot{number}": url.replace("//", f"//u{number}:p@") for number in range(200)}
        looks = asyncio.gather(*(readings.read(own, bot) for bot, own in stores.items()))
        assert (await readings.read(store_url, "shop/well")).reachable
        assert again.empty()
        assert {reading.reason for reading in await looks} == {"NotAnswered"}
        for bot in stores:
            await readings.forget(bot, stores.values())
        assert again.empty(), "whoever is forgotten is asked for no more"


async def endless_value(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"$%d\r\n" % (200 * MIB))
    for _ in range(200):
        writer.write(b"x" * MIB)
        await writer.drain()


async def endless_array(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"*50000000\r\n")
    for _ in range(5_000):
        writer.write(b":1\r\n" * 10_000)
        await writer.drain()


async def arrays_in_arrays(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"*1\r\n" * 2_000_000)
    await writer.drain()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(65536):
        writer.write(b":1\r\n" * 6)
        await writer.drain()


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
@pytest.mark.parametrize("talk", [endless_value, endless_array, arrays_in_arrays, nonsense])
async def test_what_a_stranger_answers_costs_little_and_is_told(talk: Talk, scheme: str) -> None:
    before = psutil.Process().memory_info().rss
    async with stranger(talk, scheme) as url, looking() as (readings, again):
        reading = await readings.read(url, "shop/bot")
        if reading.reason == "NotAnswered":
            assert await again.get() == "shop/bot"
            reading = await readings.read(url, "shop/bot")
        assert not reading.reachable
        assert reading.reason in ("Unreadable", "Unreachable", "NoCluster", "TimedOut"), reading
    assert psutil.Process().memory_info().rss - before < 40 * MIB


async def test_a_store_of_its_own_that_is_well_is_read_within_the_look(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with Server(tmp_path_factory.mktemp("own")) as own, looking() as (readings, again):
        async with Store.connect(own.url) as store:
            await store.command("XADD", "{shop/bot}:runnable", "*", "conversation", "x")
        reading = await readings.read(own.url, "shop/bot")
        if not reading.reachable:  # on a machine so busy that a second was too short
            await again.get()
            reading = await readings.read(own.url, "shop/bot")
        assert (reading.reachable, reading.backlog) == (True, 1)
