"""The store's functions, called by a bot's user with whatever arguments: each ends soon and touches no other's keys."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import redis
from redis.exceptions import NoPermissionError

from gptbot_api.store_functions import function, library, names
from gptbot_api.store_rights import key_prefix, rules, user_name
from tests.store.servers import Server

MINE, THEIRS = "test/mine", "test/theirs"
LONGEST = 0.050
"""Seconds of the store's CPU for one call."""
FEW, MANY = 3, 50_000
"""Elements of a small key, and of a large one."""
LARGE = "[" * 1_000_000
NUMBERS = (
    "", "0", "-1", "1.5", "nan", "inf", "-inf", "1e308", "1e15", "9223372036854775807", "-9223372036854775808",
    "18446744073709551616", "0x7fffffff", " 5 ", "1" * 400, "\0",
)  # fmt: skip
TEXTS = (
    "",
    "-",
    "#",
    "@user",
    "=1 user",
    "0-0",
    "18446744073709551615-18446744073709551615",
    "%s%s%d",
    "\xff\xfe",
    "[" * 999,
)
TYPES = ("string", "list", "hash", "zset", "stream")
KEYS: dict[str, str] = {
    "amend": "list hash hash", "attend": "zset", "bury": "stream hash zset hash list hash stream list string",
    "claim": "stream hash zset hash list hash list hash string list hash zset",
    "delete": "stream hash zset hash list hash zset stream list",
    "done": "stream hash zset hash list hash list string",
    "edit": "stream hash zset hash list hash zset stream list",
    "enqueue": "stream hash zset hash list hash zset stream list none zset zset", "fold": "list string string",
    "giveup": "stream hash zset hash list hash stream list hash", "lease": "string string",
    "left": "list list list hash hash",
    "limit": "list list list hash hash hash none none none none none none", "look": "hash",
    "mend": "hash list none hash none", "note": "hash hash", "overhear": "hash zset hash zset zset",
    "pace": "string list list", "part": "zset list zset list", "probe": "none", "promote": "stream hash zset zset",
    "release": "string", "renew": "stream hash", "reserve": "hash hash hash", "restore": "stream hash zset zset",
    "retry": "stream hash zset hash hash zset list list", "revive": "stream hash zset stream list list",
    "sent": "hash hash string", "spend": "hash hash hash",
    "stop": "none list hash hash zset stream list", "tries": "list list",
}  # fmt: skip
"""Function to the types of the keys that it is meant to get."""
CALLS: dict[str, tuple[str, ...]] = {
    "amend": ("c0", '["e7","x","u7"]', "new"), "attend": ("holder", "60000"),
    "bury": ("workers", "c0", "1-0", "7", "3", "reason", "1000", "1000", "1000", "40", "0", "a", "b"),
    "claim": ("workers", "c0", "me", "1-0", "20", "1000"), "delete": ("workers", "c0", "1000", "10", '["e7"', '["e8"'),
    "done": ("workers", "c0", "1-0", "7", "1", "1000", "40", "1", "0", "a", "b"),
    "edit": ("workers", "c0", "1000", "10", '["e7","x","u7"]', "new", "3", "1"),
    "enqueue": ("workers", "c0", "1000", "10", "1000", '["e","x","u"]', "u", "s", "1000", "5000", "1500", "20", "1000"),
    "fold": ("token", "20", "x", "y", "new"),
    "giveup": ("workers", "c0", "1-0", "reason", "1000", "1000"), "lease": ("me", "1000", "1000"),
    "left": ("1000", "1000", "1000"),
    "limit": ("20", "60000", "20", "60000", "20", "60000", "0", "0", "3", "60000", "3600000", "0", "0"),
    "look": ("512", "4096", "a", "b"), "mend": ("1000", "list", "numbers", "a", "hash", "numbers", "b"),
    "note": ("c0", "7", "1000", "a", "b"),
    "overhear": ("e9", "1", "said", "1000", "100", "0", "1000", "c s", "1000", "u s"),
    "pace": ("1", "0", "0", "1000", "20", "10", "60000", "20", "10", "60000"), "part": ("u", "c s", "e", "u s"),
    "probe": (), "promote": ("workers", "100", "1000"), "release": ("me",),
    "renew": ("workers", "me", "1-0", "c0", "7"),
    "reserve": ("c0", "7", "h", "1000", "10", "10", "100", "1", "0.5", "1", "1", "0", "0", "0", "0"),
    "restore": ("workers",), "retry": ("workers", "c0", "1-0", "7", "1000", "1", "1000", "0:1", "1", "1000", " retry "),
    "revive": ("workers", "c0", "1-0", "message"), "sent": ("c0", "7", "1000", "m0", "5"),
    "spend": ("7", "h", "10", "10"),
    "stop": ("1000", "c0", "1000", "1000", "10"), "tries": ("5", "1000", "5", "1000"),
}  # fmt: skip
"""Function to the arguments of a call as a bot makes it."""


