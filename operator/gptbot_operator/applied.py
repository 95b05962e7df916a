"""What was applied of one bot, so that a look that finds nothing new writes nothing."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from gptbot_operator.cache import Observed
from gptbot_operator.desired.children import Identity
from gptbot_operator.refusals import Refusals


@dataclass(slots=True)
class Applied:
    """Lost at a restart: no harm."""

    done: dict[Identity, bytes] = field(default_factory=dict[Identity, bytes])
    """Digests of the manifest, and of what the API server made of it."""
    absent: set[Identity] = field(default_factory=set[Identity])
    """Children that are not wanted and not there."""
    refusals: Refusals = field(default_factory=Refusals)
    """Children that could not be applied."""

    def begin(self, generation: int, *, everything: bool) -> None:
        """A look begins; `everything`: it asks the API server itself."""
        self.refusals.begin(generation)
        if everything:
            self.done.clear()
            self.absent.clear()

    def is_done(self, identity: Identity, wanted: str, there: Observed) -> bool:
        """Whether a manifest of that digest was applied, and what came of it is as it was."""
        return self.done.get(identity) == _both(wanted, there)

    def differs(self, identity: Identity, wanted: str) -> bool:
        """Whether a manifest of another digest was applied last: this one changes something for certain."""
        before = self.done.get(identity)
        return before is not None and not before.startswith(bytes.fromhex(wanted))

    def note(self, identity: Identity, wanted: str, there: Observed) -> None:
        """It was applied, or need not be."""
        self.done[_interned(identity)] = _both(wanted, there)

    def lacks(self, identity: Identity) -> None:
        """It is not wanted and not there."""
        self.absent.add(_interned(identity))


def _both(wanted: str, there: Observed) -> bytes:
    return bytes.fromhex(wanted) + there.fingerprint


def _interned(identity: Identity) -> Identity:
    """Names are kept once, however many objects of a bot share them."""
    kind, name = identity
    return sys.intern(kind), sys.intern(name)
