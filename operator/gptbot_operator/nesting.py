"""Objects nested deeper than any bot needs: the API server takes 10,000 levels, and Python's JSON 1,000 at most.

One that cannot be read would end the watch of all bots. So all are read, and a bot too deep for what makes pods of it
is refused.
"""

from __future__ import annotations

import sys
from typing import Any, cast

from gptbot_api import Fault, InvalidManifest

MOST_LEVELS = 100
"""Of a bot's spec. What validates and writes it gives up at some 250."""
_READABLE = 25_000
"""Calls within calls: JSON takes one or two a level, in 0.3 KiB of the stack at most."""


def read_all_depths() -> None:
    """Have the process read objects as deep as the API server takes them."""
    sys.setrecursionlimit(_READABLE)


def refuse_too_deep(spec: Any) -> None:
    """Raises InvalidManifest where a spec has more levels than a bot may have."""
    level: list[Any] = [spec]
    for _ in range(MOST_LEVELS):
        level = [inner for node in level for inner in _inner(node)]
        if not level:
            return
    raise InvalidManifest([Fault("spec", f"is nested more than {MOST_LEVELS} levels deep")])


def _inner(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(cast("dict[str, Any]", node).values())
    return cast("list[Any]", node) if isinstance(node, list) else []
