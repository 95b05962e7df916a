"""Thoughts in a model's text reach neither people nor the context, the notes, the moderation and `!summary`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gptbot.conversation.context import remember, remembered
from gptbot.conversation.folding import fold
from gptbot.inbox.store import Store
from gptbot.llm.errors import EmptyAnswer
from gptbot.llm.types import Role
from tests.conversation.room import Room, room
from tests.fakes.openai import FakeOpenAI, Settings

THOUGHT = "<think>\nThe user is Ada. Hm.\n</think>\n\n"


@pytest_asyncio.fixture
async def model() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(Settings()) as fake:
        yield fake


async def memory(here: Room) -> tuple[str, list[bytes]]:
    """The key of the context, and what is there."""
    key = here.bot.keys.context(here.bot.keys.pseudonym("web", "conversation", "room"))
    return key, await here.store.command("LRANGE", key, 0, -1)


async def fill(here: Room) -> tuple[str, list[bytes]]:
    """Let two exchanges be remembered; their conversation and what was remembered."""
    key, _ = await memory(here)
    said: list[tuple[Role, str]] = [("user", "a"), ("assistant", "A"), ("user", "b"), ("assistant", "B")]
    await here.store.command("RPUSH", key, *remember(said))
    await here.store.command("PEXPIRE", key, 60_000)
    return key.rpartition(":")[2], remember(said)


async def test_thoughts_are_neither_shown_nor_remembered_nor_sent_back(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model) as here:
        model.say(f"{THOUGHT}Hello!", tokens_per_second=100)
        assert (await here.ask("Hi")).text == "Hello!"
        _, context = await memory(here)
        assert [message["content"] for message in remembered(context)] == ["Hi", "Hello!"]
        await here.ask("And?")
        assert here.told[1:] == ["Hi", "Hello!", "And?"]


async def test_typing_is_shown_while_the_model_thinks(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model) as here:
        typed = asyncio.Event()

        async def typing(address: object) -> None:
            assert not here.sender.shown
            typed.set()

        here.sender.typing = typing
        model.say(THOUGHT + "Hello!", tokens_per_second=20)
        assert (await here.ask("Hi")).text == "Hello!"
        assert typed.is_set()


async def test_moderation_sees_the_answer_alone(store: Store, model: FakeOpenAI) -> None:
    model.settings.flagged = ["Hm."]
    moderation = {"baseUrl": model.base_url, "input": False, "output": True}
    async with room(store, model, safety={"moderation": moderation}) as here:
        model.say(THOUGHT + "Hello!")
        assert (await here.ask("Hi")).text == "Hello!"
        assert "Hm." not in str(model.moderations)


async def test_a_summary_has_no_thoughts(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model) as here:
        await here.ask("Hi")
        model.say(f"{THOUGHT}- Ada said hi")
        assert THOUGHT.strip() not in (text := (await here.ask("!summary")).text)
        assert "- Ada said hi" in text


@pytest.mark.parametrize("answer", ["<think>The notes", f"{THOUGHT}", "<think>a</think>"])
async def test_a_fold_that_yields_no_text_leaves_the_messages(store: Store, model: FakeOpenAI, answer: str) -> None:
    async with room(store, model, context={"maxMessages": 2}) as here:
        conversation, said = await fill(here)
        model.say(answer, times=None)
        with pytest.raises(EmptyAnswer):
            await fold(here.bot, conversation)
        assert (await memory(here))[1] == said


async def test_notes_have_no_thoughts(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, context={"maxMessages": 2}) as here:
        conversation, _ = await fill(here)
        model.say(f"{THOUGHT}They spoke.")
        assert await fold(here.bot, conversation) == "folded"
        assert await here.store.command("GET", here.bot.keys.summary(conversation)) == b"They spoke."
