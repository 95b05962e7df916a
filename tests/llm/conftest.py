"""A fake API, and clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol

import aiohttp
import pytest
import pytest_asyncio

from gptbot.llm.client import ModelClient
from gptbot.llm.types import Endpoint
from tests.fakes.openai import FakeOpenAI, Settings

KEY = "sk-test-0123456789abcdef"


class MakeClient(Protocol):
    def __call__(self, *endpoints: Endpoint, **options: Any) -> ModelClient: ...


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(Settings(api_key=KEY, models=["gpt-test", "gpt-other"])) as running:
        yield running


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def endpoint(fake: FakeOpenAI) -> Endpoint:
    return Endpoint(fake.base_url, KEY, "gpt-test", {}, timeout=5.0, stall=5.0)


@pytest.fixture
def make_client(http: aiohttp.ClientSession, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> MakeClient:
    monkeypatch.setattr("gptbot.llm.client.INITIAL_RETRY_DELAY", 0.01)

    def make(*endpoints: Endpoint, **options: Any) -> ModelClient:
        return ModelClient(http, endpoints or [endpoint], **options)

    return make
