from __future__ import annotations

import itertools

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gptbot.llm.answer import Answer
from gptbot.llm.errors import BadStream
from gptbot.llm.sse import EventDecoder, EventTooLong
from gptbot.llm.thoughts import without_unopened
from gptbot.llm.types import Endpoint

ENDPOINT = Endpoint("http://127.0.0.1:1/v1", None, "gpt-test")
TEXT = ["Привет", ", 👋🏽", " world", "\n\n", "data: x", "\r\n", "é"]


def chunk(text: str) -> bytes:
    return orjson.dumps({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}], "usage": None})


def stream(newline: bytes = b"\n") -> bytes:
    """A stream with all that may be in one: comments, other fields, no space after the colon, data on two lines."""
    lines = [b": ping", b""]
    for index, text in enumerate(TEXT):
        lines += [b"event: message", b"id: 7", (b"data:" if index % 2 else b"data: ") + chunk(text), b""]
    lines += [b'data: {"choices": [{"index": 0,', b'data: "delta": {}, "finish_reason": "stop"}]}', b"", b": ping"]
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 7}}'
    lines += [b"retry: 10", usage, b"", b"data: [DONE]", b"", b""]
    return newline.join(lines)


def read(reads: list[bytes]) -> Answer:
    decoder, answer = EventDecoder(), Answer(ENDPOINT)
    for part in reads:
        answer.feed(decoder.feed(part))
    answer.feed(decoder.end())
    return answer


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_a_stream_cut_at_any_byte_is_the_same(newline: bytes) -> None:
    whole = stream(newline)
    for cut in range(len(whole) + 1):
        completion = read([whole[:cut], whole[cut:]]).completion()
        assert completion.text == "".join(TEXT), cut
        assert (completion.finish_reason, completion.prompt_tokens, completion.completion_tokens) == ("stop", 3, 7)


@given(
    texts=st.lists(st.text(), min_size=1, max_size=8),
    newline=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(0, 5000), max_size=30),
)
def test_any_text_survives_any_cuts(texts: list[str], newline: bytes, cuts: list[int]) -> None:
    # What begins like thoughts, or ends some, is none of these (`test_thoughts.py`).
    texts = [".", *(text.encode("utf-8", "replace").decode() for text in texts)]
    said = "".join(texts)
    assume(without_unopened(said) == said)
    whole = b"".join(b"data: " + chunk(text) + newline * 2 for text in texts) + b"data: [DONE]" + newline * 2
    places = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    reads = [whole[a:b] for a, b in itertools.pairwise(places)]
    answer = read(reads)
    assert answer.done
    assert answer.completion().text == said


def test_one_byte_at_a_time() -> None:
    whole = stream(b"\r\n")
    assert read([whole[i : i + 1] for i in range(len(whole))]).text == "".join(TEXT)


def test_a_byte_order_mark_is_no_part_of_the_first_field() -> None:
    assert EventDecoder().feed(b"\xef\xbb\xbfdata: 1\n\n") == [b"1"]


def test_events_without_data_are_none() -> None:
    assert EventDecoder().feed(b"event: ping\n\n: comment\n\n\n\nid: 1\n\n") == []


def test_an_event_without_its_empty_line_is_there_at_the_end() -> None:
    decoder = EventDecoder()
    assert decoder.feed(b"data: [DONE]") == []
    assert decoder.end() == [b"[DONE]"]


def test_an_event_without_end_is_refused() -> None:
    decoder = EventDecoder(limit=1000)
    decoder.feed(b"x" * 900)
    with pytest.raises(EventTooLong):
        decoder.feed(b"x" * 200)


def test_many_data_lines_without_end_are_refused() -> None:
    decoder = EventDecoder(limit=1000)
    decoder.feed(b"data: " + b"x" * 900 + b"\n")
    with pytest.raises(EventTooLong):
        decoder.feed(b"data: " + b"x" * 200 + b"\n")


def test_reasoning_and_other_choices_are_left_out() -> None:
    answer = Answer(ENDPOINT)
    events = [
        b'{"choices": [{"index": 0, "delta": {"role": "assistant", "reasoning_content": "hm", "content": null}}]}',
        b'{"choices": [{"index": 0, "delta": {"reasoning": "well"}}]}',
        b'{"choices": [{"index": 1, "delta": {"content": "other"}}]}',
        b'{"choices": [{"index": 0, "delta": {"content": [{"type": "thinking", "thinking": []}, '
        b'{"type": "text", "text": "yes"}]}}]}',
        b'{"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}]}',
    ]
    assert answer.feed(events) == "yes"


def test_a_refusal_is_the_answer() -> None:
    answer = Answer(ENDPOINT)
    assert answer.feed([b'{"choices": [{"index": 0, "delta": {"refusal": "I cannot."}}]}']).startswith("I")


def test_halves_of_a_surrogate_pair_are_joined_over_chunks() -> None:
    answer = Answer(ENDPOINT)
    events = [
        b'{"choices": [{"delta": {"content": "a \\ud83d"}}]}',
        b'{"choices": [{"delta": {"content": "\\ude00 b"}}]}',
    ]
    assert answer.feed(events[:1]) == "a "
    assert answer.feed(events[1:]) == "😀 b"
    answer.feed([b'{"choices": [{"delta": {"content": "\\ud83d"}}]}', b"[DONE]"])
    assert answer.completion().text == "a 😀 b\ufffd"


@pytest.mark.parametrize(
    "data",
    [b"{", b"[]", b"null", b'"x"', b'{"choices": 7}', b'{"choices": [7]}', b'{"choices": [{"delta": "x"}]}',
     b'{"choices": [{"delta": {"content": 7}}]}', b'{"choices": {"a": 1}}', b"\xff\xfe"],
)  # fmt: skip
def test_what_is_no_chunk_is_a_bad_stream_and_keeps_the_text_so_far(data: bytes) -> None:
    answer = Answer(ENDPOINT)
    assert answer.feed([chunk("so far"), data, chunk("never")]) == "so far"
    assert isinstance(answer.error, BadStream)
    assert "so far" not in str(answer.error)
