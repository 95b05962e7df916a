"""A timer wheel: thousands of slow streams on one timer, instead of a task and a heap entry each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class TimerWheel:
    """Calls back at about the time asked for, a tick late at most. Idle when there is nothing to call."""

    def __init__(self, tick: float = 0.005) -> None:
        """`tick`: seconds."""
        self._tick = tick
        self._slots: dict[int, list[Callable[[], None]]] = {}
        self._at = 0
        self._timer: asyncio.TimerHandle | None = None

    def call_at(self, when: float, callback: Callable[[], None]) -> None:
        """Call at `when` on the loop's clock."""
        slot = int(when / self._tick) + 1
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._at = int(loop.time() / self._tick)
            self._timer = loop.call_at((self._at + 1) * self._tick, self._turn)
        self._slots.setdefault(max(slot, self._at + 1), []).append(callback)

    def close(self) -> None:
        """Call nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._slots.clear()

    def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        now = int(loop.time() / self._tick)
        due: list[Callable[[], None]] = []
        while self._at < now:
            self._at += 1
            due += self._slots.pop(self._at, ())
        for callback in due:
            callback()
        self._timer = loop.call_at((self._at + 1) * self._tick, self._turn) if self._slots else None
