"""The budget of session starts: Discord resets the token of a bot that exceeds it (docs/events/gateway)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from gptbot.platforms.discord.client import GatewayInfo
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)

LOW: Final = 50
"""Starts left at which it is told, and at which a shard spreads its further ones over the time until there are more."""
LOW_BUDGET: Final = "IdentifyBudgetLow"
_LOOK_AGAIN: Final = 600.0


@dataclass(slots=True)
class SessionStarts:
    """Of one shard in this process."""

    info: Callable[[], Awaitable[GatewayInfo]]
    """Asks Discord how many are left."""
    permit: Callable[[int], Awaitable[None]]
    """Waits for a turn among all gateways of the bot, given `max_concurrency`."""
    report: Callable[[bool, str, str], None]
    """Whether it is connected, and what is wrong: the reason in one word, and for a person."""
    max_concurrency: int
    note: str = field(default="", init=False)
    """What is to be said of the budget while all else is well."""
    _last: float | None = field(default=None, init=False)

    async def admit(self) -> None:
        """Return when the shard may IDENTIFY. Raises what `info` does."""
        while True:
            await self.permit(self.max_concurrency)
            info = await self.info()
            self.max_concurrency = info.max_concurrency
            wait, reason, message = self._judge(info)
            if wait <= 0:
                self._last = time.monotonic()
                return
            self.report(False, reason, message)
            await asyncio.sleep(min(wait, _LOOK_AGAIN))

    def _judge(self, info: GatewayInfo) -> tuple[float, str, str]:
        """Seconds to wait, and why: in one word, and for a person."""
        self.note = ""
        # Shards of other groups may start at this moment: with as many left as there are groups, none is one too many.
        if info.remaining < max(1, info.max_concurrency):
            wait = max(1.0, info.reset_after)
            text = f"no session starts are left for today; Discord gives new ones in {wait / 3600:.1f} h"
            return wait, "IdentifyBudgetSpent", text
        if info.remaining > LOW:
            return 0.0, "", ""
        self.note = f"only {info.remaining - 1} session starts are left for {info.reset_after / 3600:.1f} h"
        log.warning("few session starts are left for today", remaining=info.remaining)
        if self._last is None:
            return 0.0, "", ""
        wait = self._last + info.reset_after / info.remaining - time.monotonic()
        text = f"{info.remaining} session starts are left; the next one is in {max(0.0, wait) / 60:.0f} min"
        return wait, LOW_BUDGET, text
