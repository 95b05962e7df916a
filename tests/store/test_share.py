"""A bot's share of the shared store: counted whatever its keys are called, told to the bot, and not to be faked."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from redis.exceptions import TimeoutError as RedisTimeoutError

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.room import Room
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot_api.store_rights import full_key, key_prefix, rules, user_name
from gptbot_api.store_url import login_as
from gptbot_operator.servers import Servers
from gptbot_operator.store import Reading
from gptbot_operator.store_allowance import Allowance
from gptbot_operator.store_share import Shares
from tests.store.servers import Server
from tests.store.test_intake import Door

BOT, OTHER = "test/a", "test/ab"
READING = Reading(reachable=True)
MIB = 1024**2


class Counting:
    """An operator that counts on demand, and a bot with a user of its own."""

    def __init__(self, server: Server, allowance: str = "10%", timeout: float = 60) -> None:
        self.server = server
        self.servers = Servers(server.url, timeout)
        self.shares = Shares(Allowance.parse(allowance), self.servers, {BOT: "1", OTHER: "2"}, 0.1)
        self.url = login_as(server.url, user_name(BOT), "secret")

    async def count(self) -> tuple[str, str]:
        """Reasons of both bots after another pass."""
        await self.servers.find()
        for each in self.servers.known:
            await self.shares.count(each)
        first, second = (self.shares.judge(bot, READING) for bot in (BOT, OTHER))
        assert first is not None
        assert second is not None
        return first.reason, second.reason

    async def full(self) -> bool:
        return bool(await self.server.ask("EXISTS", full_key(BOT)))


@pytest_asyncio.fixture
async def counting(tmp_path: Path) -> AsyncGenerator[Counting]:
    async with Server(tmp_path, "maxmemory 100mb") as server:
        await server.ask("ACL", "SETUSER", user_name(BOT), *rules(BOT), ">secret")
        made = Counting(server)
        yield made
        await made.servers.close()


async def test_it_warns_refuses_and_recovers(counting: Counting) -> None:
    server, prefix = counting.server, key_prefix(BOT)
    await server.ask("SET", f"{prefix}x", "x" * MIB)
    assert await counting.count() == ("Reachable", "Reachable")
    await server.ask("SET", f"{prefix}y", "x" * (7 * MIB + MIB // 2))
    assert await counting.count() == ("StoreShare", "Reachable")
    assert not await counting.full()
    await server.ask("SET", f"{prefix}z", "x" * (2 * MIB))
    assert await counting.count() == ("StoreShareSpent", "Reachable")
    assert await counting.full()
    await server.ask("DEL", f"{prefix}y")
    assert await counting.count() == ("Reachable", "Reachable")
    assert not await counting.full()


@pytest.mark.parametrize(
    "hidden",
    [
        [("RPUSH", "l", *("s" * 9000 for _ in range(9)), *("x" * MIB for _ in range(10)))],
        [("HSET", "h", *(f"{n}" for n in range(4000))), ("HSET", "h", "large", "x" * (11 * MIB))],
        [("ZADD", "z", 1, "a", 2, "x" * (11 * MIB))],
        [("XADD", "s", "*", "f", "x"), *((("XADD", "s", "*", "f", "x" * MIB),) * 11)],
        [("SET", "odd}:{test/ab}:\n\x00name", "x" * (11 * MIB))],
        [("SET", f"{n}", "x" * 10_000) for n in range(1100)],
        [("SET", "", "x" * (11 * MIB))],
    ],
    ids=["list", "hash", "zset", "stream", "name", "many", "empty name"],
)
async def test_nothing_of_a_bot_is_left_out(counting: Counting, hidden: list[tuple[object, ...]]) -> None:
    for command, key, *rest in hidden:
        await counting.server.ask(command, f"{key_prefix(BOT)}{key}", *rest)
    assert await counting.count() == ("StoreShareSpent", "Reachable")


class Slow:
    """A client of a server that takes too long with one key, and is well otherwise."""

    def __init__(self, client: Any, key: bytes) -> None:
        self.client, self.key, self.asked = client, key, list[bytes]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def pipeline(self, **told: Any) -> Any:
        pipeline = self.client.pipeline(**told)

        def memory_usage(key: bytes, samples: int) -> Any:
            self.asked.append(key)
            return pipeline.execute_command("MEMORY", "USAGE", key, "SAMPLES", samples)

        async def execute() -> list[Any]:
            if self.key in self.asked:
                self.asked.clear()
                raise RedisTimeoutError("Timeout reading from the store")
            return await type(pipeline).execute(pipeline)

        pipeline.memory_usage, pipeline.execute = memory_usage, execute
        return pipeline

    async def memory_usage(self, key: bytes, samples: int) -> int | None:
        if key == self.key:
            raise RedisTimeoutError("Timeout reading from the store")
        return await self.client.memory_usage(key, samples=samples)


async def test_what_cannot_be_counted_in_time_is_as_much_as_there_may_be(counting: Counting) -> None:
    await counting.server.ask("MSET", f"{key_prefix(BOT)}x", "1", f"{key_prefix(OTHER)}x", "1")
    (server,) = await counting.servers.find()
    slow = replace(server, client=Slow(server.client, f"{key_prefix(BOT)}x".encode()))
    counting.servers.known = [slow]
    await counting.shares.count(slow)
    assert [counting.shares.judge(bot, READING) == READING for bot in (BOT, OTHER)] == [False, True]
    assert await counting.full()


async def test_a_bot_reads_its_mark_and_writes_none(counting: Counting) -> None:
    await counting.server.ask("MSET", full_key(BOT), "1", full_key(OTHER), "1")
    async with Store.connect(counting.url, BOT) as store:
        assert await store.command("GET", full_key(BOT)) == b"1"
        for refused in (
            ("DEL", full_key(BOT)), ("SET", full_key(BOT), ""), ("RENAME", full_key(BOT), f"{key_prefix(BOT)}x"),
            ("PEXPIRE", full_key(BOT), 1), ("GET", full_key(OTHER)), ("SET", full_key(OTHER), "1"), ("SELECT", 1),
        ):  # fmt: skip
            with pytest.raises(StoreUnavailable, match="rights"):
                await store.command(*refused)
    assert await counting.full()


async def test_a_full_bot_refuses_politely_and_takes_messages_again(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys)
    room = door.room
    await room.look()
    assert await door.say("a question")
    await store.command("SET", full_key(keys.bot), "1")
    await room.look()
    assert room.full
    for _ in range(3):
        assert not await door.say("another")
    mail = await door.mail()
    assert [message.notice for message in mail] == [None, "limit-store"], "told once, and not kept"
    assert await door.say("!forget"), "this makes room"
    await store.command("DEL", full_key(keys.bot))
    await room.look()
    assert not room.full
    assert await door.say("a question again")


async def test_a_store_of_its_own_has_no_share(store: Store, keys: BotKeys) -> None:
    await store.command("SET", full_key(keys.bot), "1")
    room = Room(store, keys.bot, lambda: False)
    assert await room.look()
    assert not room.full
    await store.command("DEL", full_key(keys.bot))


async def test_a_login_that_may_not_look_has_room(counting: Counting) -> None:
    await counting.server.ask("ACL", "SETUSER", "narrow", "on", ">x", f"~{key_prefix(BOT)}*", "+@all")
    async with Store.connect(login_as(counting.server.url, "narrow", "x"), BOT) as store:
        room = Room(store, BOT, lambda: True)
        assert not await room.look()
        assert not room.full


async def test_without_a_limit_nothing_is_counted(counting: Counting) -> None:
    await counting.server.ask("SET", f"{key_prefix(BOT)}x", "x" * (20 * MIB))
    for allowance in ("off", "20%"):
        if allowance == "20%":
            await counting.server.ask("CONFIG", "SET", "maxmemory", 0)
        other = Counting(counting.server, allowance)
        assert await other.count() == ("Reachable", "Reachable")
        await other.servers.close()


def test_an_allowance_is_written_as_the_store_writes_sizes() -> None:
    assert Allowance.parse("25%").of(400) == 100
    assert Allowance.parse("64mb").of(0) == 64 * MIB
    assert Allowance.parse("1G").of(1) == 10**9
    assert Allowance.parse("off").of(400) == 0
    for wrong in ("", "0", "0%", "101%", "25 %", "64 MiB", "-1", "mb", "1.5gb", "9" * 30):
        with pytest.raises(ValueError, match="a size such as 64mb"):
            Allowance.parse(wrong)
