"""An answer without a word: it is repeated only where another may be better, and paid for in any case."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gptbot.inbox.store import Store
from tests.conversation.room import Room, room
from tests.fakes.openai import FakeOpenAI, Settings

THOUGHTS = "Okay, so what is it? " * 20


@pytest_asyncio.fixture
async def model() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(Settings()) as fake:
        yield fake


async def used(here: Room) -> int:
    """Tokens that are counted today."""
    return int(await here.store.command("HGET", here.bot.keys.tokens, "tokens") or 0)


@pytest.mark.parametrize(
    ("reason", "script"),
    [
        ("length", {"reasoning": THOUGHTS}),
        ("length", {"pieces": ["<think>", THOUGHTS]}),
        ("MAX_TOKENS", {"pieces": []}),
        ("tool_calls", {"reasoning": THOUGHTS}),
        ("function_call", {"pieces": []}),
    ],
)
async def test_what_would_fail_again_is_asked_once_and_counted(
    store: Store, model: FakeOpenAI, reason: str, script: dict[str, object]
) -> None:
    async with room(store, model) as here:
        model.say("", finish_reason=reason, times=None, **script)
        assert "without a word" in (await here.ask("Hi")).text
        assert len(model.requests) == 1
        assert await here.store.command("ZCARD", here.bot.keys.later) == 0
        assert await used(here) >= (80 if "reasoning" in script else 5)
        assert f"{await used(here)} used" in (await here.ask("!usage")).text


async def test_what_an_error_says_that_it_cost_is_counted(store: Store, model: FakeOpenAI) -> None:
    body = '{"error": {"message": "x", "code": 400}, "usage": {"prompt_tokens": 70, "completion_tokens": 7}}'
    async with room(store, model) as here:
        model.say("", raw=f"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
                          f"Content-Length: {len(body)}\r\n\r\n{body}")  # fmt: skip
        await here.ask("Hi")
        assert await used(here) == 77


async def test_an_empty_answer_may_be_better_the_next_time_and_is_counted(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model) as here:
        model.say("", reasoning=THOUGHTS, times=2)
        model.say("Hello!")
        assert (await here.ask("Hi")).text == "Hello!"
        assert len(model.requests) == 3
        assert await used(here) > 200
