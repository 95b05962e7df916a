"""What holds the event loop up is told, with the name of its task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from gptbot.telemetry import metrics, watchdog
from gptbot.telemetry.watchdog import Stall
from tests.process.program import until


def _sleeps() -> None:
    time.sleep(0.6)


def _computes() -> None:
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        sorted(range(200_000), key=lambda number: -number)


@pytest.mark.parametrize("hold", [_sleeps, _computes])
async def test_a_stall_is_told_with_its_task_and_place(hold: Callable[[], None]) -> None:
    told: list[Stall] = []

    async def named() -> None:
        hold()

    with watchdog.watch(told.append):
        await asyncio.create_task(named(), name="a turn")
        await until(lambda: [stall for stall in told if stall.task == "a turn"])
    stall = next(stall for stall in told if stall.task == "a turn")
    assert stall.seconds > watchdog.LONGEST
    assert f"{__file__.rpartition('/')[2]}:" in stall.at


async def test_a_callback_without_a_task_is_told_by_its_place() -> None:
    told: list[Stall] = []
    with watchdog.watch(told.append):
        asyncio.get_running_loop().call_soon(_sleeps)
        await until(lambda: [stall for stall in told if "test_watchdog.py" in stall.at and stall.task == "none"])


async def test_a_shorter_stall_is_not_told() -> None:
    told: list[Stall] = []
    with watchdog.watch(told.append, longest=30):
        await asyncio.sleep(0.2)
        _sleeps()
        await asyncio.sleep(0.3)
    assert told == []


async def test_a_stall_is_counted_and_logged() -> None:
    before = _count()
    with capture_logs() as logged, watchdog.watch():
        await asyncio.sleep(0.2)
        _sleeps()
        await until(lambda: _count() > before and logged)
    line = logged[-1]
    assert line["event"] == "the event loop stood still; what waited for it goes on now"
    assert line["seconds"] > watchdog.LONGEST
    assert {"task", "at"} <= line.keys()


def test_it_ends_with_the_loop() -> None:
    async def leaves_it() -> Any:
        watching = watchdog.watch()
        watching.__enter__()
        return watching

    watching = asyncio.run(leaves_it())
    watching.__exit__(None, None, None)


def _count() -> float:
    samples = next(iter(metrics.LOOP_STALL_SECONDS.collect())).samples
    return next(sample.value for sample in samples if sample.name.endswith("_count"))