@dataclass
class Tenant:
    """A bot's user, and who looks after the store."""

    server: Server
    bot: Any
    owner: Any

    def call(self, name: str, keys: list[str], arguments: tuple[str, ...]) -> tuple[float, Any]:
        """Seconds of the store's CPU, and the reply or the error."""
        before = self.server.cpu_seconds()
        try:
            reply: Any = self.bot.execute_command("FCALL", function(name), len(keys), *keys, *arguments)
        except redis.ResponseError as error:
            reply = error
        return self.server.cpu_seconds() - before, reply

    def prepare(self, size: int) -> None:
        """Keys of each type, each of so many elements, to be copied."""
        pipeline = self.owner.pipeline(transaction=False)
        for kind in TYPES:
            key = f"{size}:{kind}"
            if kind == "string":
                pipeline.set(key, "1" * size)
            if kind == "stream":
                pipeline.xgroup_create(key, "workers", id="0", mkstream=True)
            for first in range(0, 0 if kind == "string" else size, 5000):
                places = range(first, min(first + 5000, size))
                if kind == "list":
                    pipeline.rpush(key, *(f'["e{n}","x","u{n}"]' for n in places))
                elif kind == "hash":
                    pipeline.hset(key, mapping={f"c{n}": f"{n + 1}-0 u{n}" for n in places})
                elif kind == "zset":
                    pipeline.zadd(key, {f"u{n} {n:015} c{n}": n for n in places})
                else:
                    for n in places:
                        pipeline.xadd(key, {"c": f"c{n}"}, id=f"{n + 1}-0")
        pipeline.hset(f"{size}:hash", mapping={"c0": "7", "#": "7", "summary_buffer": "on", "=h": "7 9 1 1"})
        pipeline.execute()

    def fill(self, size: int) -> None:
        """Give the bot keys of each type, and two of each."""
        pipeline = self.owner.pipeline(transaction=False)
        for kind, end in itertools.product(TYPES, ("", "2")):
            pipeline.copy(f"{size}:{kind}", f"{key_prefix(MINE)}{kind}{end}", replace=True)
        pipeline.execute()

    def theirs(self) -> dict[bytes, bytes]:
        """All that another bot has."""
        keys = sorted(self.owner.scan_iter(match="{test/theirs}*", count=1000))
        return {key: self.owner.dump(key) for key in keys}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tenant(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Tenant]:
    directory: Path = tmp_path_factory.mktemp("functions")
    async with Server(directory, "busy-reply-threshold 1000") as server:
        owner = redis.Redis(port=server.port, socket_timeout=60)
        owner.function_load(library().text)
        for size in (FEW, MANY):
            Tenant(server, None, owner).prepare(size)
        owner.execute_command("ACL", "SETUSER", user_name(MINE), *rules(MINE), ">secret")
        prefix = key_prefix(THEIRS)
        for command in (("SET", "string", "1"), ("RPUSH", "list", "1"), ("HSET", "hash", "c0", "7"),
                        ("ZADD", "zset", 1, "c0"), ("XADD", "stream", "*", "c", "c0")):  # fmt: skip
            owner.execute_command(command[0], f"{prefix}{command[1]}", *command[2:])
        yield Tenant(server, redis.Redis(port=server.port, username=user_name(MINE), password="secret"), owner)


