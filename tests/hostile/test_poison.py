"""A poisoned value in the store hurts one conversation, once: every kind of key, spoiled each way."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from gptbot.conversation import turn as turns
from gptbot.gateway import Gateway
from gptbot.inbox.claims import Claim, Entry
from gptbot.inbox.dead import DeadLetters
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import KINDS, OF_THE_BOT, BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.inbound import Attachment
from gptbot.worker import Worker
from tests.conversation.room import Room, room
from tests.fakes.openai import FakeOpenAI

GARBAGE = b"\xff\xfe garbage \x00"
OTHER_VERSION = b'["user","an entry of a later version",99]'
TRUNCATED = b'["user","an entry that en'
LAST_ID = b"18446744073709551615-18446744073709551615"
HUGE = b"9007199254740991"
WAYS = ("type", "garbage", "truncated", "version", "huge")
"""`huge`: where a number belongs, one beyond all that are counted, and a time that never comes; a stream's last id."""
PATIENCE = 12.0
_LIMITS = {
    "perUser": {"messages": 40, "per": "1h"}, "perChat": {"messages": 40, "per": "1h"},
    "perBot": {"messages": 40, "per": "1h"}, "tokensPerDay": 100_000, "tokensPerUserPerDay": 100_000,
}  # fmt: skip
"""So that what is counted for them is read."""


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
        "pace": ["web:x:"], "hold": ["web:"],
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
    if way == "huge" and KINDS[kind] == "stream":
        if await store.command("TYPE", key) == b"none" or (await store.command("XINFO", "STREAM", key))[7] != LAST_ID:
            await store.command("XADD", key, LAST_ID, "c", "x")
        return
    if way == "huge" and KINDS[kind] == "list":
        await store.command("LPUSH", key, *[HUGE] * 50)
        return
    if way == "huge" and KINDS[kind] == "zset":
        for member in await store.command("ZRANGE", key, 0, -1):
            await store.command("ZADD", key, HUGE, member)
    value = {"garbage": GARBAGE, "truncated": TRUNCATED, "version": OTHER_VERSION, "huge": HUGE}[way]
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
                b"held",
                b"heldcost",
                b"lapses",
                b"restarts",
                b"due",
                b"away",
                b"trying",
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
@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if not kind.startswith("p:")))
async def test_a_spoiled_key_hurts_one_conversation_once(kind: str, way: str, store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, limits=_LIMITS) as found:
        found.bot.mailbox.lease = 0.6
        dead = DeadLetters(store, found.bot.keys)
        assert await found.tell("before")
        for key in names(found, kind):
            await spoil(store, key, kind, way)
        async with living(found) as tasks:
            assert await found.tell("poisoned", event="e")

            async def ended() -> bool:
                mail = found.bot.keys.mail(found.bot.keys.pseudonym("web", "conversation", "room"))
                return not await store.command("EXISTS", mail)

            await until(ended, tasks)
            found.sender.shown.clear()
            assert await found.tell("for another", user="bob", conversation="other", event=f"{kind}{way}")

            async def answered() -> bool:
                return bool(found.sender.shown)

            await until(answered, tasks)
            if kind != "seen":  # whatever that holds, it says that the event is known already
                asked = any("poisoned" in str(request.messages) for request in model.requests)
                assert asked or await dead.list(), "neither answered nor buried"
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


_WRONG: tuple[Any, ...] = (7, -1, 2**60, 1e300, True, "text", "", [], ["x"], {}, {"x": 1}, [[1, 2, 3, 4]], None, "\0")
_FIELDS = [field.name for field in dataclasses.fields(Envelope)]


def sample() -> Envelope:
    file = Attachment(kind="image", mime="image/png", size=9, reference={"name": "x"}, seconds=None)
    return Envelope(
        event="e" * 22, platform="web", user="u" * 22, text="poisoned", address={"session": "s"}, direct=True,
        received=time.time(), language="en", speaker="s" * 22, quote="q", attachments=(file,), album="a" * 22,
    )  # fmt: skip


def spoiled(field: str) -> list[bytes]:
    """The sample with each wrong value in one field."""
    items = orjson.loads(sample().encode())
    place = _FIELDS.index(field)
    assert len(items) == len(_FIELDS) + 1, "each field has its place, and the version is behind them"
    return [orjson.dumps([*items[:place], value, *items[place + 1 :]]) for value in _WRONG if value != items[place]]


def readable_one(data: bytes) -> bool:
    try:
        Envelope.decode(data)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("field", _FIELDS)
def test_a_field_of_a_message_is_of_its_type_or_the_message_is_refused(field: str) -> None:
    kind = type(getattr(sample(), field))
    for data in spoiled(field):
        try:
            found = getattr(Envelope.decode(data), field)
        except ValueError:
            continue
        wanted = (int, float) if field == "received" else (kind, dict, str, type(None))
        assert isinstance(found, wanted), data
        assert field not in ("direct", "administrator") or orjson.loads(data)[_FIELDS.index(field)] is found


@pytest.mark.parametrize("field", _FIELDS)
async def test_a_spoiled_field_of_a_message_hurts_one_conversation_once(
    field: str, store: Store, model: FakeOpenAI
) -> None:
    async with room(store, model) as found:
        found.bot.mailbox.lease = 0.6
        keys = found.bot.keys
        mail = keys.mail(keys.pseudonym("web", "conversation", "room"))
        # One that decoding refuses and one that it takes: each failure waits for its tries.
        read = {readable_one(data): data for data in spoiled(field)}
        values = list(read.values())
        assert await found.tell("before")
        await store.command("LPUSH", mail, *values)
        assert await found.tell("at the end")
        async with living(found) as tasks:
            assert await found.tell("for another", user="bob", conversation="other")

            async def asked() -> bool:
                await found.bot.mailbox.promote()  # the worker does so once a second
                said = str([request.messages for request in model.requests])
                return "for another" in said and "at the end" in said

            await until(asked, tasks)

            async def ended() -> bool:
                return not await store.command("EXISTS", mail)

            await until(ended, tasks)
        # Each was answered, or is a letter that says why.
        for letter in await DeadLetters(store, keys).list():
            assert letter.reason


async def test_what_cannot_be_claimed_is_buried_and_others_are_answered(
    store: Store, model: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room(store, model) as found:
        mailbox, keys = found.bot.mailbox, found.bot.keys
        mailbox.lease = 0.3
        poisoned, claim, tries = keys.pseudonym("web", "conversation", "room"), mailbox.claim, list[str]()

        async def fails(entry: Entry, most: int = 1) -> Claim | None:
            if entry.conversation != poisoned:
                return await claim(entry, most)
            tries.append(entry.id)
            raise ValueError("SECRET")

        monkeypatch.setattr(mailbox, "claim", fails)
        dead = DeadLetters(store, keys)
        assert await found.tell("poisoned")
        async with living(found) as tasks:

            async def failed() -> bool:
                return bool(tries)

            await until(failed, tasks)
            assert await found.tell("for another", user="bob", conversation="other")

            async def answered() -> bool:
                return bool(found.sender.shown)

            await until(answered, tasks)
            await until(dead.list, tasks)
            [letter] = await dead.list()
            assert letter.reason == "unreadable: the conversation cannot be claimed (ValueError)"
            assert letter.envelope is not None
            assert letter.envelope.text == "poisoned"
            assert len(tries) == turns.MAX_ATTEMPTS
            assert not await store.command("EXISTS", keys.mail(poisoned))
            monkeypatch.undo()
            found.sender.shown.clear()
            assert await found.tell("again")
            await until(answered, tasks)


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
