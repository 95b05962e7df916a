"""A scripted model, and a room where people talk with a bot that asks it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio

from gptbot.inbox.store import Store
from tests.conversation.room import Room, room
from tests.fakes.openai import FakeOpenAI


@pytest_asyncio.fixture
async def model() -> AsyncGenerator[FakeOpenAI]:
    """A scripted model."""
    async with FakeOpenAI() as fake:
        yield fake


@pytest_asyncio.fixture
async def talk(store: Store, model: FakeOpenAI) -> AsyncGenerator[Room]:
    """A room with a bot that is set up as bots usually are."""
    async with room(store, model) as found:
        yield found
