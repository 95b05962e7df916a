"""A poisoned value in the store hurts one conversation, once: every kind of key, spoiled each way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gptbot.conversation import turn as turns
from gptbot.gateway import Gateway
from gptbot.inbox.dead import DeadLetters
from gptbot.inbox.keys import KINDS, OF_THE_BOT, BotKeys
from gptbot.inbox.store import Store
from gptbot.worker import Worker
from tests.conversation.room import Room, room
from tests.fakes.openai import FakeOpenAI

GARBAGE = b"\xff\xfe garbage \x00"
OTHER_VERSION = b'["user","an entry of a later version",99]'
TRUNCATED = b'["user","an entry that en'
WAYS = ("type", "garbage", "truncated", "version")
PATIENCE = 12.0


@pytest.fixture
async def model() -> AsyncGenerator[FakeOpenAI]:
    async with FakeOpenAI() as fake:
        yield fake


def names(room: Room, kind: str) -> list[str]:
    """The keys of a kind that the conversation, its user, or all conversations have."""
    keys: BotKeys = room.bot.keys
    conversation = keys.pseudonym("web", "conversation", "room")
    user = keys.pseudonym("web", "user", "ada")
    ends: dict[str, list[str]] = {
        "in": [user], "floods": [user], "rate": [f"user:{user}", f"chat:{conversation}", "bot:"],
        "told": [f"user:{user}"], "tokens": ["", user], "lease": ["expiry"],
        "seen": [keys.pseudonym("web", "event", "e")],
        "pace": ["web:x:"], "hold": ["web:"], "p:web:session": [conversation],
        "p:web:wake": ["x"], "p:web:file": ["x:y"],
    }  # fmt: skip
    if kind in OF_THE_BOT or kind == "gateways":
        return [f"{keys.prefix}{kind}"] + ([f"{keys.prefix}{kind}:{user}"] if kind == "tokens" else [])
    return [
        f"{keys.prefix}{kind}:{end}".removesuffix(":" if not end else "\0") for end in ends.get(kind, [conversation])
    ]


async def spoil(store: Store, key: str, kind: str, way: str) -> None:
    """Put what cannot be read under a key, in the place of what is there or beside it."""
    if way == "type":
        await store.command("DEL", key)
        await (store.command("RPUSH", key, "x") if KINDS[kind] == "string" else store.command("SET", key, "x"))
        return
    value = {"garbage": GARBAGE, "truncated": TRUNCATED, "version": OTHER_VERSION}[way]
    match KINDS[kind]:
        case "string":
            await store.command("SET", key, value)
        case "list":
            await store.command("LPUSH", key, value)
        case "hash":
            fields = [
                b"#",
                b"tokens",
                b"day",
                b"floods",
                b"until",
                b"attempts",
                b"answers",
                b"stop",
                b"language",
                value,
            ]
            fields += [b"m1x", b"summary_buffer", b"web"]
            await store.command("HSET", key, *(part for field in fields for part in (field, value)))
        case "zset":
            await store.command("ZADD", key, 1, value)
        case _:
            await store.command("XADD", key, "*", value, value)


@asynccontextmanager
async def living(found: Room) -> AsyncGenerator[list[asyncio.Task[None]]]:
    """A worker and a gateway that run."""
    gateway = Gateway(found.bot, "g")
    tasks = [asyncio.create_task(Worker(found.bot, 8).run()), asyncio.create_task(gateway.run())]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], Any], tasks: list[asyncio.Task[None]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            assert not any(task.done() for task in tasks), "a process ended"
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_BASE_DELAY", 0.01)
    monkeypatch.setattr(turns, "_MAX_DELAY", 0.02)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_a_spoiled_key_hurts_one_conversation_once(kind: str, way: str, store: Store, model: FakeOpenAI) -> None:
    async with room(store, model) as found:
        found.bot.mailbox.lease = 0.6
        dead = DeadLetters(store, found.bot.keys)
        assert await found.tell("before")
        for key in names(found, kind):
            await spoil(store, key, kind, way)
        async with living(found) as tasks:
            assert await found.tell("poisoned", event="e") or True

            async def ended() -> bool:
                mail = found.bot.keys.mail(found.bot.keys.pseudonym("web", "conversation", "room"))
                return not await store.command("EXISTS", mail)

            await until(ended, tasks)
            found.sender.shown.clear()
            assert await found.tell("for another", user="bob", conversation="other", event=f"{kind}{way}")

            async def answered() -> bool:
                return bool(found.sender.shown)

            await until(answered, tasks)
            letters = await dead.list()
            for letter in letters:
                assert letter.reason.startswith("unreadable"), letter.reason
                assert await dead.get(letter.id) == letter
            if kind == "mail":
                assert any("mail" in letter.reason for letter in letters)
            # The next question of the conversation is answered.
            found.sender.shown.clear()
            assert await found.tell("again")
            await until(answered, tasks)
            assert not any(task.done() for task in tasks)


def test_every_key_of_the_bot_has_a_kind() -> None:
    keys = BotKeys("a/b", b"p" * 32)
    made: list[str] = []
    for name in dir(BotKeys):
        if name.startswith("_") or name in ("bot", "pepper", "prefix", "pseudonym", "platform"):
            continue
        value = getattr(keys, name)
        if callable(value):
            count = value.__code__.co_argcount - 1
            value = value(*["x"] * count)
        made.append(str(value))
    kinds = {key.removeprefix(keys.prefix).split(":")[0] for key in made}
    assert kinds == {kind for kind in KINDS if not kind.startswith("p:")}
