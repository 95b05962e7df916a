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


async def test_a_lease_is_renewed_again_and_again(store: Store, keys: BotKeys) -> None:
    log: list[str] = []
    a = StoreLeases(store, keys, "a", ttl=5.0)
    task = asyncio.create_task(a.run("shard", work(log, "a")))
    await until(lambda: a.held == {"shard"})
    for _ in range(2):
        await store.command("PEXPIRE", keys.lease("shard"), 4000)
        async with asyncio.timeout(10):
            while await store.command("PTTL", keys.lease("shard")) <= 4000:
                await asyncio.sleep(0.01)
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


class Gateway:
    """One that wants four shards and a poller."""

    def __init__(self, store: Store, keys: BotKeys, name: str, ttl: float) -> None:
        self.leases = StoreLeases(store, keys, name, ttl=ttl)
        self.log: list[str] = []
        self.attending = asyncio.create_task(self.leases.attend())
        receivers = [*(f"discord:{number}" for number in range(4)), "telegram"]
        self.tasks = [asyncio.create_task(self.leases.run(name, work(self.log, name))) for name in receivers]

    @property
    def shards(self) -> int:
        return sum(receiver.startswith("discord:") for receiver in self.leases.held)

    async def stop(self) -> None:
        for task in (self.attending, *self.tasks):
            task.cancel()
        await asyncio.gather(self.attending, *self.tasks, return_exceptions=True)


async def test_a_newcomer_gets_its_share_and_all_when_the_other_goes(store: Store, keys: BotKeys) -> None:
    ttl = 2.0
    a = Gateway(store, keys, "a", ttl)
    await until(lambda: len(a.leases.held) == 5)
    b = Gateway(store, keys, "b", ttl)
    await until(lambda: (a.shards, b.shards) == (2, 2))
    assert "telegram" in a.leases.held, "a single receiver stays where it is"
    c = Gateway(store, keys, "c", ttl)
    await until(lambda: c.shards == 1)
    assert sorted((a.shards, b.shards)) == [1, 2]
    await c.stop()
    await until(lambda: (a.shards, b.shards) == (2, 2))
    await a.stop()
    left = asyncio.get_running_loop().time()
    await until(lambda: len(b.leases.held) == 5)
    assert asyncio.get_running_loop().time() - left < ttl / 2, "at once: nobody else is there to wait for"
    await b.stop()


async def test_what_another_gateway_cannot_take_is_taken_after_a_while(store: Store, keys: BotKeys) -> None:
    idle = StoreLeases(store, keys, "idle", ttl=2.0)  # alive, but its platform does not let it in
    attending = asyncio.create_task(idle.attend())
    async with asyncio.timeout(5):
        while not await store.command("EXISTS", f"{keys.prefix}gateways"):
            await asyncio.sleep(0.01)
    a = Gateway(store, keys, "a", 2.0)
    await until(lambda: a.shards == 4)
    attending.cancel()
    await a.stop()
