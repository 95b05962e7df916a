"""Reading a bot's store: what is there, what is away, and how often it is asked."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator

import pytest

from gptbot.inbox.store import Store
from gptbot_operator.hashes import MOST_BYTES, MOST_FIELDS
from gptbot_operator.store import PlatformReport, StoreReader


@pytest.fixture
async def reader() -> AsyncIterator[StoreReader]:
    made = StoreReader(max_age=60)
    yield made
    await made.close()


async def test_backlog_and_reports(reader: StoreReader, store: Store, store_url: str) -> None:
    bot = f"test/{uuid.uuid4().hex[:8]}"
    await store.command("XADD", f"{{{bot}}}:runnable", "*", "conversation", "x")
    told = {"connected": False, "reason": "TokenRefused", "message": "no", "since": 1, "username": "b", "invite": "i"}
    entry = json.dumps(told)
    await store.command("HSET", f"{{{bot}}}:platforms", "web", '{"connected": true}', "irc", entry, "odd", "[not json")
    await store.command("HSET", f"{{{bot}}}:model", "spec.llm", '{"outcome": "quota"}', "odd", "[not json")
    reading = await reader.read(store_url, bot)
    assert (reading.reachable, reading.backlog) == (True, 1)
    assert reading.platforms == {
        "web": PlatformReport(True), "irc": PlatformReport(False, "no", "TokenRefused", "b", "i", 1)
    }  # fmt: skip
    assert reading.platforms["irc"].since == 1
    assert reading.model == {"spec.llm": "quota"}

    await store.command("XADD", f"{{{bot}}}:runnable", "*", "conversation", "y")
    assert await reader.read(store_url, bot) is reading, "a fresh reading is not asked for again"
    impatient = StoreReader(max_age=0)
    assert (await impatient.read(store_url, bot)).backlog == 2
    await impatient.close()


async def test_a_platform_with_shards_is_connected_when_all_are(store: Store, store_url: str) -> None:
    bot = f"test/{uuid.uuid4().hex[:8]}"
    impatient = StoreReader(max_age=0)

    async def read(**fields: tuple[bool, str, float]) -> PlatformReport:
        """The merged report; each field's is connected, its message, and seconds ago."""
        for name, (connected, message, ago) in fields.items():
            entry = {"connected": connected, "message": message, "at": time.time() - ago, "of": 2}
            await store.command("HSET", f"{{{bot}}}:platforms", name.replace("_", ":"), json.dumps(entry))
        return (await impatient.read(store_url, bot)).platforms["discord"]

    assert await read(discord=(True, "", 0)) == PlatformReport(False, "0 of 2 shards are connected", "ShardsMissing"), (
        "none yet"
    )
    assert await read(discord_0=(True, "", 0)) == PlatformReport(False, "1 of 2 shards are connected", "ShardsMissing")
    assert await read(discord_1=(True, "", 0)) == PlatformReport(True)
    assert await read(discord_0=(False, "x", 0), discord_1=(False, "x", 0)) == PlatformReport(False, "x"), "said once"
    assert await read(discord_1=(True, "few starts", 0)) == PlatformReport(False, "x; few starts")
    assert await read(discord_0=(True, "", 50)) == PlatformReport(True, "few starts")
    assert await read(discord_0=(True, "", 70), discord_1=(True, "", 0)) == PlatformReport(
        False, "1 of 2 shards are connected", "ShardsMissing"
    ), "the gateway that said so is gone"
    assert await read(discord=(False, "no way there", 0), discord_0=(True, "", 0)) == PlatformReport(
        True, "no way there"
    ), "one gateway has trouble, the shards are read by another"
    await impatient.close()


async def test_the_reason_is_of_what_keeps_a_platform_from_being_connected(store: Store, store_url: str) -> None:
    bot = f"test/{uuid.uuid4().hex[:8]}"
    entries = {
        "discord": {"connected": True, "reason": "IntentOff", "message": "intent", "since": 5},
        "discord:0": {"connected": True, "since": 9},
        "discord:1": {"connected": False, "reason": "Unreachable", "message": "away", "since": 7},
    }
    for name, entry in entries.items():
        await store.command("HSET", f"{{{bot}}}:platforms", name, json.dumps(entry | {"of": 2}))
    impatient = StoreReader(max_age=0)
    found = (await impatient.read(store_url, bot)).platforms["discord"]
    assert (found, found.since) == (PlatformReport(False, "intent; away", "Unreachable"), 7)
    await store.command("HSET", f"{{{bot}}}:platforms", "discord:1", '{"connected": true, "of": 2, "since": 8}')
    found = (await impatient.read(store_url, bot)).platforms["discord"]
    assert (found, found.since) == (PlatformReport(True, "intent", "IntentOff"), 9)
    await impatient.close()


