"""Runs a fake Discord by itself: `python -m tests.fakes.discord --host 0.0.0.0 --port 8082 --token TOKEN`."""

from __future__ import annotations

import argparse
import asyncio
import signal

from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.settings import Settings


async def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8082)
    parser.add_argument("--token", action="append", default=[], help="make a bot with this token; may be given again")
    parser.add_argument("--no-rate-limits", action="store_true")
    arguments = parser.parse_args()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings = Settings(rate_limits=not arguments.no_rate_limits)
    async with FakeDiscord(arguments.host, arguments.port, settings) as discord:
        for token in arguments.token:
            await discord.add_bot(token=token)
        print(f"Discord at {discord.url}, control at {discord.control_url}/control/", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
