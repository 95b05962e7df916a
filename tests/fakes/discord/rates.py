"""Rate limits (docs/topics/rate-limits): buckets by route and channel, 50 requests/s, 10,000 refusals in 10 min."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

GLOBAL_LIMIT: Final = 50
INVALID_LIMIT: Final = 10_000
_INVALID_WINDOW: Final = 600.0
_MANY: Final = 10_000


@dataclass(slots=True)
class Window:
    """A fixed window of time and what is left in it."""

    limit: int
    left: int
    ends: float

    def headers(self, bucket: str, now: float) -> dict[str, str]:
        """What Discord tells of a bucket."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.left)),
            "X-RateLimit-Reset": f"{time.time() + self.ends - now:.3f}",
            "X-RateLimit-Reset-After": f"{max(0.0, self.ends - now):.3f}",
            "X-RateLimit-Bucket": bucket,
        }


class RateModel:
    """Constant time a request; forgets what is long over."""

    def __init__(self) -> None:
        self._windows: OrderedDict[tuple[str, str, str], Window] = OrderedDict()
        self._invalid = Window(INVALID_LIMIT, INVALID_LIMIT, 0.0)
        self.refused = 0
        """Requests answered 429 so far."""

    def take(self, key: tuple[str, str, str], limit: int, seconds: float) -> tuple[bool, Window]:
        """Take a place in a bucket; whether there was one."""
        now = time.monotonic()
        window = self._windows.get(key)
        if window is None or now >= window.ends:
            window = self._windows[key] = Window(limit, limit, now + seconds)
            self._windows.move_to_end(key)
            while len(self._windows) > _MANY:
                self._windows.popitem(last=False)
        if window.left <= 0:
            self.refused += 1
            return False, window
        window.left -= 1
        return True, window

    def count_invalid(self) -> None:
        """Count an answer 401, 403 or 429."""
        now = time.monotonic()
        if now >= self._invalid.ends:
            self._invalid = Window(INVALID_LIMIT, INVALID_LIMIT, now + _INVALID_WINDOW)
        self._invalid.left -= 1

    @property
    def banned(self) -> bool:
        """Whether Cloudflare shuts the address out."""
        return self._invalid.left < 0 and time.monotonic() < self._invalid.ends
