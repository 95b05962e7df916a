"""What is spoiled in the store of one person's page is no error of the server: pages open, and messages come in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import pytest

from gptbot.bot import Bot, endpoints
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from tests.platforms.web.conftest import Browser
from tests.platforms.web.scene import Desk, Scene, bot, scene

_GARBAGE = b"\xff\xfe garbage \x00"


@asynccontextmanager
async def page(store: Store) -> AsyncGenerator[tuple[Scene, str]]:
    """A page whose messages go through the bot's own door."""
    config = bot(limits={"tokensPerDay": 1000})
    async with aiohttp.ClientSession() as http, scene(store, config) as stage:
        model = endpoints(config, lambda: ("http://127.0.0.1:1/v1", "none"))
        real = Bot.open(config, store, http, pepper="p" * 32, consumer="w", model=model)
        stage.desk = cast(Desk, real.intake("web"))
        yield stage, await stage.replica()


_ENTRIES: dict[str, list[Any]] = {
    "garbage": [_GARBAGE, _GARBAGE],
    "another version": ["k", "bot", "i", "x", "t", "later", "f", "1", "v", "99"],
    "an unknown kind": ["k", "odd", "i", "x", "t", "text", "f", "1", "v", "1"],
    "bytes as text": ["k", "bot", "i", _GARBAGE, "t", _GARBAGE, "f", _GARBAGE, "v", "1"],
    "deep buttons": ["k", "bot", "i", "x", "t", "text", "f", "1", "v", "1", "b", "[" * 5000],
    "odd buttons": ["k", "bot", "i", "x", "t", "text", "f", "1", "v", "1", "b", '[1, ["a"], ["a", 1]]'],
    "a huge id": ["k", "bot", "i", "x" * 100_000, "t", "text", "f", "1", "v", "1"],
}


@pytest.mark.parametrize("name", _ENTRIES)
async def test_a_spoiled_entry_is_left_out_of_the_page(name: str, store: Store, browser: Browser) -> None:
    async with page(store) as (stage, address):
        await browser.load(address)
        await browser.say(address, "hello there")
        await store.command("XADD", stage.stream(browser.cookie(address)), "*", *_ENTRIES[name])
        await browser.say(address, "still here")
        html = await browser.load(address)
        assert "hello there" in html
        assert "still here" in html


def _keys(keys: BotKeys, session: str) -> dict[str, str]:
    user, conversation = (keys.pseudonym("web", kind, session) for kind in ("user", "conversation"))
    return {
        "tokens of the user": keys.tokens_of(user), "tokens": keys.tokens, "floods": keys.floods(user),
        "settings": keys.settings(conversation), "rate": keys.rate("user", user), "chats": keys.chats(user),
        "stream": keys.platform("web", f"session:{conversation}"), "files": keys.platform("web", "files"),
        "mail": keys.mail(conversation), "runnable": keys.runnable, "line": keys.line, "waiting": keys.waiting,
    }  # fmt: skip


_WAYS: dict[str, Callable[[str], tuple[Any, ...]]] = {
    "another type": lambda key: ("SETEX", key, 60, "x"),
    "garbage": lambda key: (
        "HSET", key, "#", _GARBAGE, "day", _GARBAGE, "tokens", _GARBAGE, "floods", _GARBAGE, "until", _GARBAGE,
        "language", _GARBAGE, _GARBAGE, _GARBAGE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", _WAYS)
async def test_spoiled_keys_are_no_error_of_the_server(way: str, store: Store, browser: Browser) -> None:
    async with page(store) as (stage, address):
        await browser.load(address)
        await browser.say(address, "hello there")
        for name, key in _keys(stage.keys, browser.cookie(address)).items():
            await store.command("DEL", key)
            await store.command(*_WAYS[way](key))
            await browser.load(address)
            answer = await browser.say(address, f"after {name}")
            assert answer, name
            assert f"after {name}" in await browser.load(address), name
