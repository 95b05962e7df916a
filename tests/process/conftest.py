"""The world around the processes under test: platforms, a scripted model, a store that can be stopped."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.fakes.openai import FakeOpenAI, Settings
from tests.fakes.telegram import FakeTelegram
from tests.process.program import Valkey

MODEL_KEY = "sk-a-secret-key-of-tests"


@pytest_asyncio.fixture
async def telegram() -> AsyncGenerator[FakeTelegram]:
    """The Bot API, with a person 11 who writes in private."""
    async with FakeTelegram() as fake:
        await fake.add_user(11, "Ada", language_code="en")
        yield fake


@pytest_asyncio.fixture
async def model() -> AsyncGenerator[FakeOpenAI]:
    """A scripted model."""
    async with FakeOpenAI(Settings(api_key=MODEL_KEY)) as fake:
        yield fake


@pytest_asyncio.fixture
async def valkey(tmp_path: Path) -> AsyncGenerator[Valkey]:
    """A store that can be stopped."""
    directory = tmp_path / "valkey"
    directory.mkdir()
    server = Valkey(directory)
    await server.start()
    yield server
    await server.stop()


def spec(telegram: FakeTelegram, model: FakeOpenAI, **more: Any) -> dict[str, Any]:
    """A spec with Telegram and the scripted model."""
    return {
        "platforms": {
            "telegram": {"tokenSecretRef": {"name": "bot", "key": "telegram"}, "apiBaseUrl": telegram.url},
        },
        "llm": {
            "baseUrl": model.base_url, "model": "scripted", "timeoutSeconds": 5, "stallSeconds": 5,
            "apiKeySecretRef": {"name": "bot", "key": "model"},
        },
        "gateway": {"concurrency": 0},
        "personas": [
            {"name": "consultant", "title": "Consultant", "prompt": "You are a consultant."},
            {"name": "pirate", "title": "Pirate", "prompt": "You are a pirate."},
        ],
        **more,
    }  # fmt: skip


def secrets(telegram: FakeTelegram) -> dict[str, str]:
    """What the Secret holds."""
    return {"telegram": telegram.token, "model": MODEL_KEY}
