"""Rate limits as Discord's headers tell them (docs/topics/rate-limits), so that a request is not sent to be refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_ASSUMED_WINDOW = 5.0
"""Seconds a bucket is taken to last when it starts anew, until the next answer's headers say."""
_MANY = 4096


@dataclass(slots=True)
class _Bucket:
    limit: int
    remaining: int
    reset_at: float


class Buckets:
    """The buckets of one bot's requests from this process. A route is its name, and its channel or webhook."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._hashes: dict[str, str] = {}
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._global_until = 0.0

    def take(self, route: tuple[str, str], *, counted: bool = True) -> float:
        """Take a place in the route's bucket: 0.0, or the seconds until there is one.

        `counted`: whether the request counts for the bot's global limit (those of interactions do not).
        """
        now = self._clock()
        if counted and now < self._global_until:
            return self._global_until - now
        bucket = self._buckets.get(self._key(route))
        if bucket is None:
            return 0.0
        if now >= bucket.reset_at:
            bucket.remaining, bucket.reset_at = bucket.limit, now + _ASSUMED_WINDOW
        if bucket.remaining <= 0:
            return bucket.reset_at - now
        bucket.remaining -= 1
        return 0.0

    def learn(self, route: tuple[str, str], headers: Mapping[str, str]) -> None:
        """Note what an answer's headers say of the bucket."""
        try:
            limit, remaining = int(headers["X-RateLimit-Limit"]), int(headers["X-RateLimit-Remaining"])
            reset_at = self._clock() + float(headers["X-RateLimit-Reset-After"])
        except (KeyError, ValueError):
            return
        self._hashes[route[0]] = headers.get("X-RateLimit-Bucket", route[0])
        known = self._buckets.get(self._key(route))
        if known is not None and abs(known.reset_at - reset_at) < 1.0:
            remaining = min(remaining, known.remaining)  # further requests of ours are still under way
        elif len(self._buckets) >= _MANY:
            self._forget_old()
        self._buckets[self._key(route)] = _Bucket(limit, remaining, reset_at)

    def spent(self, route: tuple[str, str]) -> float:
        """Seconds until a route's bucket has a place again; 0.0: it has one."""
        bucket = self._buckets.get(self._key(route))
        return max(0.0, bucket.reset_at - self._clock()) if bucket is not None and bucket.remaining <= 0 else 0.0

    def exhausted(self, route: tuple[str, str], seconds: float, *, everywhere: bool) -> None:
        """Note a 429: nothing goes on this route, or on all of them, for so long."""
        until = self._clock() + seconds
        if everywhere:
            self._global_until = max(self._global_until, until)
        else:
            key = self._key(route)
            known = self._buckets.get(key)
            self._buckets[key] = _Bucket(known.limit if known else 1, 0, until)

    def _key(self, route: tuple[str, str]) -> tuple[str, str]:
        return self._hashes.get(route[0], route[0]), route[1]

    def _forget_old(self) -> None:
        now = self._clock()
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if bucket.reset_at > now}
