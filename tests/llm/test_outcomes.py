"""What came of the last requests to a model, in the store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.llm.client import ModelClient
from gptbot.llm.errors import BadRequest, ContextTooLong, ModelError, Overloaded, QuotaExceeded, Unauthorized
from gptbot.llm.outcomes import LASTS, Outcomes
from gptbot.llm.types import Endpoint
from tests.fakes.openai import FakeOpenAI

ENDPOINT = Endpoint("http://a/v1", "sk-a-secret", "m")


async def kept(store: Store, keys: BotKeys) -> dict[str, str]:
    """Endpoint to outcome, as an operator reads them."""
    found = await store.command("HGETALL", keys.model)
    return {name.decode(): orjson.loads(text)["outcome"] for name, text in zip(found[::2], found[1::2], strict=True)}


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def publishing(
    store: Store, keys: BotKeys, endpoints: Sequence[Endpoint], **more: Any
) -> AsyncGenerator[Outcomes]:
    outcomes = Outcomes(store, keys, endpoints, **({"pause": 0.01} | more))
    task = asyncio.create_task(outcomes.publish())
    try:
        yield outcomes
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_requests_over_the_wire_with_their_fallback(store: Store, keys: BotKeys) -> None:
    async with FakeOpenAI() as first, FakeOpenAI() as second, aiohttp.ClientSession() as http:
        endpoints = [
            Endpoint(first.base_url, "sk-a-secret", "one"),
            Endpoint(second.base_url, None, "two", path="spec.llm.fallbacks[0]"),
        ]
        async with publishing(store, keys, endpoints) as outcomes:
            client = ModelClient(http, endpoints, max_retries=0, note=outcomes.note)
            first.fail("quota")
            second.say("hello")
            await client.complete([{"role": "user", "content": "zebra"}])

            async def written() -> bool:
                return await kept(store, keys) == {"spec.llm": "quota", "spec.llm.fallbacks[0]": "ok"}

            await until(written)
            raw = b"".join(await store.command("HGETALL", keys.model))
            assert b"sk-a-secret" not in raw
            assert b"zebra" not in raw
            assert 0 < await store.command("TTL", keys.model) <= LASTS


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        (ContextTooLong("x"), "ok"),
        (QuotaExceeded("x"), "quota"),
        (BadRequest("x", parameter="temperature"), "bad_request"),
        (BadRequest("x", parameter="messages[0].content"), "unauthorized"),
        (BadRequest("x"), "bad_request"),
    ],
)
async def test_what_one_person_asked_is_no_trouble_of_the_model(
    store: Store, keys: BotKeys, error: ModelError | None, outcome: str
) -> None:
    async with publishing(store, keys, [ENDPOINT]) as outcomes:
        outcomes.note(ENDPOINT, Unauthorized("x"))
        outcomes.note(ENDPOINT, error)

        async def written() -> bool:
            return await kept(store, keys) == {"spec.llm": outcome}

        await until(written)


async def test_few_writes(store: Store, keys: BotKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    writes, real = list[Any](), store.command

    async def command(*args: Any) -> Any:
        if args[0] == "HSET":
            writes.append(args[3])
        return await real(*args)

    monkeypatch.setattr(store, "command", command)

    async def seen(count: int) -> None:
        async def written() -> bool:
            return len(writes) >= count

        await until(written)

    async with publishing(store, keys, [ENDPOINT], renewed=3600.0) as outcomes:
        for _ in range(1000):
            outcomes.note(ENDPOINT, None)
        await seen(1)
        for _ in range(1000):
            outcomes.note(ENDPOINT, None)
            await asyncio.sleep(0)
        outcomes.note(ENDPOINT, Overloaded("x"))
        await seen(2)
    assert [orjson.loads(text)["outcome"] for text in writes] == ["ok", "overloaded"]

    async with publishing(store, keys, [ENDPOINT], renewed=0.0) as outcomes:
        outcomes.note(ENDPOINT, None)
        await seen(3)
        outcomes.note(ENDPOINT, None)
        await seen(4)


async def test_another_key_address_or_model_begins_anew(store: Store, keys: BotKeys) -> None:
    async def written() -> bool:
        return bool(await kept(store, keys))

    async with publishing(store, keys, [ENDPOINT]) as outcomes:
        outcomes.note(ENDPOINT, Unauthorized("x"))
        await until(written)
    fallback = Endpoint("http://b/v1", None, "b", path="spec.llm.fallbacks[0]")
    async with publishing(store, keys, [ENDPOINT, fallback]) as outcomes:  # another process of the same bot
        outcomes.note(fallback, None)

        async def both() -> bool:
            return await kept(store, keys) == {"spec.llm": "unauthorized", "spec.llm.fallbacks[0]": "ok"}

        await until(both)
    async with publishing(store, keys, [Endpoint("http://a/v1", "sk-another", "m")]):

        async def nothing() -> bool:
            return not await written()

        await until(nothing)
