"""What platforms keep in the store for themselves, spoiled: their code goes on, the key is put aside or passed over.

The keys are those that the code makes itself: each scene runs, what it left in the store is spoiled, and it runs again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import User

from gptbot.inbox.keys import KINDS, BotKeys, kind_of
from gptbot.inbox.store import Store
from gptbot.platforms.base import CommandInfo
from gptbot.platforms.discord.client import Session
from gptbot.platforms.discord.mapping import Directory
from gptbot.platforms.discord.places import Place, Places
from gptbot.platforms.discord.registered import Registered
from gptbot.platforms.discord.sessions import Progress, SharedSessions
from gptbot.platforms.discord.shared_buckets import MOST_SECONDS, SharedBuckets
from gptbot.platforms.discord.threads import Threads
from gptbot.platforms.inbound import Inbound
from gptbot.platforms.telegram.features import RICH, Features
from gptbot.platforms.telegram.menu import set_menu
from gptbot.platforms.telegram.polling import Poller
from gptbot.platforms.terminal.sender import TerminalSender
from gptbot.platforms.web.entries import add, stream_key
from gptbot.platforms.web.files import Files
from gptbot.platforms.web.hub import Hub
from tests.hostile.raw import plain, raw_model
from tests.hostile.test_poison import WAYS, spoil

Work = Callable[[Store, BotKeys], Awaitable[None]]


async def telegram(store: Store, keys: BotKeys) -> None:
    context: Any = SimpleNamespace(store=store, keys=keys)
    poller = Poller(SimpleNamespace(), User(id=9, is_bot=True, first_name="b"), context, SimpleNamespace())  # pyright: ignore[reportArgumentType]
    kept = await poller._kept_offset()
    assert kept in (None, 43)
    await poller._keep_offset(43)
    assert await poller._kept_offset() == 43
    await _menu(store, keys)
    features = Features(store, keys, "https://api.example")
    await features.look()
    await features.lacks(RICH)


async def _menu(store: Store, keys: BotKeys) -> None:
    context: Any = SimpleNamespace(store=store, keys=keys, commands=[CommandInfo("help", {"en": "What I can do"})])
    async with raw_model(plain("200 OK", b'{"ok": true, "result": true}')) as url:
        session = AiohttpSession(api=TelegramAPIServer.from_base(url))
        async with Bot("9:" + "a" * 35, session=session) as bot:
            await set_menu(bot, context)
    kept = await store.command("GET", keys.platform("telegram", "menu"))
    assert len(kept) == 64


_FIRST_OF_A_POST = Inbound(
    event="5", conversation="5", user="7", text="hi", direct=False, addressed=True, address={}, sent=time.time()
)


async def discord(store: Store, keys: BotKeys) -> None:
    shared, places = SharedSessions(store, keys), Places(store, keys, 60.0)
    holding = await shared.hold(0)
    assert holding > 0
    assert isinstance(await shared.load(0, holding, "terms"), Progress)
    assert isinstance(await shared.load(1, 1, "terms"), Progress)
    progress = Progress(Session("s", 7, "wss://x"), 1.0, None)
    await shared.save(0, holding, "terms", progress)
    assert await shared.load(0, holding + 1, "terms") == progress
    await shared.permit(0, 1)
    place = Place("5", "7")
    await places.note(place)
    assert place in await places.of_shard(0, 1, 10)
    await places.forget_conversation("another")
    await Registered(store, keys).ids()
    await Registered(store, keys).keep([{"name": "help", "id": "12"}])
    assert await Registered(store, keys).ids() == {"help": "12"}
    buckets, route = SharedBuckets(store, keys), ("create message", "5")
    assert 0 <= await buckets.wait(route) <= MOST_SECONDS
    await buckets.spent(route, 30.0)
    assert 0 < await buckets.wait(route) <= 30
    nobody: Any = SimpleNamespace(barred=lambda *_: None)
    threads = Threads(nobody, Directory("9", "bot"), store, keys, nobody, lambda: 60.0, lambda: False)
    await threads.with_origin(_FIRST_OF_A_POST, {"guild_id": "3"})


async def web(store: Store, keys: BotKeys) -> None:
    files, hub = Files(store, keys), Hub(store, keys)
    await files.read("s", "a", 100)
    await files.keep("s", {"a": b"content"})
    assert await files.read("s", "a", 100) == b"content"
    await files.drop("another")
    await hub.history("s")
    await store.command(*add(stream_key(keys, "s"), "bot", "m", "an answer"))
    assert [entry.text for entry in await hub.history("s")][-1] == "an answer"
    reading = asyncio.create_task(hub.run())
    try:
        async with asyncio.timeout(10), hub.subscribe("s", "0-0") as page:
            async for batch in page.batches():
                assert batch[-1].text == "an answer"
                break
    finally:
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading


async def terminal(store: Store, keys: BotKeys) -> None:
    context: Any = SimpleNamespace(store=store, keys=keys)
    sender = TerminalSender(context)
    await sender.send({"session": "s"}, "an answer", nonce="n", first=True, final=True)


_SCENES: dict[str, Work] = {"telegram": telegram, "discord": discord, "web": web, "terminal": terminal}


async def own_keys(store: Store, keys: BotKeys) -> list[str]:
    """The keys of platforms that are in the store."""
    found, cursor = set[str](), b"0"
    while True:
        cursor, page = await store.command("SCAN", cursor, "MATCH", f"{keys.prefix}p:*", "COUNT", 1000)
        found |= {key.decode() for key in page if not key.endswith(b":unreadable")}
        if cursor == b"0":
            return sorted(found)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", _SCENES)
async def test_spoiled_keys_of_a_platform_are_put_aside_or_passed_over(
    name: str, way: str, store: Store, keys: BotKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gptbot.platforms.discord.limits.IDENTIFY_WINDOW", 0.05)
    await _SCENES[name](store, keys)
    made = await own_keys(store, keys)
    assert made
    for key in made:
        named = kind_of(key)
        assert named is not None, f"{key} is of no kind"
        kind = named[2]
        assert (await store.command("TYPE", key)).decode() in (KINDS[kind], "none"), "it is told as it is"
        await spoil(store, key, kind, way)
        await store.command("PEXPIRE", key, 500 if kind == "p:identify" else 60_000)
        await _SCENES[name](store, keys)


async def test_every_kind_of_a_platforms_key_is_made_by_a_scene(store: Store, keys: BotKeys) -> None:
    for scene in _SCENES.values():
        await scene(store, keys)
    kinds = {named[2] for key in await own_keys(store, keys) if (named := kind_of(key))}
    assert kinds | {"p:identify"} == {kind for kind in KINDS if kind.startswith("p:")}
