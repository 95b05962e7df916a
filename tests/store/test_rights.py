"""What a bot's user may do in a store that others use: all that a bot needs, on its own keys, and nothing else."""

from __future__ import annotations

import ast
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from redis.exceptions import ResponseError

import gptbot
import gptbot_api
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot_api.store_functions import function
from gptbot_api.store_rights import (
    COMMANDS,
    bot_of_user,
    former_user_name,
    key_pattern,
    key_prefix,
    rules,
    user_name,
)
from gptbot_api.store_url import login_as

PASSWORD = "of the bot"
PACKAGE = Path(gptbot.__file__).parent
LUA = Path(gptbot_api.__file__).parent / "lua"
WITHOUT_RIGHTS = {"auth", "sentinel", "function"}
"""Sent by bots too; open to everybody, for sentinels, and in a store of one's own."""


@pytest_asyncio.fixture
async def bots(store: Store, store_url: str) -> AsyncIterator[tuple[Store, str, Store, str]]:
    """Two bots and the stores they see."""
    assert await store.check(), "this gives the store the functions"
    names = [f"test/{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        await store.command("ACL", "SETUSER", user_name(name), *rules(name), f">{PASSWORD}")
    urls = [login_as(store_url, user_name(name), PASSWORD) for name in names]
    async with Store.connect(urls[0], names[0]) as first, Store.connect(urls[1], names[1]) as second:
        yield first, names[0], second, names[1]
    await store.command("ACL", "DELUSER", *map(user_name, names))


async def refused(store: Store, *command: Any) -> bool:
    """Whether a command is refused for want of rights; a function's own refusal is another error."""
    try:
        await store.command(*command)
    except StoreUnavailable as error:
        return str(error) == "the store refuses the user's rights; check the store's ACL"
    except ResponseError as error:
        return "ACL" in str(error) or "permission" in str(error)
    return False


async def test_a_bot_gets_at_no_key_of_another(store: Store, bots: tuple[Store, str, Store, str]) -> None:
    first, mine, second, theirs = bots
    await second.command("SET", f"{key_prefix(theirs)}secret", "x")
    await second.command("XGROUP", "CREATE", f"{key_prefix(theirs)}runnable", "workers", "0", "MKSTREAM")
    await first.command("SET", f"{key_prefix(mine)}secret", "y")
    assert await first.command("GET", f"{key_prefix(mine)}secret") == b"y"
    for key in (f"{key_prefix(theirs)}secret", "gptbot:bots", f"{key_prefix(mine)[:-1]}", f"x{key_prefix(mine)}secret"):
        for command in (
            ("GET", key), ("SET", key, "1"), ("DEL", key), ("UNLINK", key), ("EXISTS", key), ("HGETALL", key),
            ("LRANGE", key, 0, -1), ("XRANGE", key, "-", "+"), ("XREAD", "STREAMS", key, "0"), ("EXPIRE", key, 1),
            ("MGET", f"{key_prefix(mine)}secret", key), ("FCALL", function("look"), 1, key, 1, 1),
        ):  # fmt: skip
            assert await refused(first, *command), command
    assert await store.command("GET", f"{key_prefix(theirs)}secret") == b"x"


@pytest.mark.parametrize(
    "command",
    [
        "ACL WHOAMI", "ACL LIST", "ACL SETUSER x on", "BGREWRITEAOF", "CLIENT LIST", "CLIENT KILL TYPE normal",
        "CLIENT PAUSE 1", "CLUSTER NODES", "CLUSTER RESET", "CONFIG GET *", "CONFIG SET maxmemory 1", "DBSIZE",
        "EVAL x 0", "EVALSHA x 0", "EVAL_RO x 0", "FAILOVER", "FLUSHALL", "FLUSHDB", "FUNCTION LIST",
        "FUNCTION LOAD x", "FUNCTION DELETE x", "FUNCTION FLUSH", "FUNCTION KILL", "INFO", "KEYS *", "LATENCY DOCTOR",
        "MEMORY DOCTOR", "MIGRATE h 1 k 0 1", "MODULE LIST", "MONITOR", "PSUBSCRIBE *", "PUBLISH c m", "RANDOMKEY",
        "REPLICAOF NO ONE", "SAVE", "SCAN 0", "SCRIPT FLUSH", "SCRIPT KILL", "SCRIPT LOAD x", "SELECT 1",
        "SHUTDOWN NOSAVE",
        "SLOWLOG GET", "SORT x", "SUBSCRIBE c", "SWAPDB 0 1", "SYNC", "WAIT 0 0",
    ],
)  # fmt: skip
async def test_a_bot_administers_nothing(bots: tuple[Store, str, Store, str], command: str) -> None:
    first, *_ = bots
    assert await refused(first, *command.split())


async def test_every_command_of_the_bot_is_allowed_and_no_other(store: Store) -> None:
    known = {name.decode() for name in await store.command("COMMAND", "LIST")}
    sent = {name.lower() for name in _words()} & known - WITHOUT_RIGHTS
    assert sent <= {command.partition("|")[0] for command in COMMANDS}, "add them to store_rights.COMMANDS"
    assert {command.partition("|")[0] for command in COMMANDS} <= sent, "nobody sends these any more"


def _words() -> set[str]:
    """What stands where a command does: first in a call, a tuple or a list, or in a call of a function."""
    found = set[str]()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                places = node.args
            else:
                places = node.elts if isinstance(node, ast.Tuple | ast.List) else []
            if places and isinstance(places[0], ast.Constant) and isinstance(places[0].value, str):
                found.add(places[0].value)
    for file in LUA.glob("*.lua"):
        found |= set(re.findall(r"redis\.p?call\(\s*['\"](\w+)['\"]", file.read_text()))
    return {word for word in found if re.fullmatch(r"[A-Z]{3,}", word)}


def test_a_user_of_another_version_is_known_as_the_bots() -> None:
    assert bot_of_user(user_name("a/b")) == bot_of_user(former_user_name("a/b")) == "a/b"
    assert [bot_of_user(f"gptbot:{number}:a/b") for number in (1, 3, 41)] == ["a/b"] * 3
    assert not any(map(bot_of_user, ("gptbot:probe", "gptbot:x:a/b", "gptbot:-1:a/b", "gptbot::", "default", "2:a/b")))


def test_a_pattern_means_the_bots_own_keys_whatever_its_name() -> None:
    assert key_pattern("a/b") == "{a/b}:*"
    assert key_pattern("a*/[b]?") == r"{a\*/\[b\]\?}:*"
    assert BotKeys("a/b", b"p" * 32).prefix == key_prefix("a/b")
