"""Answers that repeat themselves are found, and those that only look so are not."""

from __future__ import annotations

import random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptbot.llm.answer import Answer
from gptbot.llm.errors import NoText
from gptbot.llm.loops import LONGEST, Loops, without_repeats
from gptbot.llm.types import Endpoint
from tests.fakes.openai import FakeOpenAI
from tests.hostile.growth import least
from tests.llm.conftest import MakeClient
from tests.llm.loops import LOOPS, NO_LOOPS

_ENDPOINT = Endpoint("http://127.0.0.1:1/v1", None, "gpt-test")


def found(text: str, cut: int) -> bool:
    """Whether a loop is found in a text that comes in pieces of about so many characters."""
    loops, chance, place = Loops(), random.Random(cut), 0
    while place < len(text):
        size = chance.randint(1, 2 * cut)
        if loops.feed(text[place : place + size]):
            return True
        place += size
    return False


@pytest.mark.parametrize("cut", [1, 5, 700, 1_000_000])
@pytest.mark.parametrize("name", NO_LOOPS)
def test_what_is_meant_so_is_no_loop(name: str, cut: int) -> None:
    assert not found(NO_LOOPS[name], cut)


@pytest.mark.parametrize("cut", [1, 5, 700, 1_000_000])
@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_is_found_soon_and_said_once(name: str, cut: int) -> None:
    before, piece = LOOPS[name]
    words = any(letter.isalpha() for letter in piece) and "```" not in before
    soon = len(before) + (1500 if words else 8000) + 5 * len(piece) + (1400 if len(piece) < 900 else 8800)
    text = (before + piece * (soon // len(piece) + 2))[:soon]
    assert found(text, cut)
    loops = Loops()
    period = next(size for start in range(0, len(text), 7) if (size := loops.feed(text[start : start + 7])))
    assert period % len(piece) == 0 or (piece * 2).find(piece, 1) == period
    kept = without_repeats(text, period)
    assert kept.startswith(before)
    assert len(kept) <= len(before) + 2 * period


@given(st.text("ab ", max_size=40), st.text("abc 12-\n", min_size=1, max_size=60), st.integers(0, 60))
@settings(max_examples=200)
def test_what_is_left_out_is_only_repetition(before: str, piece: str, times: int) -> None:
    text = before + piece * times
    kept = without_repeats(text, len(piece))
    assert text.startswith(kept)
    rest = text[len(kept) :]
    assert all(rest[place] == text[len(kept) + place - len(piece)] for place in range(len(rest)))
    assert len(kept) <= len(before) + 2 * len(piece) or not times


def test_the_longest_piece_is_found_and_a_longer_one_is_let_be() -> None:
    chance = random.Random(5)
    long = "".join(chance.choices("abcdefgh ", k=LONGEST - 100))
    assert found(long * 6, 300)
    longer = "".join(chance.choices("abcdefgh ", k=LONGEST + 2000))
    assert not found(longer * 6, 300)


@pytest.mark.parametrize(
    "piece",
    [
        "a", "ab", ("a" * 31 + "b") * 7 + "c", "a" * 1023 + "b", "a" * 255 + "b", "ab" * 4000 + "c",
        ("a" * 500 + "b") * 9 + "c",
    ],
)  # fmt: skip
def test_reading_is_linear(piece: str) -> None:
    text = (piece * (1_000_000 // len(piece) + 1))[:1_000_000]

    def read() -> None:
        loops = Loops()
        for start in range(0, len(text), 65_536):
            if loops.feed(text[start : start + 65_536]):
                without_repeats(text, 1)
                loops = Loops()

    assert least(read) < 0.25, "a million characters, 15 reads of a socket"


def chunk(**delta: str) -> bytes:
    return orjson.dumps({"choices": [{"index": 0, "delta": delta}]})


async def test_an_answer_that_loops_is_ended_and_its_connection_closed(
    fake: FakeOpenAI, make_client: MakeClient
) -> None:
    fake.say("Of course. " + "I am glad to help. " * 400)
    seen: list[str] = []
    completion = await make_client().stream([{"role": "user", "content": "Hi"}], seen.append)
    assert (completion.text, completion.finish_reason) == ("Of course. I am glad to help.", "loop")
    fake.say("Fine. " + "I am glad to help. " * 4000, tokens_per_second=4000)
    completion = await make_client().stream([{"role": "user", "content": "Hi"}], seen.append)
    assert (completion.text, completion.finish_reason) == ("Fine. I am glad to help.", "loop")
    await fake.requests[1].ended.wait()
    assert fake.requests[1].outcome == "aborted"


async def test_one_in_one_piece_is_shortened(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.say("Well. " + "And so on. " * 300, fault="json")
    completion = await make_client().complete([{"role": "user", "content": "Hi"}])
    assert (completion.text, completion.finish_reason) == ("Well. And so on.", "loop")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking", "content"])
def test_thoughts_that_go_in_a_circle_are_ended(field: str) -> None:
    answer = Answer(_ENDPOINT)
    answer.feed([chunk(content="<think>")] if field == "content" else [])
    for _ in range(400):
        answer.feed([chunk(**{field: "But wait, let me think again. "})])
        if answer.error is not None:
            break
    assert isinstance(answer.error, NoText)
    assert "thoughts" in str(answer.error)


def test_thoughts_are_no_part_of_the_text_that_is_kept() -> None:
    answer = Answer(_ENDPOINT)
    answer.feed([chunk(content="<think>Hm, what now? </think>"), chunk(content="Right: ")])
    while answer.ended is None:
        answer.feed([chunk(content="yes indeed ")])
    assert answer.completion().text == "Right: yes indeed"
