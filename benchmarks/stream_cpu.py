"""CPU that a streamed chunk costs: gptbot's client, the openai package's, and a bare protocol that only reads bytes.

Each client runs in a process of its own against the same fake in another, so that only its own CPU is counted.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

from benchmarks.results import Target, finish

STREAMS = 50
TOKENS = 100
RATE = 50.0  # tokens a second
TARGETS = [Target("stream_cpu_ratio_to_sdk", 0.25)]
_ROOT = Path(__file__).parent.parent
_MODEL = "bench"
_QUESTION = " ".join(f"w{n}" for n in range(TOKENS - 4))  # the fake says it back, with four words before it

Measure = Callable[[str, int], Awaitable[int]]
"""Base URL and number of streams at once in, number of chunks read out."""


async def gptbot(base_url: str, streams: int, interval: float = 0.05) -> int:
    """Gptbot's client as a worker has it."""
    import aiohttp

    from gptbot.llm.client import ModelClient
    from gptbot.llm.types import Endpoint

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as http:
        client = ModelClient(http, [Endpoint(base_url, "sk-bench", _MODEL)], interval=interval)
        asked = (client.stream([{"role": "user", "content": _QUESTION}], lambda _: None) for _ in range(streams))
        answers = await asyncio.gather(*asked)
    return sum(answer.completion_tokens or 0 for answer in answers)


async def gptbot_each(base_url: str, streams: int) -> int:
    """The same without letting text gather: a wake-up a chunk."""
    return await gptbot(base_url, streams, interval=0.0)


async def sdk(base_url: str, streams: int) -> int:
    """The openai package as its documentation shows it."""
    import openai

    async with openai.AsyncOpenAI(base_url=base_url, api_key="sk-bench") as client:

        async def one() -> int:
            chunks = 0
            stream = await client.chat.completions.create(
                model=_MODEL,
                messages=[{"role": "user", "content": _QUESTION}],
                stream=True,
                stream_options={"include_usage": True},
            )
            async for chunk in stream:
                chunks += bool(chunk.choices and chunk.choices[0].delta.content)
            return chunks

        return sum(await asyncio.gather(*(one() for _ in range(streams))))


class _Reader(asyncio.Protocol):
    def __init__(self, request: bytes) -> None:
        self.request = request
        self.chunks = 0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.WriteTransport, transport).write(self.request)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        self.chunks += data.count(b'"delta":{"content":')
        if data.endswith(b"0\r\n\r\n") and not self.ended.done():
            self.ended.set_result(None)


async def floor(base_url: str, streams: int) -> int:
    """What reading the bytes alone costs."""
    host, port = base_url.removeprefix("http://").removesuffix("/v1").split(":")
    body = json.dumps({"model": _MODEL, "stream": True, "messages": [{"role": "user", "content": _QUESTION}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
    loop = asyncio.get_running_loop()
    readers: list[_Reader] = []
    for _ in range(streams):
        _, reader = await loop.create_connection(lambda: _Reader(head.encode() + body), host, int(port))
        readers.append(reader)
    async with asyncio.timeout(120):
        await asyncio.gather(*(reader.ended for reader in readers))
    return sum(reader.chunks for reader in readers)


CLIENTS: dict[str, Measure] = {"gptbot": gptbot, "gptbot_each": gptbot_each, "sdk": sdk, "floor": floor}


async def _client(name: str, base_url: str) -> float:
    """Microseconds of CPU a chunk, after a warm-up."""
    await CLIENTS[name](base_url, 2)
    started = time.process_time()
    chunks = await CLIENTS[name](base_url, STREAMS)
    spent = time.process_time() - started
    if chunks != STREAMS * TOKENS:
        raise RuntimeError(f"{name} read {chunks} chunks, and {STREAMS * TOKENS} were sent")
    return spent / chunks * 1e6


def run(runs: int) -> dict[str, float]:
    """The figures."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.openai", f"--tokens-per-second={RATE}"],
        cwd=_ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        base_url = server.stdout.readline().strip()
        costs: dict[str, list[float]] = {name: [] for name in CLIENTS}
        for _ in range(runs):
            for name, values in costs.items():
                command = [sys.executable, "-m", "benchmarks.stream_cpu", name, base_url]
                result = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True, timeout=300)
                values.append(float(result.stdout))
    finally:
        server.terminate()
        server.wait()
    cost = {name: statistics.median(values) for name, values in costs.items()}
    return {
        "stream_cpu_us_per_chunk": cost["gptbot"],
        "stream_cpu_us_per_chunk_ungathered": cost["gptbot_each"],
        "stream_cpu_us_per_chunk_sdk": cost["sdk"],
        "stream_cpu_us_per_chunk_floor": cost["floor"],
        "stream_cpu_ratio_to_sdk": cost["gptbot"] / cost["sdk"],
        "stream_cpu_ratio_to_floor": cost["gptbot"] / cost["floor"],
    }


def main(runs: int = 5) -> int:
    """Print, write, check."""
    print(f"CPU a streamed chunk: {STREAMS} streams of {TOKENS} tokens at {RATE:g} tokens/s, median of {runs}")
    return finish(run(runs), TARGETS)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        import uvloop

        print(uvloop.run(_client(sys.argv[1], sys.argv[2])))
    else:
        sys.exit(main())
