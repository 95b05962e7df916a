"""What an endpoint refuses is left out from then on, by all workers, and the status says so."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from typing import Any

import orjson
import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.llm.classify import from_response
from gptbot.llm.client import ModelClient
from gptbot.llm.errors import BadRequest
from gptbot.llm.outcomes import LEARNED, Outcomes, mark_of
from gptbot.llm.types import Endpoint, Message
from gptbot_operator.outcomes import left_out
from tests.fakes.openai import FakeOpenAI
from tests.llm.conftest import MakeClient

HELLO: list[Message] = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize("how", ["param", "null", "empty", "default_only", "fastapi"])
@pytest.mark.parametrize("name", ["stream_options", "temperature", "top_k"])
async def test_a_refused_parameter_is_left_out_and_remembered(
    fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint, name: str, how: Any
) -> None:
    fake.settings.refused = {name: how}
    client = make_client(dataclasses.replace(endpoint, parameters={"temperature": 0.5, "top_p": 0.9}))
    if name == "top_k":  # the fake knows no such field at all
        fake.settings.refused = {}
        client = make_client(dataclasses.replace(endpoint, parameters={"top_k": 5, "top_p": 0.9}))
    for _ in range(2):
        await client.stream(HELLO, lambda _: None)
    assert [request.status for request in fake.requests] == [
        400 if how != "fastapi" or name == "top_k" else 422,
        200,
        200,
    ]
    assert all(name not in request.body for request in fake.requests[1:])
    assert all(request.body["top_p"] == 0.9 for request in fake.requests)


@pytest.mark.parametrize(
    "body",
    [
        {"object": "error", "type": "invalid_request_error", "param": None, "message": {
            "detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "not permitted"}]}},
        {"detail": "stream_options: Extra inputs are not permitted"},
    ],
    ids=["Mistral", "a text"],
)  # fmt: skip
def test_a_detail_names_what_is_refused(endpoint: Endpoint, body: object) -> None:
    error = from_response(endpoint, 422, {}, orjson.dumps(body))
    assert isinstance(error, BadRequest)
    assert (error.parameter, error.value) == ("stream_options", False)


async def test_several_are_left_out_one_after_another_by_all_at_once(
    fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint
) -> None:
    fake.settings.refused = {"stream_options": "null", "temperature": "default_only"}
    client = make_client(dataclasses.replace(endpoint, parameters={"temperature": 0.5}))
    await asyncio.gather(*(client.stream(HELLO, lambda _: None) for _ in range(5)))
    assert client.traits[0].without == {"stream_options", "temperature"}


async def test_the_most_tokens_go_by_the_name_that_is_taken(
    fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint
) -> None:
    fake.settings.refused = {"max_tokens": "renamed"}
    client = make_client(dataclasses.replace(endpoint, parameters={"max_tokens": 50}))
    for _ in range(2):
        await client.stream(HELLO, lambda _: None)
    assert [request.status for request in fake.requests] == [400, 200, 200]
    assert fake.requests[-1].body["max_completion_tokens"] == 50
    fake.settings.refused["max_completion_tokens"] = "null"
    await client.stream(HELLO, lambda _: None)
    assert not {"max_tokens", "max_completion_tokens"} & set(fake.requests[-1].body)


async def test_a_value_that_is_wrong_is_the_owners_to_mend(
    fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint
) -> None:
    with pytest.raises(BadRequest, match="'temperature'"):
        await make_client(dataclasses.replace(endpoint, parameters={"temperature": 3})).stream(HELLO, lambda _: None)
    assert len(fake.requests) == 1


async def test_all_workers_know_and_the_operator_too(
    store: Store, fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint
) -> None:
    endpoint = dataclasses.replace(endpoint, parameters={"temperature": 0.5})
    fake.settings.refused = {"temperature": "default_only"}
    keys = BotKeys(f"test/{uuid.uuid4().hex}", b"p" * 32)

    def worker() -> tuple[ModelClient, asyncio.Task[None]]:
        client, outcomes = make_client(endpoint), Outcomes(store, keys, [endpoint])
        outcomes.share({endpoint.path: client.traits[0]})
        return client, asyncio.create_task(outcomes.publish())

    one, publishing = worker()
    await one.stream(HELLO, lambda _: None)
    async with asyncio.timeout(10):
        while not await store.command("HEXISTS", keys.model, f"{LEARNED}{endpoint.path}"):
            await asyncio.sleep(0.01)
    other, reading = worker()
    async with asyncio.timeout(10):
        while not other.traits[0].without:
            await asyncio.sleep(0.01)
    await other.stream(HELLO, lambda _: None)
    assert [request.status for request in fake.requests] == [400, 200, 200]
    flat: list[bytes] = await store.command("HGETALL", keys.model)
    assert left_out(dict(zip(flat[::2], flat[1::2], strict=True))) == {"spec.llm": ("temperature",)}
    for task in (publishing, reading):
        task.cancel()
    await asyncio.gather(publishing, reading, return_exceptions=True)
    assert mark_of(endpoint, keys.pepper) != mark_of(dataclasses.replace(endpoint, model="x"), keys.pepper)