async def test_a_store_that_is_away_is_asked_once_for_all_bots(reader: StoreReader) -> None:
    connections = 0

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        first = await reader.read(f"redis://:hunter2@127.0.0.1:{port}/0", "test/a")
        tried = connections
        assert await reader.read(f"redis://:hunter2@127.0.0.1:{port}/0", "test/b") is first
    assert (first.reachable, first.reason) == (False, "Unreachable")
    assert "hunter2" not in first.message
    assert connections == tried > 0


async def test_a_refused_password_and_what_is_no_url(reader: StoreReader, store_url: str) -> None:
    assert (await reader.read("nonsense", "test/a")).reason == "InvalidURL"
    host = store_url.rpartition("@")[2].removeprefix("redis://")
    refused = await reader.read(f"redis://nobody:wrong@{host}", "test/a")
    assert (refused.reason, refused.message) == (
        "PasswordRefused",
        "the store refuses the password; check the store's URL",
    )


@pytest.mark.parametrize("name", ["runnable", "platforms", "model", "tokens", "unreadable"])
async def test_a_key_of_another_type_is_told_and_the_rest_is_read(name: str, store: Store, store_url: str) -> None:
    bot = f"test/{uuid.uuid4().hex[:8]}"
    await store.command("HSET", f"{{{bot}}}:platforms", "web", '{"connected": true}')
    await store.command("DEL", f"{{{bot}}}:{name}")
    await store.command("SET", f"{{{bot}}}:{name}", "of another type")
    impatient = StoreReader(max_age=0)
    reading = await impatient.read(store_url, bot)
    await impatient.close()
    assert (reading.reachable, reading.reason) == (True, "Unreadable")
    assert reading.message.endswith(f": {name}")
    assert reading.platforms == ({} if name == "platforms" else {"web": PlatformReport(True)})


async def test_what_was_put_aside_is_told(store: Store, store_url: str) -> None:
    bot = f"test/{uuid.uuid4().hex[:8]}"
    await store.command("HSET", f"{{{bot}}}:unreadable", "later", "1", "\udcff".encode("utf-8", "surrogateescape"), "1")
    impatient = StoreReader(max_age=0)
    reading = await impatient.read(store_url, bot)
    assert (reading.reachable, reading.reason) == (True, "Unreadable")
    assert "later" in reading.message
    await store.command("DEL", f"{{{bot}}}:unreadable")
    assert (await impatient.read(store_url, bot)).reason == "Reachable"
    await impatient.close()


async def test_of_a_hash_without_an_end_only_so_much_is_read(store: Store, store_url: str) -> None:
    bot = f"test/{uuid.uuid4().hex[:8]}"
    report = '{"connected": true}'
    for name, value in (("platforms", report), ("model", '{"outcome": "ok"}'), ("unreadable", "1")):
        for first in range(0, 20_000, 5_000):
            many = [part for number in range(first, first + 5_000) for part in (f"p{number}", value)]
            await store.command("HSET", f"{{{bot}}}:{name}", *many)
        await store.command("HSET", f"{{{bot}}}:{name}", "long", report + " " * 1_000_000, "n" * 1_000_000, value)
    await store.command("HSET", f"{{{bot}}}:tokens", "day", "1" * 1_000_000, "tokens", "5", "cost", "7")
    impatient = StoreReader(max_age=0)
    reading = await impatient.read(store_url, bot)
    await impatient.close()
    assert (reading.reachable, reading.reason) == (True, "Unreadable")
    assert 0 < len(reading.platforms) <= MOST_FIELDS
    assert 0 < len(reading.model) <= MOST_FIELDS
    assert not {"long", "n" * 1_000_000} & reading.platforms.keys()
    assert len(reading.message) < MOST_BYTES
    assert reading.tokens == 0


async def test_spoiled_values_are_passed_over(store: Store, store_url: str) -> None:
    bot = f"test/{uuid.uuid4().hex[:8]}"
    deep, odd = "[" * 100_000, ['{"connected": true, "of": 1e999}', '{"connected": true, "at": "x"}', "[]", "\0", "{}"]
    fields = [part for number, text in enumerate([deep, *odd]) for part in (f"p{number}", text)]
    await store.command("HSET", f"{{{bot}}}:platforms", "web", '{"connected": true}', *fields)
    await store.command("HSET", f"{{{bot}}}:model", "spec.llm", '{"outcome": "ok"}', *fields)
    await store.command("HSET", f"{{{bot}}}:tokens", "day", "9" * 5000, "tokens", "-1", "cost", "\0")
    impatient = StoreReader(max_age=0)
    reading = await impatient.read(store_url, bot)
    await impatient.close()
    assert reading.platforms == {"web": PlatformReport(True)}
    assert (reading.model, reading.tokens, reading.cost) == ({"spec.llm": "ok"}, 0, 0)
