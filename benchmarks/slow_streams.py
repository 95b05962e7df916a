"""One worker with 1,000 slow streams at once: how late its answers are, and how much memory they take.

The web page's sender is used, because it has no limit of its own: answers go to streams of the store.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import sys

import psutil

from benchmarks.results import Target, finish
from benchmarks.scene import percentile, question, scene
from tests.process.program import Program, program

CONVERSATIONS = 1000
TOKENS = 60
RATE = 5.0  # tokens a second
IDEAL = (TOKENS - 1) / RATE
"""Seconds from the first token of an answer, which comes at once, to its last."""
ARRIVALS = 250  # messages a second: all are in flight long before the first is answered
TARGETS = [Target("slow_streams_1000_p99_ratio_to_ideal", 1.15)]


async def _in_flight(worker: Program) -> int:
    _, page = await worker.get("/metrics")
    found = re.search(r"^gptbot_turns_in_flight\{[^}]*\} (\S+)$", page, re.MULTILINE)
    return int(float(found[1])) if found else 0


async def _memory(worker: Program) -> float:
    """MiB of the worker once all conversations are in flight, the largest seen until one ends."""
    process, most = psutil.Process(worker.process.pid), 0.0
    while True:
        await asyncio.sleep(0.5)
        if await _in_flight(worker) == CONVERSATIONS:
            most = max(most, process.memory_info().rss / 2**20)
        elif most:
            return most


async def _once() -> dict[str, float]:
    names = [f"conversation{number:015}" for number in range(CONVERSATIONS)]
    async with scene(RATE) as world:
        file = world.manifest({"web": {}}, {}, CONVERSATIONS)
        async with program("worker", "--manifest", file, store=world.store_url) as worker:
            await worker.ready()
            idle = psutil.Process(worker.process.pid)
            before = idle.memory_info().rss / 2**20
            memory = asyncio.create_task(_memory(worker))
            asked: list[float] = []
            for name in names:
                asked.append(await world.ask(name, question(TOKENS, name)))
                await asyncio.sleep(1 / ARRIVALS)
            async with asyncio.timeout(120):
                most = await memory
            await world.drained(120)
            cpu = idle.cpu_times()
            times = [await world.answered(name, name) - at for name, at in zip(names, asked, strict=True)]
    return {
        "slow_streams_1000_p50_ratio_to_ideal": percentile(times, 50) / IDEAL,
        "slow_streams_1000_p99_ratio_to_ideal": percentile(times, 99) / IDEAL,
        "slow_streams_1000_cpu_seconds": cpu.user + cpu.system,
        "rss_mib_1000_conversations": most,
        "rss_kib_per_conversation": (most - before) * 1024 / CONVERSATIONS,
    }


def main(runs: int = 5) -> int:
    """Print, write, check."""
    print(f"one worker, {CONVERSATIONS} streams of {TOKENS} tokens at {RATE:g} tokens/s, median of {runs}")
    found = [asyncio.run(_once()) for _ in range(runs)]
    return finish({key: statistics.median(run[key] for run in found) for key in found[0]}, TARGETS)


if __name__ == "__main__":
    sys.exit(main())
