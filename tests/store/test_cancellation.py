"""A blocking command ends at once when its task is cancelled, wherever it is just then."""

from __future__ import annotations

import asyncio

import pytest

from gptbot.inbox.store import Store


@pytest.mark.parametrize("ticks", range(0, 60, 2))
async def test_cancelling_a_blocking_command(store_url: str, ticks: int) -> None:
    for _ in range(4):
        async with Store.connect(store_url) as store:
            task = asyncio.create_task(store.block("XREAD", "BLOCK", 5000, "STREAMS", "nothing", "0-0", timeout=10))
            for _ in range(ticks):
                await asyncio.sleep(0)  # connecting, greeting and sending take a few dozen turns of the loop
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=2)
            assert done, "the cancellation was lost"
            assert task.cancelled()
