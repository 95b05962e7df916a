"""The fake as a server: `python -m tests.fakes.openai --host 0.0.0.0 --port 8001`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal

from tests.fakes.openai import FakeOpenAI, Settings


async def serve(host: str, port: int, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; the address is the first line printed."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with FakeOpenAI(settings, host=host, port=port) as fake:
        print(fake.base_url, flush=True)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--api-key", help="the only key taken; without it keys are not looked at")
    parser.add_argument("--tokens-per-second", type=float, default=0.0)
    parser.add_argument("--context-window", type=int, default=128_000)
    given = parser.parse_args()
    settings = Settings(
        api_key=given.api_key, tokens_per_second=given.tokens_per_second, context_window=given.context_window
    )
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    asyncio.run(serve(given.host, given.port, settings))


if __name__ == "__main__":
    main()
