"""What it takes to start a gateway and a worker: CPU seconds and memory until they are ready, and slow imports.

Compared with a process that only imports discord.py, aiogram, openai and redis: what a bot of one piece would load.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from benchmarks.results import Target, finish
from gptbot.embedded.child import free_port
from gptbot.embedded.valkey import EmbeddedValkey

SLOW_MS = 50
"""Imports slower than this are named."""
BASELINE = "import discord, aiogram, openai, redis.asyncio"
TARGETS = [Target("worker_cold_start_cpu_ratio", 0.35), Target("worker_cold_start_rss_ratio", 0.5)]

# Nobody listens at port 9: what is loaded is what a real bot loads, and nothing leaves the machine.
MANIFEST = """
apiVersion: gptbot.dev/v1alpha1
kind: GptBot
metadata: {name: bench}
spec:
  platforms:
    telegram: {tokenSecretRef: {name: bench, key: telegram}, apiBaseUrl: "http://127.0.0.1:9"}
    discord: {tokenSecretRef: {name: bench, key: discord}, apiBaseUrl: "http://127.0.0.1:9/api/v10"}
    web: {enabled: true}
  llm: {baseUrl: "http://127.0.0.1:9/v1", model: none}
  personas: [{name: helper, prompt: Be brief.}]
---
apiVersion: v1
kind: Secret
metadata: {name: bench}
stringData: {telegram: "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", discord: MTIz.YWJj.ZGVm}
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process from its start until it is ready."""

    cpu_seconds: float
    rss_mib: float


async def measure(command: list[str], environment: Mapping[str, str], ready: str) -> tuple[Cost, str]:
    """Start a process, wait until it is ready, look, and end it; also returns what it wrote on stderr.

    `ready`: an address that answers 200, or empty: the process prints a line.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(120):
            if ready:
                await _answers(ready, process)
            elif not await process.stdout.readline():
                raise RuntimeError(f"{command} ended: {(await errors).decode()}")
        look = psutil.Process(process.pid)
        cpu, memory = look.cpu_times(), look.memory_info()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    return Cost(cpu.user + cpu.system, memory.rss / 2**20), (await errors).decode(errors="replace")


async def _answers(address: str, process: asyncio.subprocess.Process) -> None:
    async with aiohttp.ClientSession() as http:
        while process.returncode is None:
            try:
                async with http.get(address) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.02)
    raise RuntimeError(f"the process ended with {process.returncode} before {address} answered")


@asynccontextmanager
async def _setting() -> AsyncGenerator[tuple[Path, dict[str, str]]]:
    with tempfile.TemporaryDirectory() as directory:
        manifest = Path(directory) / "bot.yaml"
        manifest.write_text(MANIFEST)
        async with EmbeddedValkey(Path(directory) / "store") as store:
            yield manifest, {"GPTBOT_STORE_URL": store.url, "GPTBOT_PEPPER": "p" * 32}


def _role(role: str, manifest: Path, *flags: str) -> tuple[list[str], str]:
    port = free_port()
    command = [sys.executable, *flags, "-m", "gptbot", role, "--manifest", str(manifest), "--metrics-port", str(port)]
    if role == "gateway":
        command += ["--http-port", str(free_port())]
    return command, f"http://127.0.0.1:{port}/readyz"


def slow_imports(importtime: str) -> list[tuple[str, float, float]]:
    """Name, own and cumulative milliseconds of slow imports in the output of `-X importtime`, slowest first."""
    found: list[tuple[str, float, float]] = []
    for match in re.finditer(r"^import time:\s+(\d+) \|\s+(\d+) \|\s*(\S+)$", importtime, re.MULTILINE):
        own, cumulative = int(match[1]) / 1000, int(match[2]) / 1000
        if cumulative > SLOW_MS:
            found.append((match[3], own, cumulative))
    return sorted(found, key=lambda item: -item[2])


async def run(runs: int) -> dict[str, float]:
    """The figures."""
    costs: dict[str, list[Cost]] = {"baseline": [], "worker": [], "gateway": []}
    async with _setting() as (manifest, environment):
        baseline = [sys.executable, "-c", f"{BASELINE}; print(flush=True); input()"]
        for number in range(runs + 1):
            for name, values in costs.items():
                command, ready = (baseline, "") if name == "baseline" else _role(name, manifest)
                cost, _ = await measure(command, environment, ready)
                if number:  # the first run writes the byte code
                    values.append(cost)
        for role in ("worker", "gateway"):
            command, ready = _role(role, manifest, "-X", "importtime")
            _, errors = await measure(command, environment, ready)
            print(f"imports of a {role} over {SLOW_MS} ms (with what they import, and alone):")
            for name, own, cumulative in slow_imports(errors):
                print(f"  {name:<44} {cumulative:8.0f} ms  {own:8.0f} ms")
    figures: dict[str, float] = {}
    for name, values in costs.items():
        key = "baseline_imports" if name == "baseline" else f"{name}_cold_start"
        figures[f"{key}_cpu_seconds"] = statistics.median(cost.cpu_seconds for cost in values)
        figures[f"{key}_rss_mib"] = statistics.median(cost.rss_mib for cost in values)
    for role in ("worker", "gateway"):
        for what, unit in (("cpu", "seconds"), ("rss", "mib")):
            value = figures[f"{role}_cold_start_{what}_{unit}"]
            figures[f"{role}_cold_start_{what}_ratio"] = value / figures[f"baseline_imports_{what}_{unit}"]
    return figures


def main(runs: int = 5) -> int:
    """Print, write, check."""
    print(f"cold start, median of {runs}; ratios are to a process that does: {BASELINE}")
    return finish(asyncio.run(run(runs)), TARGETS)


if __name__ == "__main__":
    sys.exit(main())
