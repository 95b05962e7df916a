"""`python -m tests.fakes.telegram`: the server by itself, until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import signal

from tests.fakes.telegram.server import TOKEN, FakeTelegram


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.telegram", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--token", default=TOKEN, help="the only token it knows")
    parser.add_argument("--username", default="gptbot_test_bot")
    parser.add_argument("--webhook-retry", type=float, default=1.0, help="seconds to the first retry")
    parser.add_argument("--no-rate-limits", action="store_true", help="never answer 429 by itself")
    parser.add_argument("--bot-api", default="10.0", help="the version of the Bot API that it has")
    given = parser.parse_args()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    fake = FakeTelegram(
        token=given.token, username=given.username, host=given.host, port=given.port,
        webhook_retry=given.webhook_retry, rate_limits=not given.no_rate_limits,
    )  # fmt: skip
    major, _, minor = given.bot_api.partition(".")
    await fake.set_bot_api(int(major), int(minor or 0))
    async with fake:
        print(f"fake Bot API server on {fake.url}", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
