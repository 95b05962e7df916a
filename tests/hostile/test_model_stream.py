"""A model's endpoint that is broken or hostile cannot hold a worker up, keep an answer alive, or write a log."""

from __future__ import annotations

import itertools
import json
import time
from contextlib import suppress
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptbot.conversation.turn import Turn
from gptbot.inbox.mailbox import LONGEST_DELAY, TURN_TTL
from gptbot.llm.answer import Answer
from gptbot.llm.errors import BadStream, ModelError, ModelTimeout
from gptbot.llm.sse import EventDecoder, EventTooLong
from gptbot.llm.stream import Request, request_body, request_headers
from gptbot.llm.types import Completion, Endpoint
from tests.fakes.openai import FakeOpenAI
from tests.hostile.crowd import crowd
from tests.hostile.growth import least
from tests.hostile.mutations import mutated
from tests.hostile.raw import EVENTS, plain, raw_model

_MARK = "MARK-anna-at-home"
_ENDPOINT = Endpoint("http://127.0.0.1:1/v1", None, "gpt-test")
_CHUNK = {
    "choices": [{"index": 0, "delta": {"content": "hi", "reasoning": None}, "finish_reason": None}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 1}},
    "error": {"message": "m", "type": "server_error", "code": "c", "param": None},
}


async def _ask(url: str, timeout: float = 5.0) -> Completion:
    endpoint = Endpoint(url, None, "gpt-test", timeout=timeout, total_timeout=60.0, keep_alive=timeout)
    body = request_body(endpoint, [{"role": "user", "content": "hello"}], stream=True)
    async with aiohttp.ClientSession() as http:
        return await Request(http, endpoint, body, request_headers(endpoint), None, 0.0).run()


def _event(value: object) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


@pytest.mark.parametrize(
    "again",
    [
        _event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}),
        _event({"choices": [{"index": 0, "delta": {"role": "assistant"}}]}),
        _event({"choices": [{"index": 0, "delta": {}}]}),
        _event({"choices": []}),
        _event({}),
        _event({"choices": [{"index": 1, "delta": {"content": "other"}}]}),
        _event({"choices": [{"delta": {"foo": "text that nobody knows"}}]}),
        _event({"choices": [{"delta": {"foo": 1}}]}),
        _event({"choices": [{"delta": {"reasoning_content": True}}]}),
        _event({"choices": [{"delta": {"reasoning_details": [{"type": "reasoning.text", "id": "1", "text": ""}]}}]}),
        _event({"choices": [{"delta": {"content": [{"type": "x"}]}}]}),
        _event({"choices": [{"delta": {"content": [{"type": "text", "text": ""}]}}]}),
        _event({"choices": [{"delta": {"tool_calls": [{"index": 0, "type": "function"}]}}]}),
        b": comment\n\n",
        b"event: ping\ndata: {}\n\n",
    ],
    ids=[
        "empty text",
        "role",
        "no delta",
        "no choice",
        "nothing",
        "another choice",
        "unknown text",
        "unknown number",
        "no reasoning",
        "empty reasoning",
        "unknown part",
        "empty part",
        "no call",
        "comments",
        "pings",
    ],
)
async def test_events_without_text_keep_no_answer_alive_for_long(again: bytes) -> None:
    async with raw_model(EVENTS, again) as url:
        with pytest.raises(ModelTimeout, match=r"timeoutSeconds"):
            await _ask(url, timeout=0.5)


async def test_one_end_keeps_an_answer_alive_and_others_do_not() -> None:
    answer, end = Answer(_ENDPOINT), orjson.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    answer.feed([end])
    assert answer.moved
    answer.moved = False
    answer.feed([end])
    assert not answer.moved


