"""What a bot keeps goes with it to another store: everything, with its time to live, and nothing stays behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store
from gptbot_api.store_rights import key_prefix, user_name
from gptbot_api.store_url import login_as
from gptbot_operator import carrying, moving
from gptbot_operator.desired.secret import SHARED
from gptbot_operator.moving import Moves
from tests.store.servers import Server
from tests.store.test_tenants import Operator, until, users

BOT, OTHERS = "test/bot", "test/other"


@pytest_asyncio.fixture
async def stores(tmp_path: Path) -> AsyncGenerator[tuple[Server, Server]]:
    async with Server(tmp_path) as one, Server(tmp_path) as other:
        yield one, other


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def keys(server: Server) -> set[bytes]:
    return set(await server.ask("KEYS", f"{key_prefix(BOT)}*"))


def mailbox(store: Store) -> Mailbox:
    return Mailbox(store, BotKeys(BOT, b"p" * 32), "worker", lease=0.5)


async def fill(server: Server) -> None:
    """A message that a worker had begun with when it ended, and many contexts."""
    async with Store.connect(server.url, BOT) as store:
        mail = mailbox(store)
        await mail.create_group()
        await mail.enqueue("event", Envelope(
            event="event", platform="test", user="u", text="Hello", address={}, direct=True, received=time.time()
        ))  # fmt: skip
        assert await mail.receive(10, 0.2)
        for number in range(500):
            await store.command("RPUSH", f"{key_prefix(BOT)}ctx:{number}", *range(number % 7 + 1))
            await store.command("PEXPIRE", f"{key_prefix(BOT)}ctx:{number}", 3_600_000)
    await server.ask("SET", f"{key_prefix(OTHERS)}ctx:x", "another bot's")


async def answer(server: Server, how: str = "take over") -> list[str]:
    """Do what a worker does; the texts that it finds."""
    async with asyncio.timeout(30), Store.connect(server.url, BOT) as store:
        mail = mailbox(store)
        while not (entries := await (mail.take_over(10) if how == "take over" else mail.receive(10, 0.2))):
            await asyncio.sleep(0.1)
        claims = [await mailbox(store).claim(entry) for entry in entries]
        return [message.text for claim in claims if claim for message in claim.messages]


async def test_all_of_it_goes_from_one_own_store_to_another(stores: tuple[Server, Server]) -> None:
    one, other = stores
    moves = Moves(Operator(one.url).tenants)
    await fill(one)
    before = await keys(one)
    stand = await moves.look(BOT, "1", one.url, other.url, no)
    assert (stand.used, stand.pods) == (one.url, "stop")
    assert await keys(one) >= before, "nothing moves while pods are at work"

    stand = await moves.look(BOT, "1", one.url, other.url, yes)
    assert (stand.used, stand.fault, stand.pods) == (other.url, None, "run")
    assert not await keys(one)
    assert before <= await keys(other)
    assert await one.ask("GET", f"{key_prefix(OTHERS)}ctx:x") == b"another bot's"
    assert await other.ask("LRANGE", f"{key_prefix(BOT)}ctx:6", "0", "-1") == [b"%d" % n for n in range(7)]
    assert 3_000_000 < await other.ask("PTTL", f"{key_prefix(BOT)}ctx:6") <= 3_600_000
    assert await answer(other) == ["Hello"]


@pytest.mark.parametrize("without", ["-dump", "-restore"])
async def test_it_goes_without_dumps_too(stores: tuple[Server, Server], without: str) -> None:
    """As where the target is of an older version, which does not read those of a newer one."""
    one, other = stores
    await fill(one)
    for name, command in {
        "string": ("SET", "say \x00 it"), "hash": ("HSET", "a", "1", "b", "2"), "zset": ("ZADD", "1700000000001", "m"),
        "stream": ("XADD", "5-1", "field", "text"),
    }.items():  # fmt: skip
        await one.ask(command[0], f"{key_prefix(BOT)}set:{name}", *command[1:])
    urls: list[str] = []
    for server in stores:
        await server.ask("ACL", "SETUSER", "limited", "on", ">x", "~*", "+@all", without)
        urls.append(login_as(server.url, "limited", "x"))
    before = await keys(one)
    stand = await Moves(Operator(one.url).tenants).look(BOT, "1", urls[0], urls[1], yes)
    assert (stand.used, stand.fault) == (urls[1], None)
    assert before <= await keys(other)
    assert not await keys(one)
    assert await other.ask("LRANGE", f"{key_prefix(BOT)}ctx:6", "0", "-1") == [b"%d" % n for n in range(7)]
    assert 3_000_000 < await other.ask("PTTL", f"{key_prefix(BOT)}ctx:6") <= 3_600_000
    assert await other.ask("GET", f"{key_prefix(BOT)}set:string") == b"say \x00 it"
    assert await other.ask("HGETALL", f"{key_prefix(BOT)}set:hash") in (
        {b"a": b"1", b"b": b"2"},
        [b"a", b"1", b"b", b"2"],
    )
    assert await other.ask("ZSCORE", f"{key_prefix(BOT)}set:zset", "m") in (b"1700000000001", 1700000000001.0)
    assert await other.ask("XRANGE", f"{key_prefix(BOT)}set:stream", "-", "+") == [[b"5-1", [b"field", b"text"]]]
    assert await answer(other, "receive") == ["Hello"]


async def test_it_goes_to_the_shared_store_and_back(stores: tuple[Server, Server]) -> None:
    shared, own = stores
    operator = Operator(shared.url)
    moves = Moves(operator.tenants)
    async with operator.running():
        await operator.look(BOT)
        await fill(shared)
        before = await keys(shared)
        assert (await moves.look(BOT, "1", SHARED, own.url, yes)).used == own.url
        assert not await keys(shared)
        assert user_name(BOT) not in await users(shared)
        assert not await shared.ask("HEXISTS", "gptbot:bots", BOT)
        assert before <= await keys(own)

        await operator.look(BOT)
        assert (await moves.look(BOT, "1", own.url, SHARED, yes)).used == SHARED
        assert before <= await keys(shared)
        assert not await keys(own)
        assert user_name(BOT) in await users(shared)

        async def written_down() -> bool:
            return bool(await shared.ask("HEXISTS", "gptbot:bots", BOT))

        await until(written_down)


async def test_one_server_by_two_names_loses_nothing(stores: tuple[Server, Server]) -> None:
    one, _ = stores
    moves = Moves(Operator(one.url).tenants)
    await fill(one)
    before = await keys(one)
    by_another_name = one.url.replace("127.0.0.1", "localhost")
    assert by_another_name != one.url
    assert (await moves.look(BOT, "1", one.url, by_another_name, yes)).used == by_another_name
    assert await keys(one) == before
    assert (await moves.look(BOT, "1", one.url, f"{one.url}?db=0", no)).pods == "run", "a certain one needs no stop"


async def test_pods_go_on_in_the_old_store_while_the_new_one_cannot_be_used(stores: tuple[Server, Server]) -> None:
    one, other = stores
    moves = Moves(Operator(one.url).tenants)
    await fill(one)
    await other.kill()
    for _ in range(2):
        stand = await moves.look(BOT, "1", one.url, other.url, no)
        assert (stand.used, stand.pods) == (one.url, "stay")
        assert stand.fault is not None
        assert stand.fault.reason == "Moving"
        assert "cannot be reached" in stand.fault.message
    assert (await moves.look(BOT, "1", one.url, "redis://host:port/0", no)).pods == "run", "InvalidURL says it"


async def test_an_old_store_that_is_lost_keeps_nobody_waiting_for_ever(
    stores: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = stores
    moves = Moves(Operator(one.url).tenants)
    await one.kill()
    stand = await moves.look(BOT, "1", one.url, other.url, yes)
    assert (stand.used, stand.pods) == (one.url, "stop")
    monkeypatch.setattr(moving, "_PATIENCE", 0.0)
    assert (await moves.look(BOT, "1", one.url, other.url, yes)).used == other.url


async def test_a_move_that_is_cut_off_goes_on(stores: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = stores
    moves = Moves(Operator(one.url).tenants)
    await fill(one)
    before = await keys(one)
    steps, step = iter(range(1, 1000)), carrying._step

    async def some(source: Any, target: Any, found: list[bytes], dumped: bool) -> None:
        if next(steps) == 5:
            raise ConnectionError
        await step(source, target, found, dumped)

    with monkeypatch.context() as patch:
        patch.setattr(carrying, "_step", some)
        assert (await moves.look(BOT, "1", one.url, other.url, yes)).pods == "stop"
    assert 0 < len(await keys(other)) < len(before)
    assert (await moves.look(BOT, "1", one.url, other.url, yes)).used == other.url
    assert before <= await keys(other)
    assert await answer(other) == ["Hello"]


async def test_nothing_but_its_own_keys_comes_out_of_a_store_that_lies(stores: tuple[Server, Server]) -> None:
    one, other = stores

    class Lying:
        async def scan(self, *_: object, **__: object) -> tuple[int, list[bytes]]:
            return 0, [b"gptbot:bots", f"{key_prefix(OTHERS)}ctx:1".encode()]

    assert await carrying.carry(Lying(), None, BOT) == 0
    assert not await other.ask("DBSIZE") + await one.ask("DBSIZE")


async def test_what_another_bot_of_that_name_left_goes_before_anything_arrives(stores: tuple[Server, Server]) -> None:
    shared, own = stores
    operator = Operator(shared.url)
    async with operator.running():
        await operator.look(BOT, uid="the first")
        await shared.ask("SET", f"{key_prefix(BOT)}ctx:old", "of the first")
        await fill(own)
        before = await keys(own)
        operator.there[BOT] = "1"
        moves = Moves(operator.tenants)
        assert (await moves.look(BOT, "1", own.url, SHARED, yes)).used == SHARED
        await operator.look(BOT, uid="1")
        assert before <= await keys(shared)
        assert not await shared.ask("EXISTS", f"{key_prefix(BOT)}ctx:old")


async def test_a_new_store_that_refuses_is_no_reason_to_leave_things_behind(
    stores: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = stores
    await fill(one)
    await other.ask("ACL", "SETUSER", "limited", "on", ">x", "~*", "+@all", "-restore", "-rpush")
    monkeypatch.setattr(moving, "_PATIENCE", 0.0)
    moves = Moves(Operator(one.url).tenants)
    for _ in range(2):
        stand = await moves.look(BOT, "1", one.url, login_as(other.url, "limited", "x"), yes)
        assert (stand.used, stand.pods) == (one.url, "stop")
