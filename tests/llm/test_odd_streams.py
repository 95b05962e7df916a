"""Streams that are not as they should be: byte by byte, as servers were seen to send them."""

from __future__ import annotations

import asyncio
import dataclasses
import json

import pytest

from gptbot.llm.errors import ModelError
from gptbot.llm.types import Completion, Endpoint, Message
from tests.fakes.openai import FakeOpenAI
from tests.hostile.raw import raw_model
from tests.llm.conftest import MakeClient
from tests.ports import listening

HELLO: list[Message] = [{"role": "user", "content": "Hello"}]
USAGE = {"prompt_tokens": 3, "completion_tokens": 2}


def event(content: str | None = None, *, where: str = "delta", **more: object) -> str:
    choice = {"index": 0, where: {} if content is None else {"content": content}, "finish_reason": None}
    usage = {"usage": more.pop("usage")} if "usage" in more else {}
    return f"data: {json.dumps({'choices': [{**choice, **more}], **usage})}\n\n"


def response(body: str, kind: str = "text/event-stream") -> str:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n{body}"


WHOLE = json.dumps(
    {"choices": [{"index": 0, "message": {"content": "Hello!"}, "finish_reason": "stop"}], "usage": USAGE}
)
STREAM = event("Hel") + event("lo!") + event(finish_reason="stop", usage=USAGE) + "data: [DONE]\n\n"


async def ask(fake: FakeOpenAI, make_client: MakeClient, raw: str, *, streaming: bool = True) -> Completion:
    fake.say("", raw=raw)
    client = make_client(max_retries=0)
    return await (client.stream(HELLO, lambda _: None) if streaming else client.complete(HELLO))


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("kind", ["text/event-stream", "application/json", "text/plain"])
@pytest.mark.parametrize("body", [WHOLE, "\n \n" + WHOLE, STREAM, ": hi\n\n" + STREAM, "\n\n" + STREAM])
async def test_the_body_decides_what_it_is(
    fake: FakeOpenAI, make_client: MakeClient, kind: str, body: str, streaming: bool
) -> None:
    completion = await ask(fake, make_client, response(body, kind), streaming=streaming)
    assert (completion.text, completion.completion_tokens) == ("Hello!", 2)


@pytest.mark.parametrize("body", [WHOLE, STREAM])
async def test_a_mark_of_the_byte_order_is_no_text_however_it_comes(
    make_client: MakeClient, endpoint: Endpoint, body: str
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for byte in response("\ufeff" + body).encode():
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        writer.close()

    async with listening(serve) as port:
        client = make_client(dataclasses.replace(endpoint, base_url=f"http://127.0.0.1:{port}/v1"))
        assert (await client.stream(HELLO, lambda _: None)).text == "Hello!"


@pytest.mark.parametrize("error", [{"code": 503, "message": "Loading"}, {"object": "error", "message": "x", "code": 1}])
async def test_an_error_without_a_field_of_its_own(
    fake: FakeOpenAI, make_client: MakeClient, error: dict[str, object]
) -> None:
    with pytest.raises(ModelError) as raised:
        await ask(fake, make_client, response(event("Hel") + f"data: {json.dumps(error)}\n\n"))
    assert raised.value.kind == "overloaded"
    assert raised.value.text == "Hel"


@pytest.mark.parametrize(
    "body",
    [
        "data:\n\n" + STREAM,
        "event: ping\ndata: \n\n" + STREAM.replace("\n\n", "\n\ndata:   \n\n"),
        event("Hel", where="message")
        + event("lo!", where="message")
        + event(finish_reason="stop")
        + "data: [DONE]\n\n",
        event("Hel") + event("lo!") + event("Hello!", where="message", finish_reason="stop") + "data: [DONE]\n\n",
    ],
    ids=["empty data", "pings", "message in place of delta", "the whole message behind the deltas"],
)
async def test_odd_events(fake: FakeOpenAI, make_client: MakeClient, body: str) -> None:
    assert (await ask(fake, make_client, response(body))).text == "Hello!"


@pytest.mark.parametrize("usage", [True, False])
async def test_after_its_end_an_answer_waits_for_its_usage_alone(
    make_client: MakeClient, endpoint: Endpoint, usage: bool
) -> None:
    end = event(finish_reason="stop", usage=USAGE) if usage else event(finish_reason="stop")
    body = event("Hello!") + end
    async with raw_model(response(body).encode(), b": ping\n\n") as url:
        client = make_client(dataclasses.replace(endpoint, base_url=url, timeout=60.0))
        async with asyncio.timeout(20):
            completion = await client.stream(HELLO, lambda _: None)
    assert (completion.text, completion.completion_tokens) == ("Hello!", 2 if usage else None)


async def test_an_object_of_bytes_without_end_is_ended(make_client: MakeClient, endpoint: Endpoint) -> None:
    async with raw_model(response("{", "application/json").encode(), b" " * 100_000) as url:
        with pytest.raises(ModelError, match="JSON"):
            await make_client(dataclasses.replace(endpoint, base_url=url), max_retries=0).stream(HELLO, lambda _: None)
