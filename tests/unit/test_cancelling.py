"""The loop's exception handler tells a watch that could not be closed tidily from a real error."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import uvloop

from gptbot_operator.cancelling import quiet_closing


async def _watch() -> AsyncIterator[int]:
    try:
        yield 1
    finally:
        raise RuntimeError("generator didn't stop after athrow()")


async def _left_to_the_loop() -> None:
    """Left suspended, and closed by `shutdown_asyncgens`."""
    asyncio.get_running_loop().set_exception_handler(quiet_closing)
    watch = _watch()
    await anext(watch)
    _KEPT.append(watch)


async def _left_to_the_collector() -> None:
    """Collected as garbage, and closed by a task of the loop's hook."""
    asyncio.get_running_loop().set_exception_handler(quiet_closing)
    watch = _watch()
    await anext(watch)
    del watch
    gc.collect()
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(tasks)
    gc.collect()


async def _a_real_error() -> None:
    async def fail() -> None:
        raise ValueError("a real error")

    asyncio.get_running_loop().set_exception_handler(quiet_closing)
    task = asyncio.ensure_future(fail())
    await asyncio.wait({task})
    del task
    gc.collect()


_KEPT: list[Any] = []


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize(("program", "told"), [(_left_to_the_loop, 0), (_left_to_the_collector, 0), (_a_real_error, 1)])
def test_only_real_errors_are_told(
    run: Callable[[Coroutine[Any, Any, None]], None],
    program: Callable[[], Coroutine[Any, Any, None]],
    told: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="asyncio"):
        run(program())
    assert len(caplog.records) == told
