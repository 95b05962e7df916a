"""What one person sends in one go is one question, on every platform: asked anew with all of it, and answered once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from gptbot.inbox.stops import Stops
from gptbot.inbox.store import Store
from gptbot.worker import Worker
from tests.conversation.room import Room, room
from tests.fakes.openai import FakeOpenAI

ONE_GO = {"debounce": 30}
"""Seconds: whatever happens in a test is one go, and an answer that waited for its end would come too late."""
SOON = 20


@asynccontextmanager
async def working(talk: Room) -> AsyncGenerator[Worker]:
    """A worker of the room's bot, until all is answered."""
    worker = Worker(talk.bot, 4)
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        yield worker
        while await talk.bot.mailbox.backlog():
            await asyncio.sleep(0.02)
        worker.drain()


async def test_a_question_and_what_it_is_about_are_answered_once(store: Store, model: FakeOpenAI) -> None:
    model.say("too early", first_token_delay=2 * SOON)
    model.say("Yes.")
    async with room(store, model, context=ONE_GO) as talk:
        async with working(talk):
            await talk.tell("Is this true?")
            await model.wait_requests(1)
            await talk.tell("Water boils at 100 degrees.")
        assert [answer.text for answer in talk.sender.shown.values()] == ["Yes."]
        assert [request.asked.split() for request in model.requests] == [
            ["Is", "this", "true?"], ["Is", "this", "true?", "Water", "boils", "at", "100", "degrees."]
        ]  # fmt: skip
        await asyncio.wait_for(model.requests[0].ended.wait(), SOON)
        assert model.requests[0].outcome == "aborted"


async def test_an_answer_that_is_begun_anew_gives_its_place_at_the_model_back_at_once(
    store: Store, model: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(self: Stops) -> list[int]:
        return []

    monkeypatch.setattr(Stops, "heard", deaf)  # what it would hear in a second
    model.say("too early", first_token_delay=2 * SOON)
    async with room(store, model, context=ONE_GO) as talk, working(talk):
        await talk.tell("one")
        await model.wait_requests(1)
        await talk.tell("two")
        await model.requests[0].ended.wait()
        assert model.requests[0].outcome == "aborted"


async def test_no_answer_waits_for_what_may_follow(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, context=ONE_GO) as talk:
        async with working(talk):
            await talk.tell("one")
        assert len(model.requests) == 1
        async with working(talk):
            await talk.tell("two")
        assert [request.asked for request in model.requests] == ["one", "two"], "the first was answered"
