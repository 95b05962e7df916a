"""Leases of receivers on a real Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.leases import StoreLeases
from gptbot.inbox.store import Store


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def work(log: list[str], name: str) -> Callable[[], Awaitable[None]]:
    async def hold() -> None:
        log.append(f"{name} starts")
        try:
            await asyncio.Event().wait()
        finally:
            log.append(f"{name} ends")

    return hold


async def test_one_holds_and_the_other_takes_over_when_it_is_released(store: Store, keys: BotKeys) -> None:
    log: list[str] = []
    a = StoreLeases(store, keys, "a", ttl=5)
    b = StoreLeases(store, keys, "b", ttl=5)
    first = asyncio.create_task(a.run("shard", work(log, "a")))
    await until(lambda: log == ["a starts"])
    second = asyncio.create_task(b.run("shard", work(log, "b")))
    await asyncio.sleep(0.3)
    assert log == ["a starts"]
    first.cancel()
    await until(lambda: log == ["a starts", "a ends", "b starts"])
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert await store.command("EXISTS", keys.lease("shard")) == 0


async def test_a_lease_is_renewed_past_its_ttl(store: Store, keys: BotKeys) -> None:
    log: list[str] = []
    a = StoreLeases(store, keys, "a", ttl=0.4)
    task = asyncio.create_task(a.run("shard", work(log, "a")))
    await until(lambda: a.held == {"shard"})
    await asyncio.sleep(1.2)
    assert await store.command("GET", keys.lease("shard")) == b"a"
    assert log == ["a starts"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_work_is_stopped_when_the_lease_was_lost(store: Store, keys: BotKeys) -> None:
    log: list[str] = []
    a = StoreLeases(store, keys, "a", ttl=0.4)
    task = asyncio.create_task(a.run("shard", work(log, "a")))
    await until(lambda: log == ["a starts"])
    await store.command("SET", keys.lease("shard"), "somebody else", "PX", 1000)
    await until(lambda: log == ["a starts", "a ends"])
    assert await store.command("GET", keys.lease("shard")) == b"somebody else", "a lease of others is not released"
    await until(lambda: log == ["a starts", "a ends", "a starts"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_the_work_raises_is_raised_and_the_lease_is_free(store: Store, keys: BotKeys) -> None:
    async def fail() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await StoreLeases(store, keys, "a").run("shard", fail)
    assert await store.command("EXISTS", keys.lease("shard")) == 0
