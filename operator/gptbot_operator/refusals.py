"""Children that cannot be applied now: each is tried again after a pause of its own, whatever happens meanwhile.

The pause is the child's and not the bot's. A look has many causes, and some of them are what an earlier look has done:
a Deployment that was applied changes its status, and so its bot is looked at again. What is refused is left alone
in such a look, and everything else of the bot is as quick as ever.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from gptbot_operator.desired.children import Identity

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds between two tries of a child; a pause is twice the one before it. Eight tries in the first minute at most."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a child is not as it should be."""

    text: str
    """A line that names the child."""
    conflict: bool = False
    """Somebody else has its name."""


@dataclass(slots=True)
class _Refusal:
    fault: Fault
    uid: str | None
    """Of the child when it was tried, None: there was none."""
    pause: float
    next_at: float


@dataclass(slots=True)
class Refusals:
    """Of one bot."""

    clock: Callable[[], float] = time.monotonic
    _generation: int = 0
    _of: dict[Identity, _Refusal] = field(default_factory=dict[Identity, _Refusal])

    def begin(self, generation: int) -> None:
        """A look begins. Another spec may be the remedy: with it, everything is tried at once."""
        if generation != self._generation:
            self._generation = generation
            self._of.clear()

    def held(self, identity: Identity, uid: str | None) -> Fault | None:
        """Why a child is not to be tried now; None: it may be. One that came or went since the last try may be."""
        refusal = self._of.get(identity)
        if refusal is None or refusal.uid != uid or self.clock() >= refusal.next_at:
            return None
        return refusal.fault

    def note(self, identity: Identity, uid: str | None, fault: Fault) -> None:
        """A try has failed."""
        before = self._of.get(identity)
        pause = FIRST_PAUSE if before is None else min(before.pause * 2, LONGEST_PAUSE)
        self._of[identity] = _Refusal(fault, uid, pause, self.clock() + pause * random.uniform(0.8, 1.2))

    def lift(self, identity: Identity) -> None:
        """A try went well."""
        self._of.pop(identity, None)

    def keep(self, faulty: Collection[Identity]) -> None:
        """Forget all others: those are not looked at any more."""
        for identity in self._of.keys() - set(faulty):
            del self._of[identity]

    def forget(self) -> None:
        """Somebody has mended things by hand: everything is tried at once."""
        self._of.clear()

    def next_in(self) -> float | None:
        """Seconds until the next child is to be tried again; None: all are well."""
        if not self._of:
            return None
        return max(0.0, min(refusal.next_at for refusal in self._of.values()) - self.clock())
