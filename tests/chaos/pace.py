"""Lets questions and troubles go side by side: neither runs away from the other."""

from __future__ import annotations

import asyncio

_AHEAD = 2
"""Shares of the questions that may be asked before the trouble that belongs to them is over."""


class Pace:
    """Troubles are spread evenly over the questions."""

    def __init__(self, messages: int, troubles: int) -> None:
        self._messages = messages
        self._share = messages / (troubles + 1)
        self._troubles = troubles
        self._over = 0
        self._changed = asyncio.Condition()
        self.asked = 0

    async def may_ask(self, count: int) -> None:
        """Wait until so many questions may be asked."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: self._over == self._troubles or self.asked < (self._over + _AHEAD) * self._share
            )
            self.asked += count
            self._changed.notify_all()

    async def due(self) -> None:
        """Wait until the next trouble's time has come."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.asked >= min(self._messages, (self._over + 1) * self._share))

    async def over(self) -> None:
        """A trouble is over."""
        async with self._changed:
            self._over += 1
            self._changed.notify_all()
