"""How often Python looks for garbage in cycles. A bot leaves next to none, and much of it lives as long as a turn."""

from __future__ import annotations

import gc

THRESHOLDS = (20_000, 20, 20)
"""New objects before the youngest are looked at, and collections before the next older are. With Python's own 700, a
sixth of the CPU that a turn costs its worker went there."""


def tune() -> None:
    """Set the collector up for a process that answers; what is loaded so far is never looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
