"""A queue of keys for level-based control: each key at most once, never in two hands, with backoff and delays."""

from __future__ import annotations

import asyncio
import random
from collections import deque


class WorkQueue:
    """Keys to look at.

    A key that is added while it is being worked on comes again afterwards; added twice before that, it comes once. Of
    several delays of a key the shortest counts.
    """

    def __init__(self, *, base_delay: float = 0.5, max_delay: float = 60.0) -> None:
        self._base_delay = base_delay
        self._max_delay = max_delay
        self._ready: deque[str] = deque()
        self._waiting: set[str] = set()
        self._active: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._failures: dict[str, int] = {}
        self._nudged: set[str] = set()
        """Keys that wait because of a nudge alone, while they are being worked on."""
        self._wakeup = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: str) -> None:
        """A key needs a look now."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        self._nudged.discard(key)
        if key in self._waiting:
            return
        self._waiting.add(key)
        if key not in self._active:
            self._ready.append(key)
            self._wakeup.set()

    def nudge(self, key: str) -> None:
        """A key needs a look now, unless its last one went wrong: then when its delay is over.

        For what may have been caused by a look. A look at the key that is under way now may go wrong as well.
        """
        if key in self._active and key not in self._waiting:
            self._waiting.add(key)
            self._nudged.add(key)
        elif key not in self._timers or key not in self._failures:
            self.add(key)

    def add_after(self, key: str, seconds: float) -> None:
        """A key needs a look in so many seconds, if none comes before."""
        if key in self._waiting:
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + seconds
        if timer := self._timers.get(key):
            if timer.when() <= when:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(when, self.add, key)

    def retry(self, key: str) -> float:
        """A look went wrong: again after a delay that doubles each time. Returns it, in seconds."""
        if key in self._nudged:
            self._nudged.discard(key)
            self._waiting.discard(key)
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(self._max_delay, self._base_delay * 2 ** min(failures, 30)) * random.uniform(0.8, 1.2)
        self.add_after(key, delay)
        return delay

    def succeeded(self, key: str) -> None:
        """A look went well: the next failure starts with the shortest delay."""
        self._failures.pop(key, None)

    async def take(self) -> str:
        """The next key; `done` must follow."""
        while not self._ready:
            self._wakeup.clear()
            await self._wakeup.wait()
        key = self._ready.popleft()
        self._waiting.discard(key)
        self._active.add(key)
        return key

    def done(self, key: str) -> None:
        """The look is over, whatever came of it."""
        self._active.discard(key)
        self._nudged.discard(key)
        if key in self._waiting:
            self._ready.append(key)
            self._wakeup.set()