_LONG = "I think. " * 100
_BESIDES: dict[str, Any] = {
    "reasoning": {"reasoning": _LONG},
    "reasoning_content": {"content": None, "reasoning_content": _LONG},
    "reasoning as a list": {"content": "", "reasoning_content": [_LONG]},
    "reasoning_details": {"reasoning_details": [{"type": "reasoning.text", "format": "unknown", "text": _LONG}]},
    "reasoning twice": {"reasoning": _LONG, "reasoning_details": [{"type": "reasoning.text", "text": _LONG}]},
    "thinking": {"thinking": _LONG},
    "parts": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": _LONG}]}]},
    "tool_calls": {"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "f", "arguments": _LONG}}]},
    "function_call": {"function_call": {"arguments": _LONG}},
}


@pytest.mark.parametrize("name", _BESIDES)
@pytest.mark.parametrize("text", [None, "Yes"])
def test_reasoning_keeps_an_answer_alive_and_counts(name: str, text: str | None) -> None:
    delta = dict(_BESIDES[name])
    if text is not None and isinstance(delta.get("content"), list):
        delta["content"] = [{"type": "text", "text": text}, *delta["content"]]
    elif text is not None:
        delta["content"] = text
    answer = Answer(_ENDPOINT)
    assert answer.feed([orjson.dumps({"choices": [{"index": 0, "delta": delta}]})]) == (text or "")
    assert answer.moved
    assert answer.characters == len(_LONG) + len(text or "")
    answer.feed([orjson.dumps({"choices": [{"delta": {"content": "done"}, "finish_reason": "stop"}]}), b"[DONE]"])
    assert answer.completion().text == f"{text or ''}done"
    whole = Answer(_ENDPOINT)
    whole.feed_object(orjson.dumps({"choices": [{"message": delta, "finish_reason": "stop"}]}))
    assert whole.characters == len(_LONG) + len(text or "")


@pytest.mark.parametrize(
    "choices",
    [
        [{"index": 1, "delta": {"content": _LONG}}],
        [{"index": 0, "delta": {}}, {"index": 1, "delta": {"content": _LONG}}],
        [{"index": 0, "delta": {"unknown": {"deep": [{"id": _LONG}]}}}],
        [{"index": 0, "delta": {"unknown": {_LONG: 1}}}],
        [{"index": 0, "delta": {"role": _LONG}}],
        [{"index": 0, "delta": {"unknown": [1] * 2000}}],
        [{"index": 0, "delta": {str(number): 1 for number in range(2000)}}],
    ],
    ids=["another choice", "two choices", "a long id", "a long name", "a long role", "many values", "many fields"],
)
def test_whatever_else_comes_counts_and_keeps_no_answer_alive(choices: object) -> None:
    answer = Answer(_ENDPOINT)
    assert answer.feed([orjson.dumps({"choices": choices})]) == ""
    assert answer.characters >= len(_LONG)
    assert not answer.moved


@pytest.mark.parametrize(
    "filler", ["[]", "{}", '"x"', '{"a":[]}', '{"text":"x","type":"text"}', "[[[[[[[[[[]]]]]]]]]]"]
)
@pytest.mark.parametrize(
    "place", ['[{"index":1,"delta":[%s]}]', '[{"delta":{"a":[%s]}}]', '[{"delta":{"content":[%s]}}]']
)
def test_what_comes_besides_is_counted_in_a_moment(filler: str, place: str) -> None:
    data = ('{"choices":' + place % ",".join([filler] * (1_000_000 // (len(filler) + 1))) + "}").encode()
    parsing, took = least(lambda: orjson.loads(data)), least(lambda: Answer(_ENDPOINT).feed([data]))
    assert took < max(0.05, 2 * parsing) + 0.05, "what a chunk costs besides its JSON"


_WORDS = [
    plain("400 " + _MARK, b"{}"),
    plain("400 Bad Request", orjson.dumps({"error": {"message": _MARK, "type": _MARK, "code": _MARK, "param": _MARK}})),
    plain("500 Oops", orjson.dumps({"error": {"message": _MARK, "type": _MARK, "code": _MARK, "status": _MARK}})),
    plain("429 Slow", orjson.dumps({"error": _MARK})),
    plain("401 No", orjson.dumps({"error": {"code": f"sk-{_MARK}", "innererror": {"code": _MARK}}})),
    plain("404 No", orjson.dumps([_MARK])),
    plain("422 No", orjson.dumps({"detail": [{"loc": ["body", _MARK], "msg": _MARK}]})),
    plain("302 Found", b"", more=f"Location: http://{_MARK}/\r\n".encode()),
    plain("200 OK", _MARK.encode(), content_type=f"text/{_MARK}"),
    plain("200 OK", orjson.dumps({_MARK: 1})),
    plain("200 OK", orjson.dumps({"error": {"message": _MARK, "code": _MARK}})),
    EVENTS + _event({"error": {"message": _MARK, "type": _MARK, "code": _MARK}}),
    EVENTS + b"error: " + orjson.dumps({"message": _MARK, "code": _MARK}) + b"\n\n",
    EVENTS + _event({"choices": [{"delta": {}, "finish_reason": _MARK}]}) + b"data: [DONE]\n\n",
    EVENTS + _event({"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": _MARK}}]}),
    EVENTS + _event({"choices": _MARK}),
    EVENTS + f"data: {_MARK}\n\n".encode(),
    f"{_MARK}\r\n\r\n".encode(),
    f"HTTP/1.1 200 OK\r\n{_MARK}\r\n\r\n".encode(),
    f"HTTP/1.1 200 OK\r\nContent-Length: {_MARK}\r\n\r\n".encode(),
    f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{_MARK}\r\n".encode(),
    f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/event-stream\r\n\r\n{_MARK}".encode(),
]


@pytest.mark.parametrize("sent", _WORDS, ids=range(len(_WORDS)))
async def test_a_servers_words_are_in_no_error(sent: bytes) -> None:
    async with raw_model(sent) as url:
        with pytest.raises(ModelError) as raised:
            await _ask(url)
    assert _MARK not in str(raised.value)
    assert _MARK.lower() not in str(raised.value).lower()


@pytest.mark.parametrize(
    "wait",
    ["Retry-After: 99999999999", "Retry-After: 1e300", "retry-after-ms: 1e18",
     "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", "Retry-After: -1e300", "Retry-After: nan"],
)  # fmt: skip
async def test_no_model_puts_a_turn_off_for_more_than_a_day(store_url: str, wait: str) -> None:
    async with raw_model(plain("503 Later", b"{}", more=f"{wait}\r\n".encode())) as url:
        llm = {"baseUrl": url, "timeoutSeconds": 5}
        async with crowd(store_url, FakeOpenAI(), 1, llm) as people:
            bot = people.bot
            await people.write(1)
            [entry] = await bot.mailbox.receive(1, 5.0)
            claim = await bot.mailbox.claim(entry)
            assert claim is not None
            await Turn(bot, claim).run()
            [_, due] = await bot.store.command("ZRANGE", bot.keys.later, 0, -1, "WITHSCORES")
            assert 0 < float(due) / 1000 - time.time() <= LONGEST_DELAY
            assert (
                await bot.store.command("PTTL", bot.keys.turn(claim.conversation)) <= (TURN_TTL + LONGEST_DELAY) * 1e3
            )


@settings(max_examples=300)
@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes_decode_alike_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    whole, cut = EventDecoder(limit=200), EventDecoder(limit=200)
    with suppress(EventTooLong):
        one = [*whole.feed(data), *whole.end()]
        with suppress(EventTooLong):
            parts = [event for a, b in itertools.pairwise(places) for event in cut.feed(data[a:b])]
            assert [*parts, *cut.end()] == one


@settings(max_examples=300)
@given(mutated(_CHUNK))
def test_any_chunk_is_text_or_a_bad_stream(chunk: object) -> None:
    data = json.dumps(chunk).encode()
    answer = Answer(_ENDPOINT)
    answer.feed([data, b"[DONE]"])
    with suppress(ModelError):
        answer.completion()
    with suppress(ModelError):
        Answer(_ENDPOINT).feed_object(data)


@pytest.mark.parametrize("depth", [600, 5000, 100_000])
@pytest.mark.parametrize("field", ["choices", "error", "usage", "finish_reason"])
def test_a_deep_chunk_is_a_bad_stream_or_nothing(depth: int, field: str) -> None:
    data = b'{"choices":[{"delta":{},"' + field.encode() + b'":' + b"[" * depth + b"]" * depth + b"}]}"
    answer = Answer(_ENDPOINT)
    answer.feed([data, b'{"error":' + b"[" * depth + b"]" * depth + b"}"])
    with pytest.raises(ModelError):
        raise answer.error or BadStream("nothing came")


def test_an_event_of_empty_lines_ends() -> None:
    decoder = EventDecoder(limit=10_000)
    decoder.feed(b"data:\n" * 9_000)
    with pytest.raises(EventTooLong):
        decoder.feed(b"data:\n" * 2_000)
