"""How long to wait for more, so that what is busy is done in fewer and larger steps."""

from __future__ import annotations

LONGEST = 0.010
"""Seconds between two steps when there is much to do. A step costs as much CPU as some twenty commands in it."""
BUSY = 1000.0
"""Commands or entries a second from which that is so; with fewer, steps follow one another sooner."""
_MEMORY = 0.5
"""Seconds over which the rate is seen."""


class Gathering:
    """When the next step is due: at once while there is little to do."""

    __slots__ = ("_at", "_level", "due")

    def __init__(self) -> None:
        self.due = 0.0
        """On the clock that `took` is told."""
        self._at = 0.0
        self._level = 0.0

    def took(self, count: int, now: float) -> None:
        """So many were in the step that is made now (seconds)."""
        self._level = max(0.0, self._level * (1.0 - (now - self._at) / _MEMORY)) + count
        self._at = now
        self.due = now + LONGEST * min(1.0, self._level / (_MEMORY * BUSY))
