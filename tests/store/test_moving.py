"""What a bot keeps goes with it to another store: everything, with its time to live, and nothing stays behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store
from gptbot_api.store_faults import UNREACHABLE, StoreFault
from gptbot_api.store_rights import key_prefix, user_name
from gptbot_api.store_url import login_as
from gptbot_operator import moving
from gptbot_operator.carrying import Carrier
from gptbot_operator.desired.secret import SHARED
from gptbot_operator.moving import Moves, Stand
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


Stopped = Callable[[], Awaitable[bool]]


class Mover:
    """What the operator remembers of a bot's move while it runs; what outlives it is in the bot's Secret."""

    def __init__(self, operator: Operator, moving: str | None = None) -> None:
        self.looks: list[str] = []
        self.moves = Moves(operator.tenants, self.looks.append)
        self.moving = moving
        """As the Secret has it."""

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Mover]:
        async with asyncio.TaskGroup() as tasks:
            self.moves.start(tasks)
            yield self
            await self.moves.forget(BOT)

    async def look(self, used: str | None, wanted: str | None, stopped: Stopped = yes) -> Stand:
        """One look, and what it writes into the Secret."""
        stand = await self.moves.look(BOT, "1", used, wanted, stopped, self.moving)
        self.moving = stand.moving
        return stand

    async def until(
        self, done: Callable[[Stand], bool], used: str | None, wanted: str | None, stopped: Stopped = yes
    ) -> Stand:
        """Look until something is so."""
        async with asyncio.timeout(60):
            while not done(stand := await self.look(used, wanted, stopped)):
                await asyncio.sleep(0.01)
        return stand

    async def end(self, used: str | None, wanted: str | None) -> Stand:
        """Look until the bot may begin."""
        return await self.until(lambda stand: stand.pods == "run", used, wanted)


def says(text: str) -> Callable[[Stand], bool]:
    return lambda stand: stand.fault is not None and text in stand.fault.message


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
    await fill(one)
    before = await keys(one)
    async with Mover(Operator(one.url)).running() as mover:
        stand = await mover.until(says("pods end first"), one.url, other.url, no)
        assert (stand.used, stand.pods, stand.moving) == (one.url, "stop", None)
        assert await keys(one) >= before, "nothing moves while pods are at work"

        stand = await mover.look(one.url, other.url)
        assert (stand.used, stand.pods, stand.moving) == (one.url, "stop", other.url), "that is written down first"
        assert await keys(one) >= before
        assert not await keys(other)

        stand = await mover.end(one.url, other.url)
    assert (stand.used, stand.fault, stand.moving) == (other.url, None, None)
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
    many = [str(number) for number in range(1200)]
    for name, command in {
        "string": ("SET", "say \x00 it"), "hash": ("HSET", "a", "1", "b", "2"), "zset": ("ZADD", "1700000000001", "m"),
        "stream": ("XADD", "5-1", "field", "text"), "long-list": ("RPUSH", *many),
        "long-hash": ("HSET", *(each for number in many for each in (number, "x" * 100))),
        "long-zset": ("ZADD", *(each for number in many for each in (number, f"m{number}"))),
    }.items():  # fmt: skip
        await one.ask(command[0], f"{key_prefix(BOT)}set:{name}", *command[1:])
    async with Store.connect(one.url) as store:
        for number in many:
            await store.command("XADD", f"{key_prefix(BOT)}set:long-stream", f"7-{int(number) + 1}", "field", number)
    urls: list[str] = []
    for server in stores:
        await server.ask("ACL", "SETUSER", "limited", "on", ">x", "~*", "+@all", without)
        urls.append(login_as(server.url, "limited", "x"))
    before = await keys(one)
    async with Mover(Operator(one.url)).running() as mover:
        stand = await mover.end(*urls)
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
    assert await other.ask("LRANGE", f"{key_prefix(BOT)}set:long-list", "0", "-1") == [each.encode() for each in many]
    for name, size in ("hash", "HLEN"), ("zset", "ZCARD"), ("stream", "XLEN"):
        assert await other.ask(size, f"{key_prefix(BOT)}set:long-{name}") == len(many)
    assert await answer(other, "receive") == ["Hello"]


async def test_it_goes_to_the_shared_store_and_back(stores: tuple[Server, Server]) -> None:
    shared, own = stores
    operator = Operator(shared.url)
    async with operator.running(), Mover(operator).running() as mover:
        await operator.look(BOT)
        await fill(shared)
        before = await keys(shared)
        assert (await mover.end(SHARED, own.url)).used == own.url
        assert not await keys(shared)
        assert user_name(BOT) not in await users(shared)
        assert not await shared.ask("HEXISTS", "gptbot:bots", BOT)
        assert before <= await keys(own)

        await operator.look(BOT)
        assert (await mover.end(own.url, SHARED)).used == SHARED
        assert before <= await keys(shared)
        assert not await keys(own)
        assert user_name(BOT) in await users(shared)

        async def written_down() -> bool:
            return bool(await shared.ask("HEXISTS", "gptbot:bots", BOT))

        await until(written_down)


async def test_one_server_by_two_names_loses_nothing(stores: tuple[Server, Server]) -> None:
    one, _ = stores
    await fill(one)
    before = await keys(one)
    by_another_name = one.url.replace("127.0.0.1", "localhost")
    assert by_another_name != one.url
    async with Mover(Operator(one.url)).running() as mover:
        assert (await mover.end(one.url, by_another_name)).used == by_another_name
        assert await keys(one) == before
        assert (await mover.look(one.url, f"{one.url}?db=0", no)).pods == "run", "a certain one needs no stop"


async def test_pods_go_on_in_the_old_store_while_the_new_one_cannot_be_used(stores: tuple[Server, Server]) -> None:
    one, other = stores
    await fill(one)
    await other.kill()
    async with Mover(Operator(one.url)).running() as mover:
        for _ in range(2):
            stand = await mover.until(says("cannot be reached"), one.url, other.url, no)
            assert (stand.used, stand.pods) == (one.url, "stay")
            assert stand.fault is not None
            assert stand.fault.reason == "Moving"
        for wanted in ("redis://host:port/0", None):  # an URL that is none, a Secret that is not there
            assert await mover.look(one.url, wanted, no) == Stand(one.url, pods="stay")
            assert await mover.look(None, wanted, no) == Stand(None, pods="run"), "there are none of before"


async def test_an_old_store_that_is_lost_keeps_nobody_waiting_for_ever(
    stores: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = stores
    await one.kill()
    async with Mover(Operator(one.url)).running() as mover:
        stand = await mover.until(says("that goes wrong"), one.url, other.url)
        assert (stand.used, stand.pods) == (one.url, "stop")
        monkeypatch.setattr(moving, "_PATIENCE", 0.0)
        assert (await mover.end(one.url, other.url)).used == other.url


class Interrupted:
    """A Carrier whose step fails now and then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: Callable[[int], bool]) -> None:
        """`fails`: of which steps, counted from 1."""
        self.steps = 0
        step = Carrier._step

        async def some(carrier: Carrier, keys: list[bytes], size: int) -> int:
            self.steps += 1
            if fails(self.steps):
                raise ConnectionError
            return await step(carrier, keys, size)

        monkeypatch.setattr(Carrier, "_step", some)


