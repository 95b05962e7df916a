"""Rate limits as the Bots FAQ tells them: a chat 1/s with short bursts, a group 20 a minute, 30/s in all."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable


class RateModel:
    """Says how long a send has to wait. Constant time and memory a chat."""

    def __init__(
        self,
        *,
        chat_interval: float = 1.0,
        chat_burst: int = 3,
        group_messages: int = 20,
        group_window: float = 60.0,
        total_rate: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chat_interval, self._chat_burst = chat_interval, chat_burst
        self._group_messages, self._group_window = group_messages, group_window
        self._total_interval, self._total_burst = 1 / total_rate, total_rate
        self._clock = clock
        self._chats: dict[int, float] = {}
        self._groups: dict[int, deque[float]] = {}
        self._total = 0.0

    def take(self, chat_id: int, *, group: bool) -> int:
        """0: go ahead, it was counted. Else: seconds until it may be tried again; it was not counted."""
        now = self._clock()
        # Generic cell rate algorithm: when the bucket would be empty again, for the chat and for all.
        chat = max(self._chats.get(chat_id, 0.0), now)
        total = max(self._total, now)
        wait = max(
            chat - now - (self._chat_burst - 1) * self._chat_interval,
            total - now - (self._total_burst - 1) * self._total_interval,
        )
        window = self._groups.setdefault(chat_id, deque()) if group else None
        if window is not None:
            while window and window[0] <= now - self._group_window:
                window.popleft()
            if len(window) >= self._group_messages:
                wait = max(wait, window[0] + self._group_window - now)
        if wait > 1e-9:
            return max(1, math.ceil(wait))
        self._chats[chat_id] = chat + self._chat_interval
        self._total = total + self._total_interval
        if window is not None:
            window.append(now)
        return 0
