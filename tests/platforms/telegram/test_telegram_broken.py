"""Updates of Telegram that are deep or broken, over the wire: each is left out, the offset moves, the next comes in."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from tests.fakes.telegram import FakeTelegram
from tests.platforms.telegram.harness import ADA, config, eventually, running


def deep(levels: int) -> Any:
    return orjson.Fragment(b"[" * levels + b"]" * levels)


_BROKEN: dict[str, Any] = {
    "600 levels": deep(600),
    "5,000 levels": deep(5000),
    "100,000 levels": deep(100_000),
    "a lone surrogate": orjson.Fragment(rb'{"text": "\ud800", "message_id": 1}'),
    "a huge number": orjson.Fragment(b'{"message_id": ' + b"9" * 5000 + b"}"),
    "no object": ["x"],
    "nothing": None,
}


@pytest.mark.parametrize("name", _BROKEN)
async def test_after_a_broken_update_the_next_comes_in(
    name: str, fake: FakeTelegram, store: Store, keys: BotKeys
) -> None:
    await fake.push_update("message", _BROKEN[name], ADA)
    await fake.say(ADA, ADA, "a good one")
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.intake.texts == ["a good one"])
        await fake.wait_for_confirmed()
        assert bot.reports.connected
    assert await fake.pending() == 0
