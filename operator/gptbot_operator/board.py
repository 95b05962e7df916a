"""What people say of a rollout, and what it says to them: annotations of the Lease that the leader renews anyway.

So a pause outlasts the operator, and neither takes a request or a right that the leader has not got for its Lease.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

PAUSE_ANNOTATION = "gptbot.dev/rollout"
"""`paused`: nothing is begun."""
EXCUSED_ANNOTATION = "gptbot.dev/rollout-excused"
"""Marks of failures, separated by commas, that hold up nothing any more."""
STATUS_ANNOTATION = "gptbot.dev/rollout-status"
"""How the rollout stands, as JSON."""
_MARK = re.compile(r"[0-9a-f]{8}")


class Board:
    """The annotations, as they were when the Lease was read last. Without a Lease nobody can say anything."""

    def __init__(self) -> None:
        self.paused = False
        self.excused: frozenset[str] = frozenset()
        self.report: Callable[[], str] | None = None
        """Gives the status; None: nothing is known yet."""

    def read(self, annotations: Mapping[str, str]) -> None:
        """Take over what people said."""
        self.paused = annotations.get(PAUSE_ANNOTATION) == "paused"
        self.excused = frozenset(filter(_MARK.fullmatch, annotations.get(EXCUSED_ANNOTATION, "").split(",")))

    def written(self) -> dict[str, str]:
        """The annotations to write."""
        return {} if self.report is None else {STATUS_ANNOTATION: self.report()}
