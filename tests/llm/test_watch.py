"""A bot's endpoints are probed at the start and while something is wrong, and what comes of it is in the store."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import orjson
import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.llm.errors import Overloaded
from gptbot.llm.outcomes import LASTS, Outcomes, mark_of
from gptbot.llm.probe import Probes
from gptbot.llm.types import Endpoint
from gptbot.llm.watch import STALE, ModelWatch
from gptbot_operator.outcomes import outcomes as as_operators_read
from tests.fakes.openai import FakeOpenAI
from tests.llm.conftest import KEY


async def known(store: Store, keys: BotKeys) -> dict[str, str]:
    """What an operator reads."""
    flat: list[bytes] = await store.command("HGETALL", keys.model)
    return as_operators_read(dict(zip(flat[::2], flat[1::2], strict=True)), time.time())


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.01)


async def write(store: Store, keys: BotKeys, endpoint: Endpoint, outcome: str, ago: float = 0.0) -> None:
    """What a worker writes of a request."""
    value = {"outcome": outcome, "at": int(time.time() - ago), "mark": mark_of(endpoint, keys.pepper)}
    await store.command("HSET", keys.model, endpoint.path, orjson.dumps(value))


@asynccontextmanager
async def watching(
    store: Store, keys: BotKeys, probes: Probes, *endpoints: Endpoint, held: float = 45.0
) -> AsyncGenerator[None]:
    watch = ModelWatch(store, keys, endpoints, probes, look=0.02, held=held)
    task = asyncio.create_task(watch.run())
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_the_start_of_a_bot_and_its_fallback(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint, store: Store, keys: BotKeys,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    away = Endpoint("http://user:hunter2@127.0.0.1:1/v1", None, "m", path="spec.llm.fallbacks[0]")
    caplog.set_level(logging.INFO, "gptbot")
    async with watching(store, keys, Probes(http), endpoint, away):

        async def both() -> bool:
            return await known(store, keys) == {"spec.llm": "reachable", "spec.llm.fallbacks[0]": "unreachable"}

        await until(both)
    assert len(fake.listing.headers) == 1
    raw = b"".join(await store.command("HGETALL", keys.model))
    assert KEY.encode() not in raw
    assert 0 < await store.command("TTL", keys.model) <= LASTS
    assert "spec.llm.fallbacks[0]: a probe of http://127.0.0.1:1/v1 came to unreachable" in caplog.text
    assert KEY not in caplog.text
    assert "hunter2" not in caplog.text


async def test_a_model_that_comes_back_is_seen_without_a_question(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint, store: Store, keys: BotKeys
) -> None:
    fake.settings.listing = "server_error"
    async with watching(store, keys, Probes(http, pause=0.02), endpoint):

        async def overloaded() -> bool:
            return await known(store, keys) == {"spec.llm": "overloaded"}

        async def back() -> bool:
            return await known(store, keys) == {"spec.llm": "reachable"}

        await until(overloaded)
        fake.settings.listing = None
        await until(back)
    assert fake.requests == []


async def test_a_request_that_failed_is_believed_for_a_while_and_then_probed(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint, store: Store, keys: BotKeys
) -> None:
    await write(store, keys, endpoint, "overloaded", ago=30)
    probes = Probes(http)
    watch = ModelWatch(store, keys, [endpoint], probes)
    await watch.look()
    assert await known(store, keys) == {"spec.llm": "overloaded"}
    assert fake.listing.headers == []
    await write(store, keys, endpoint, "overloaded", ago=46)
    await watch.look()
    assert await known(store, keys) == {"spec.llm": "recovered"}
    await watch.look()
    assert len(fake.listing.headers) == 1, "what is well is not probed"


async def test_requests_that_go_on_to_fail_stand(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint, store: Store, keys: BotKeys
) -> None:
    """An API may list its models and answer no question."""
    outcomes = Outcomes(store, keys, [endpoint], renewed=0.0, pause=0.01)
    publishing = asyncio.create_task(outcomes.publish())
    watch = ModelWatch(store, keys, [endpoint], Probes(http))
    await watch.look()

    async def overloaded() -> bool:
        return await known(store, keys) == {"spec.llm": "overloaded"}

    await asyncio.sleep(1)  # times are in whole seconds
    outcomes.note(endpoint, Overloaded("x"))
    await until(overloaded)
    for _ in range(5):
        outcomes.note(endpoint, Overloaded("x"))
        await watch.look()
        assert await overloaded()
    assert len(fake.listing.headers) == 1
    outcomes.note(endpoint, None)

    async def answering() -> bool:
        return await known(store, keys) == {"spec.llm": "ok"}

    await until(answering)
    publishing.cancel()


@pytest.mark.parametrize(("outcome", "after"), [("ok", "ok"), ("quota", "reachable")])
async def test_what_is_old_is_probed_anew(
    outcome: str, after: str, http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint, store: Store,
    keys: BotKeys,
) -> None:  # fmt: skip
    await write(store, keys, endpoint, outcome, ago=STALE + 10)
    await ModelWatch(store, keys, [endpoint], Probes(http)).look()
    assert len(fake.listing.headers) == 1
    assert await known(store, keys) == {"spec.llm": after}


async def test_another_key_begins_anew(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint, store: Store, keys: BotKeys
) -> None:
    probes = Probes(http)
    wrong = Endpoint(fake.base_url, "sk-wrong", "gpt-test")
    await ModelWatch(store, keys, [wrong], probes).look()
    assert await known(store, keys) == {"spec.llm": "unauthorized"}
    await write(store, keys, wrong, "unauthorized")
    await ModelWatch(store, keys, [endpoint], probes).look()
    assert await known(store, keys) == {"spec.llm": "reachable"}


async def test_spoiled_fields_are_replaced_and_hurt_nobody(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint, store: Store, keys: BotKeys
) -> None:
    mark = mark_of(endpoint, keys.pepper)
    for text in (
        "[not json",
        "[]",
        f'{{"mark": "{mark}"}}',
        f'{{"mark": "{mark}", "outcome": [], "at": "x"}}',
        "x" * 9_000_000,
    ):
        await store.command("HSET", keys.model, "spec.llm", text, "probe spec.llm", text)
        fake.listing.headers.clear()
        await ModelWatch(store, keys, [endpoint], Probes(http)).look()
        assert len(fake.listing.headers) == 1
        assert (await known(store, keys))["spec.llm"] == "reachable"
