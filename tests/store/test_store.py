"""The shared connection on a real Valkey that is stopped, started and refuses."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ResponseError

from gptbot.embedded.valkey import EmbeddedValkey
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot_api.store_functions import function


async def test_commands_of_one_tick_go_out_together(store: Store) -> None:
    await store.command("PING")
    before = store.round_trips
    replies = await asyncio.gather(*(store.command("ECHO", str(n)) for n in range(100)))
    assert replies == [str(n).encode() for n in range(100)]
    assert store.round_trips == before + 1


async def test_an_error_reply_reaches_only_its_own_caller(store: Store) -> None:
    good, bad, after = await asyncio.gather(
        store.command("PING"), store.command("NOSUCHCOMMAND"), store.command("PING"), return_exceptions=True
    )
    assert good == after
    assert isinstance(bad, ResponseError)
    assert not isinstance(bad, StoreUnavailable)


async def test_functions_are_loaded_where_they_are_missing_and_stay(tmp_path: Path) -> None:
    keys = BotKeys("test/script", b"")

    async def promote(store: Store) -> Any:
        return await store.run(
            function("promote"), (keys.runnable, keys.line, keys.waiting, keys.later), "workers", 1, 1000
        )

    async with EmbeddedValkey(tmp_path) as valkey, Store.connect(valkey.url) as store:
        assert await asyncio.gather(*(promote(store) for _ in range(50))) == [0] * 50
        stats = (await store.command("INFO", "commandstats")).decode()
        assert "cmdstat_function|load:calls=1," in stats
        await store.command("FUNCTION", "FLUSH")
        assert await promote(store) == 0
    async with EmbeddedValkey(tmp_path) as valkey, Store.connect(valkey.url) as store:
        assert await promote(store) == 0
        assert "function|load" not in (await store.command("INFO", "commandstats")).decode()


async def test_a_blocking_command_does_not_hold_up_others(store: Store, keys: BotKeys) -> None:
    waiting = asyncio.create_task(store.block("BLPOP", keys.mail("c"), "5", timeout=10))
    assert await asyncio.wait_for(store.command("PING"), 2)
    await store.command("RPUSH", keys.mail("c"), "x")
    assert (await waiting)[1] == b"x"


async def test_a_cancelled_blocking_command_leaves_no_reply_behind(store: Store, keys: BotKeys) -> None:
    waiting = asyncio.create_task(store.block("BLPOP", keys.mail("c"), "0.2", timeout=10))
    await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await store.block("ECHO", "mine", timeout=5) == b"mine"


async def test_a_store_that_goes_away_is_named_and_used_again(tmp_path: Path) -> None:
    async with EmbeddedValkey(tmp_path) as valkey, Store.connect(valkey.url) as store:
        mailbox = Mailbox(store, BotKeys("test/away", b""), "w")
        await mailbox.create_group()
        assert valkey.pid
        await store.command("SET", "kept", "1")
        port = valkey.url.rpartition(":")[2].partition("/")[0]
        with pytest.raises(StoreUnavailable):
            await store.command("SHUTDOWN", "NOSAVE")
        assert port
        # The embedded server is started again at the same address, with its data.
        async with asyncio.timeout(30):
            await store.wait_available()
        assert await store.command("GET", "kept") == b"1"
        assert store.trouble is None


async def test_nobody_there_is_said_so() -> None:
    async with Store.connect("redis://127.0.0.1:1/0") as store:
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            await store.command("PING")
        assert store.trouble
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            await store.block("BLPOP", "x", "1", timeout=3)


async def test_a_wrong_password_is_said_so(store_url: str) -> None:
    address = store_url.rpartition("@")[2]
    async with Store.connect(f"redis://:wrong@{address}") as store:
        with pytest.raises(StoreUnavailable, match="password") as caught:
            await store.command("PING")
        assert "wrong" not in str(caught.value)


async def test_full_memory_is_said_so(tmp_path: Path) -> None:
    async with EmbeddedValkey(tmp_path) as valkey, Store.connect(valkey.url) as store:
        await store.command("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(StoreUnavailable, match="no memory left"):
            await store.command("SET", "x", "1")


async def test_closing_tells_those_who_wait(store_url: str) -> None:
    store = Store.connect(store_url)
    reply = store.command("PING")
    await asyncio.sleep(0)
    await store.close()
    with pytest.raises(StoreUnavailable):
        await reply


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="scheme"):
        Store.connect("http://127.0.0.1")
