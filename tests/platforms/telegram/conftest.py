"""A fake Bot API server with one person and one group in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.fakes.telegram import FakeTelegram
from tests.platforms.telegram.harness import ADA, BOB, GROUP


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    """The server; retries of webhooks come quickly."""
    async with FakeTelegram(webhook_retry=0.05) as server:
        await server.add_user(ADA, "Ada", language_code="ru")
        await server.add_user(BOB, "Bob", username="bob_the_user")
        await server.add_group(GROUP, "Workshop")
        yield server
