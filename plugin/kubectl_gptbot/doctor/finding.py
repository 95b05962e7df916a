"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Level = Literal["ok", "note", "wrong", "unseen"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is so, and what to do about it."""

    level: Level
    what: str
    fix: str = ""
    check: str = ""
    """The check that found it."""

    def of(self, check: str) -> Finding:
        """The same, with the name of the check."""
        return replace(self, check=check)

    def document(self) -> dict[str, str]:
        """For scripts."""
        return {"check": self.check, "level": self.level, "what": self.what, "fix": self.fix}


def ok(what: str) -> Finding:
    """As it should be."""
    return Finding("ok", what)


def note(what: str, fix: str = "") -> Finding:
    """Worth knowing; may be meant."""
    return Finding("note", what, fix)


def wrong(what: str, fix: str) -> Finding:
    """Wrong, and what to do."""
    return Finding("wrong", what, fix)


def unseen(what: str) -> Finding:
    """Not allowed to look."""
    return Finding("unseen", f"cannot look at {what}: your rights do not reach that far")
