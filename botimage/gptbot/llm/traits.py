"""What is learned of an endpoint by asking it, and holds for all that is asked afterwards."""

from __future__ import annotations

from dataclasses import dataclass

_DOUBTED = 3
"""Answers in a row without thoughts, after which one is not held back for their end any more."""


@dataclass(slots=True)
class Traits:
    """Those of one endpoint."""

    unopened: int = 0
    """Above 0: its answers begin with thoughts whose opening stands in the prompt, so that only their end is seen. So
    many answers without thoughts, and it is taken to think no more."""

    def answered(self, *, unopened: bool) -> None:
        """Take in whether an answer began with such thoughts."""
        self.unopened = _DOUBTED if unopened else max(0, self.unopened - 1)
