"""An answer that was cut goes on by its button or by `!continue`, and both parts are remembered as one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gptbot.conversation.continuing import joined
from gptbot.inbox.store import Store
from tests.conversation.room import Answer, Room, room
from tests.fakes.openai import FakeOpenAI, Settings


@pytest_asyncio.fixture
async def model() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(Settings()) as fake:
        yield fake


def button(answer: Answer) -> str:
    """What the button that goes on with an answer sends."""
    [command] = [f"!{command}" for command in answer.buttons if command.startswith("continue")]
    assert len(command.encode()) <= 60
    return command


async def cut_answer(here: Room, text: str = "One, two and", question: str = "Count") -> Answer:
    here.model.say(text, finish_reason="length")
    return await here.ask(question)


async def test_the_button_goes_on_with_the_answer(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model) as here:
        first = await cut_answer(here)
        assert list(first.buttons.values()) == ["Continue", "Regenerate"]
        model.say("three.")
        more = await here.ask(button(first))
        assert (more.text, list(more.buttons.values())) == ("three.", ["Regenerate"])
        assert here.told[1:3] == ["Count", "One, two and"]
        assert here.told[3].endswith("It ends with:\n\nOne, two and")
        await here.ask("And then?")
        assert here.told[1:] == ["Count", "One, two and three.", "And then?"]


async def test_what_is_cut_again_goes_on_again(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model) as here:
        answer = await cut_answer(here, "One, ")
        for text in ("two, ", "three, "):
            model.say(text, finish_reason="length")
            answer = await here.ask(button(answer))
            assert "cut off" in answer.text
        model.say("four.")
        assert (await here.ask("!continue")).text == "four."
        await here.ask("Thanks")
        assert here.told[1:] == ["Count", "One, two, three, four.", "Thanks"]


async def test_pressed_twice_it_makes_one_answer(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model) as here:
        press = button(await cut_answer(here))
        for _ in range(2):
            await here.tell(press)
        model.say("three.")
        await here.answer(most=2)
        await here.tell(press)
        assert await here.bot.mailbox.receive(1, 0.05) == []
        assert len(model.requests) == 2


@pytest.mark.parametrize("between", ["!reset", "Something else", "!retry"])
async def test_the_button_of_an_older_answer_goes_on_with_no_other(
    store: Store, model: FakeOpenAI, between: str
) -> None:
    async with room(store, model) as here:
        press = button(await cut_answer(here))
        model.say("Another one.")
        await here.ask(between)
        asked = len(model.requests)
        assert (await here.ask(press)).text.startswith("There is no answer here")
        assert len(model.requests) == asked


async def test_there_has_to_be_an_answer(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model) as here:
        for text in ("!continue", "!continue please", "!continue AAAAAAAAAAA.1"):
            assert (await here.ask(text)).text
        assert not model.requests


@pytest.mark.parametrize(
    ("script", "offered"),
    [
        ({"text": "So", "finish_reason": "length"}, True), ({"text": "So", "finish_reason": "content_filter"}, True),
        ({"text": "So", "finish_reason": "stop"}, False), ({"text": "So it goes on. " * 400}, False),
    ],
)  # fmt: skip
async def test_it_is_offered_where_an_answer_was_cut(
    store: Store, model: FakeOpenAI, script: dict[str, str], offered: bool
) -> None:
    async with room(store, model) as here:
        model.say(**script)
        answer = await here.ask("Why?")
        assert ("Continue" in answer.buttons.values()) is offered
        assert "Regenerate" in answer.buttons.values()


async def test_a_bot_that_remembers_nothing_offers_nothing(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, context={"maxMessages": 0}) as here:
        assert list((await cut_answer(here)).buttons.values()) == ["Regenerate"]


async def test_a_loop_is_ended_below_the_answer_and_remembered_once(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model) as here:
        model.say("Well. " + "I am so happy. " * 400)
        assert (await here.ask("How are you?")).text == (
            "Well. I am so happy.\n\n*I had begun to repeat myself, so I ended it here.*"
        )
        await here.ask("Good")
        assert here.told[1:] == ["How are you?", "Well. I am so happy.", "Good"]


async def test_who_may_not_ask_may_not_press(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, access={"deny": ["web:page:public"]}) as here:
        press = button(await cut_answer(here))
        assert not await here.tell(press, user="eve", principals=("page:public",), direct=False)
        assert len(model.requests) == 1
        model.say("three.")
        assert (await here.ask(press)).text == "three."


@pytest.mark.parametrize("most", [None, 100])
async def test_an_answer_is_bounded(store: Store, model: FakeOpenAI, most: int | None) -> None:
    words = " ".join(f"w{number}" for number in range(5000))
    llm = {"baseUrl": model.base_url, "model": "gpt-test", "contextWindow": 8000}
    async with room(store, model, llm=llm if most is None else {**llm, "maxAnswerTokens": most}) as here:
        model.say(words)
        answer = await here.ask("Count")
        assert model.requests[0].body.get("max_tokens") == most
        assert "cut off here" in answer.text
        assert "Continue" in answer.buttons.values()
        assert (len(answer.text) < 600) if most else (8000 <= len(answer.text) < 30_000)


async def test_a_server_that_takes_no_notice_of_the_bound_is_ended(store: Store) -> None:
    async with FakeOpenAI(Settings(bounded=False)) as model:
        llm = {"baseUrl": model.base_url, "model": "gpt-test", "maxAnswerTokens": 20}
        async with room(store, model, llm=llm) as here:
            model.say(" ".join(f"w{number}" for number in range(20_000)), tokens_per_second=4000)
            answer = await here.ask("Count")
            assert "cut off here" in answer.text
            assert len(answer.text) < 10_000
            await model.requests[0].ended.wait()
            assert model.requests[0].outcome == "aborted"


async def test_the_bound_has_the_name_that_the_model_wants(store: Store) -> None:
    async with FakeOpenAI(Settings(refused={"max_tokens": "renamed"})) as model:
        llm = {"baseUrl": model.base_url, "model": "gpt-test", "maxAnswerTokens": 20}
        async with room(store, model, llm=llm) as here:
            for _ in range(2):
                await here.ask("Hello")
            sent = [(each.body.get("max_tokens"), each.body.get("max_completion_tokens")) for each in model.requests]
            assert sent == [(20, None), (None, 20), (None, 20)]


@pytest.mark.parametrize(
    ("before", "more", "whole"),
    [("One, two and", "three", "One, two and three"), ("One,", " two", "One, two"), ("f(", "x)", "f(x)"),
     ("Line\n", "Next", "Line\nNext"), ("", "All", "All"), ("End", ".", "End."),
     ("The answer is", "The answer is 42.", "The answer is 42."), ("It is so", "so that", "It is so that"),
     ("Of interna", "international law", "Of international law"), ("This is a", "an apple", "This is an apple"),
     ("今天天", "天气好", "今天天气好"), ("今天", "今天天气好", "今天天气好"),
     ("我们用", "Python 写", "我们用Python 写"),
     ("a" * 400, "a" * 350, "a" * 450)],
)  # fmt: skip
def test_two_parts_are_joined_as_one_text(before: str, more: str, whole: str) -> None:
    assert joined(before, more) == whole
