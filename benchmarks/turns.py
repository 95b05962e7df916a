"""Turns a second with a model that answers at once: one worker, and two, each a process with one event loop.

All messages are in the store before the workers start; what is counted is the middle, when all of them are at work.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from contextlib import AsyncExitStack

import psutil

from benchmarks.results import finish
from benchmarks.scene import question, scene
from tests.process.program import program

TURNS = 3000
FIRST, LAST = 0.3, 0.9
"""The part of the answers that is looked at: not the start of the processes, not the last few."""


async def once(workers: int) -> tuple[float, float]:
    """Turns a second, and milliseconds of the workers' CPU a turn."""
    names = [f"conversation{number:015}" for number in range(TURNS)]
    async with scene(0) as world, AsyncExitStack() as stack:
        for start in range(0, TURNS, 100):
            await asyncio.gather(*(world.ask(name, question(20, name)) for name in names[start : start + 100]))
        file = world.manifest({"web": {}}, {})
        begun = [
            await stack.enter_async_context(program("worker", "--manifest", file, store=world.store_url))
            for _ in range(workers)
        ]
        for worker in begun:
            await worker.ready()
        looks = [psutil.Process(worker.process.pid) for worker in begun]
        before = sum(sum(look.cpu_times()[:2]) for look in looks)
        left = int(await world.store.command("XLEN", "{default/bot}:runnable"))
        await world.drained(120)
        spent = sum(sum(look.cpu_times()[:2]) for look in looks) - before
        times = sorted([await world.answered(name, name) for name in names])
    first, last = int(TURNS * FIRST), int(TURNS * LAST)
    return (last - first) / (times[last] - times[first]), spent / left * 1000


def main(runs: int = 5) -> int:
    """Print, write."""
    print(f"turns a second with a model that answers at once, median of {runs}")
    one = [asyncio.run(once(1)) for _ in range(runs)]
    two = [asyncio.run(once(2)) for _ in range(runs)]
    figures = {
        "turns_per_s_1_worker": statistics.median(rate for rate, _ in one),
        "turns_per_s_2_workers": statistics.median(rate for rate, _ in two),
        "turns_worker_cpu_ms_per_turn": statistics.median(cpu for _, cpu in one),
    }
    figures["turns_ratio_2_workers_to_1"] = figures["turns_per_s_2_workers"] / figures["turns_per_s_1_worker"]
    return finish(figures, [])


if __name__ == "__main__":
    sys.exit(main())
