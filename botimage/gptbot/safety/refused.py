"""A short memory of who was refused and until when: a flood then costs the gateway a look-up, and the store nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Reason = TypeVar("Reason")

MOST = 10_000
"""Refusals remembered at the same time; beyond it those that were noted first are forgotten, and the store decides."""


@dataclass(frozen=True, slots=True)
class Known(Generic[Reason]):
    """A refusal that holds still."""

    reason: Reason
    left: float
    """Seconds."""


class Refused(Generic[Reason]):
    """The refusals that one process knows of."""

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._most = most
        self._clock = clock
        self._until: dict[str, tuple[float, Reason]] = {}

    def note(self, who: str, reason: Reason, seconds: float) -> None:
        """Somebody is refused for so many seconds."""
        self._until.pop(who, None)
        self._until[who] = (self._clock() + seconds, reason)
        while len(self._until) > self._most:
            del self._until[next(iter(self._until))]

    def get(self, who: str) -> Known[Reason] | None:
        """The refusal of somebody, if it holds still."""
        found = self._until.get(who)
        if found is None:
            return None
        left = found[0] - self._clock()
        if left <= 0:
            del self._until[who]
            return None
        return Known(found[1], left)

    def clear(self) -> None:
        """Forget all."""
        self._until.clear()
