"""An answer that was cut says so below its text, and what was said is remembered without that."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gptbot.inbox.store import Store
from tests.conversation.room import room
from tests.fakes.openai import FakeOpenAI, Settings


@pytest_asyncio.fixture
async def model() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(Settings()) as fake:
        yield fake


@pytest.mark.parametrize(
    ("reason", "note"),
    [
        ("length", "cut off here"), ("MAX_TOKENS", "cut off here"), ("model_length", "cut off here"),
        ("content_filter", "content filter"), ("SAFETY", "content filter"), ("stop", None), ("eos", None),
    ],
)  # fmt: skip
async def test_why_an_answer_ends_is_said_below_it(
    store: Store, model: FakeOpenAI, reason: str, note: str | None
) -> None:
    async with room(store, model) as here:
        model.say("One, two and", finish_reason=reason)
        text = (await here.ask("Count")).text
        assert text.startswith("One, two and")
        assert note in text if note else text == "One, two and"
        await here.ask("Go on")
        assert here.told[1:] == ["Count", "One, two and", "Go on"]
