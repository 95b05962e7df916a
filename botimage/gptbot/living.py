"""Loops in the background that outlive what goes wrong in a round of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gptbot.telemetry.logs import get_logger

log = get_logger("process")

AFTER_FAILURE = 5.0
"""Seconds until a loop that failed begins again."""


async def persist(name: str, bot: str, work: Callable[[], Awaitable[None]], pause: float | None = None) -> None:
    """Run `work` until it returns; what it raises is logged, and it begins again after `pause` seconds."""
    while True:
        try:
            return await work()
        except Exception as error:
            log.exception("a part of the bot failed; it begins again", exc_info=error, part=name, bot=bot)
        await asyncio.sleep(AFTER_FAILURE if pause is None else pause)