async def test_a_move_that_is_cut_off_goes_on(stores: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = stores
    await fill(one)
    before = await keys(one)
    Interrupted(monkeypatch, lambda step: step == 5)
    async with Mover(Operator(one.url)).running() as mover:
        assert (await mover.end(one.url, other.url)).used == other.url
    assert before <= await keys(other)
    assert await answer(other) == ["Hello"]


async def test_a_move_that_gets_on_is_not_given_up(
    stores: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though its old store fails again and again for longer than one waits for a store that does nothing."""
    one, other = stores
    await fill(one)
    before = await keys(one)
    now = [0.0]
    Interrupted(monkeypatch, lambda step: step % 2 == 0)

    class Clock:
        def monotonic(self) -> float:
            return now[0]

    async def away(_: Moves, bot: str, store: str) -> StoreFault | None:
        return UNREACHABLE if store == one.url else None

    monkeypatch.setattr(moving, "time", Clock())
    monkeypatch.setattr(Moves, "_fault", away)
    async with Mover(Operator(one.url)).running() as mover:

        def done(stand: Stand) -> bool:
            now[0] += moving._PATIENCE / 3
            return stand.pods == "run"

        stand = await mover.until(done, one.url, other.url)
    assert now[0] > 3 * moving._PATIENCE, "it took long"
    assert stand.used == other.url
    assert before <= await keys(other)
    assert not await keys(one)


async def test_what_another_bot_of_that_name_left_goes_before_anything_arrives(stores: tuple[Server, Server]) -> None:
    shared, own = stores
    operator = Operator(shared.url)
    async with operator.running(), Mover(operator).running() as mover:
        await operator.look(BOT, uid="the first")
        await shared.ask("SET", f"{key_prefix(BOT)}ctx:old", "of the first")
        await fill(own)
        before = await keys(own)
        operator.there[BOT] = "1"
        assert (await mover.end(own.url, SHARED)).used == SHARED
        await operator.look(BOT, uid="1")
        assert before <= await keys(shared)
        assert not await shared.ask("EXISTS", f"{key_prefix(BOT)}ctx:old")


async def test_nothing_arrives_in_a_shared_store_that_does_not_know_of_the_bot(stores: tuple[Server, Server]) -> None:
    """As it would be erased there as what another bot of the name left."""
    shared, own = stores
    operator = Operator(shared.url)
    await fill(own)
    before = await keys(own)
    operator.tenants._tried.set()  # it was away when it was looked at last, and is there again
    await operator.tenants.servers().find()
    async with Mover(operator).running() as mover:
        assert (await mover.until(says("cannot be reached"), own.url, SHARED)).pods == "stop"
        assert not await keys(shared)
        async with operator.running():
            assert (await mover.end(own.url, SHARED)).used == SHARED
            assert await shared.ask("HGET", "gptbot:bots", BOT) == b"here 1"
            assert before <= await keys(shared)


async def test_a_new_store_that_refuses_is_no_reason_to_leave_things_behind(
    stores: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = stores
    await fill(one)
    await other.ask("ACL", "SETUSER", "limited", "on", ">x", "~*", "+@all", "-restore", "-rpush")
    monkeypatch.setattr(moving, "_PATIENCE", 0.0)
    async with Mover(Operator(one.url)).running() as mover:
        for _ in range(2):
            stand = await mover.until(says("rights"), one.url, login_as(other.url, "limited", "x"))
            assert (stand.used, stand.pods) == (one.url, "stop")


async def test_a_shared_store_is_not_filled_by_what_is_moved_there(tmp_path: Path) -> None:
    async with Server(tmp_path, "maxmemory 8mb", "maxmemory-policy noeviction") as shared, Server(tmp_path) as own:
        operator = Operator(shared.url)
        for number in range(200):
            await own.ask("SET", f"{key_prefix(BOT)}ctx:{number}", "x" * 100_000)
        async with operator.running(), Mover(operator).running() as mover:
            await operator.look(BOT)
            stand = await mover.until(says("too little memory"), own.url, SHARED)
            assert stand.pods == "stop"
            assert 0 < len(await keys(shared)) < 200
            assert len(await keys(shared)) + len(await keys(own)) == 200
            assert await shared.ask("SET", f"{key_prefix(OTHERS)}x", "1") == b"OK", "the others go on"
            assert (await mover.end(own.url, own.url)).used == own.url
            assert len(await keys(own)) == 200, "they come back"