def meant(name: str, end: str = "") -> list[str]:
    """Keys of the right types."""
    return [f"{key_prefix(MINE)}{kind}{end}" for kind in KEYS[name].split()]


def hostile(name: str) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    """Calls that no bot makes."""
    keys, call = meant(name), CALLS[name]
    yield [], ()
    yield keys, ()
    yield [], call
    for missing in range(len(keys)):
        yield keys[:missing], call
    for place, value in itertools.product(range(len(call)), (*NUMBERS, *TEXTS)):
        yield keys, (*call[:place], value, *call[place + 1 :])
    yield keys, (LARGE,) * len(call)
    for place in range(len(call)):
        yield keys, (*call[:place], LARGE, *call[place + 1 :])
    for kind in TYPES:
        yield [f"{key_prefix(MINE)}{kind}"] * len(keys), call
    for place, kind in itertools.product(range(len(keys)), TYPES):
        yield [*keys[:place], f"{key_prefix(MINE)}{kind}2", *keys[place + 1 :]], call
    for value in (*NUMBERS, LARGE[:1000]):
        yield keys, (value,) * 40
        yield keys, (*call, *(value,) * 20)
    yield keys, (*call, *("x",) * 20_000)
    yield keys, ("1",) * 20_000
    yield [f"{key_prefix(MINE)}none{number}" for number in range(20_000)], call
    chance = random.Random(name)
    for _ in range(15):
        some = [f"{key_prefix(MINE)}{chance.choice(TYPES)}{chance.choice(('', '2'))}" for _ in keys]
        yield some, tuple(chance.choice((*NUMBERS, *TEXTS, value)) for value in call)


def test_each_function_is_tried() -> None:
    assert set(names()) == set(KEYS) == set(CALLS)


@pytest.mark.parametrize("name", sorted(KEYS))
@pytest.mark.parametrize("size", [FEW, MANY])
async def test_it_ends_soon_with_any_arguments_and_leaves_others_alone(tenant: Tenant, name: str, size: int) -> None:
    tenant.fill(size)
    theirs = tenant.theirs()
    slowest, of = 0.0, ""
    for keys, arguments in [(meant(name), CALLS[name]), *hostile(name)] if size == FEW else large(name):
        seconds, reply = tenant.call(name, keys, arguments)
        if seconds > slowest:
            slowest, of = (
                seconds,
                f"{len(keys)} keys {keys[:9]}, {len(arguments)} arguments {[a[:20] for a in arguments[:16]]}",
            )
        assert "BUSY" not in str(reply)[:9]
    assert slowest < LONGEST, f"{slowest * 1000:.0f} ms for {of}"
    assert tenant.theirs() == theirs
    assert tenant.owner.ping()


def large(name: str) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    """Calls with keys that hold much, and with numbers that have loops go over all of it."""
    call = CALLS[name]
    yield meant(name), call
    for place, value in itertools.product(range(len(call)), ("1e15", "1000000", "-1", "0")):
        yield meant(name), (*call[:place], value, *call[place + 1 :])
    yield meant(name, "2"), call
    for kind in TYPES:
        yield [f"{key_prefix(MINE)}{kind}"] * len(meant(name)), call
    yield meant(name), (*call, *(f'["e{number}"' for number in range(900)))
    yield meant(name), (*call, *("x" * (1 + number) for number in range(900)))


@pytest.mark.parametrize("name", sorted(KEYS))
async def test_no_key_of_another_bot_is_reached(tenant: Tenant, name: str) -> None:
    tenant.fill(FEW)
    theirs = tenant.theirs()
    keys = meant(name)
    for place, kind in itertools.product(range(len(keys)), TYPES):
        told = [*keys[:place], f"{key_prefix(THEIRS)}{kind}", *keys[place + 1 :]]
        _, reply = tenant.call(name, told, CALLS[name])
        assert isinstance(reply, NoPermissionError), reply
    for text in (f"{key_prefix(THEIRS)}string", f"{key_prefix(THEIRS)}list"):  # a name among the arguments is a text
        for place in range(len(CALLS[name])):
            tenant.call(name, keys, (*CALLS[name][:place], text, *CALLS[name][place + 1 :]))
    assert tenant.theirs() == theirs
