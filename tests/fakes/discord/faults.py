"""Trouble on demand: the next calls of a route fail in a way that was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

FaultKind = Literal["answer", "answer_after", "close_before", "close_after", "stall_before", "stall_after"]


@dataclass(slots=True)
class Fault:
    """What happens instead of, before or after the call."""

    kind: FaultKind
    """`answer`: this status and body, without doing anything. `answer_after`: the same, but the call was done.
    `close_…`: the connection is cut, before or after the call was done. `stall_…`: nothing happens for `seconds`, and
    then the call is done (`stall_before`), or it is done at once and only the answer is late (`stall_after`)."""
    count: int = 1
    """How many calls it hits."""
    status: int = 500
    body: Any = None
    """JSON, or a string that is sent as HTML (a proxy's, say). None: Discord's own words for the status."""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    seconds: float = 0.0
    channel: str | None = None
    """Only calls about this channel."""


class Faults:
    """Faults waiting for their calls, by the route's name. `*` is any route."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Fault]] = {}

    def add(self, route: str, fault: Fault) -> None:
        """Let the next calls of a route fail. Faults of one route come after each other."""
        self._waiting.setdefault(route, []).append(fault)

    def clear(self) -> None:
        """No more trouble."""
        self._waiting.clear()

    def waiting(self, route: str) -> bool:
        """Whether a fault still waits for a call of this route."""
        return bool(self._waiting.get(route))

    def take(self, route: str, channel: str | None) -> Fault | None:
        """The fault for this call, if there is one."""
        if not self._waiting:
            return None
        for name in (route, "*"):
            faults = self._waiting.get(name, [])
            for fault in faults:
                if fault.channel is None or fault.channel == channel:
                    fault.count -= 1
                    if fault.count <= 0:
                        faults.remove(fault)
                    return fault
        return None
