"""What waited longer than `privacy.retention` when a worker comes to it."""

from __future__ import annotations

import time
from typing import Any

from gptbot.inbox.envelope import Envelope
from gptbot.inbox.store import Store
from tests.conversation.room import Room, room
from tests.fakes.openai import FakeOpenAI

HOUR = {"privacy": {"retention": "1h"}}


async def _wrote(room: Room, number: int, age: float, **more: Any) -> None:
    fields: dict[str, Any] = {"text": f"question {number}", "language": "en", **more}
    message = Envelope(
        event=f"event-{number:016}", platform="web", user="u", address={"session": "s"}, direct=True,
        received=time.time() - age, **fields,
    )  # fmt: skip
    there = room.bot.keys.pseudonym("web", "conversation", "room")
    assert await room.bot.mailbox.enqueue(there, message)


async def test_people_are_told_once_and_what_came_since_is_answered(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, **HOUR) as here:
        await _wrote(here, 1, 7200)
        await _wrote(here, 2, 7100)
        await _wrote(here, 3, 10)
        model.say("Answer.", times=None)
        told = await here.answer(most=20)
        assert told.text.startswith("This waited for an answer longer than I may keep messages")
        assert told.buttons == {}
        assert model.requests == []
        assert (await here.answer(most=20)).text == "Answer."
        assert here.told[1:] == ["question 3"], "what was dropped is no part of the conversation"
        assert await here.bot.mailbox.backlog() == 0


async def test_in_the_language_of_who_wrote(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, **HOUR) as here:
        await _wrote(here, 1, 7200, language="ru", command="persona", text="pirate")
        assert (await here.answer()).text.startswith("Это ждало ответа дольше")
        assert await here.settings() == {}, "a command comes too late as well"


async def test_a_finished_answer_goes_out_and_so_does_the_word_of_an_erasure(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, **HOUR) as here:
        await _wrote(here, 1, 7200)
        await here.bot.mailbox.create_group()
        [entry] = await here.bot.mailbox.receive(1, 5.0)
        claim = await here.bot.mailbox.claim(entry)
        assert claim is not None
        await here.bot.mailbox.replied(claim, "Finished before.")
        await here.bot.mailbox.retry(claim, 0)
        assert (await here.answer()).text == "Finished before."
        await _wrote(here, 2, 7200, command="forget", text="", values={"messages": 2})
        assert "longer than I may keep" not in (await here.answer()).text
