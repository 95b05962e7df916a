"""Where a request comes from: the address of whoever asks, behind proxies that are trusted, and how often it asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from starlette.requests import Request

_LONGEST = 4096
_MOST = 20_000
_MINUTE = 60.0


def client_address(request: Request, trusted_proxies: int) -> str:
    """The address a request is counted for: IPv4, or the /64 of an IPv6 address, which is one customer's.

    `X-Forwarded-For` is read from the right, as each proxy appends the address it saw: of two trusted ones, the second
    from the right is the client's. What stands further left was sent by the client. Malformed: the peer's address.
    """
    peer = request.client.host if request.client else ""
    seen = _forwarded(request, trusted_proxies) if trusted_proxies else None
    return _network(seen or _parse(peer)) or peer


def _forwarded(request: Request, trusted_proxies: int) -> IPv4Address | IPv6Address | None:
    chain = ",".join(request.headers.getlist("x-forwarded-for"))[-_LONGEST:]
    if not chain:
        return None
    entries = chain.rsplit(",", trusted_proxies)
    return _parse(entries[-min(trusted_proxies, len(entries))].strip())


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An address as peers and proxies write it: some add the port."""
    if len(text) > 60:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _network(address: IPv4Address | IPv6Address | None) -> str | None:
    match address:
        case IPv6Address(ipv4_mapped=IPv4Address() as mapped):
            return str(mapped)
        case IPv6Address():
            return str(IPv6Network((int(address) >> 64 << 64, 64)))
        case IPv4Address():
            return str(address)
        case _:
            return None


@dataclass(slots=True)
class _Count:
    minute: int
    now: int = 0
    before: int = 0


class PerMinute:
    """At most so many of something in a minute, for each of many.

    A sliding window of two counters: those of this minute, and of the one before by the part of it that is not over
    yet. Beyond `_MOST` of them, those who have not come for longest are forgotten.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`most` 0: no limit. `clock` gives seconds."""
        self._most = most
        self._clock = clock
        self._counts: dict[str, _Count] = {}

    def wait(self, who: str) -> float:
        """Count one of somebody's; above 0, it is one too many, not counted, and may come in so many seconds."""
        if not self._most:
            return 0.0
        minute, passed = divmod(self._clock(), _MINUTE)
        count = self._counts.pop(who, None) or _Count(int(minute))
        self._counts[who] = count
        if len(self._counts) > _MOST:
            del self._counts[next(iter(self._counts))]
        if behind := int(minute) - count.minute:
            count.minute, count.now, count.before = int(minute), 0, count.now if behind == 1 else 0
        if count.now + count.before * (1 - passed / _MINUTE) < self._most:
            count.now += 1
            return 0.0
        if count.now >= self._most:  # in the next minute this one's count is the earlier one
            return _MINUTE - passed + 1.0
        return max(1.0, _MINUTE * (1 - (self._most - count.now) / count.before) - passed)
