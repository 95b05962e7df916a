"""Objects larger and deeper than any bot needs, which the API server takes all the same: 10,000 levels, 1.5 MB.

One that cannot be read would end the watch of all bots, and one that takes seconds to write would hold up the looks at
others, and the Lease. So all are read, and a bot beyond these bounds is refused before anything is made of it.
"""

from __future__ import annotations

import sys
from typing import Any, cast

from gptbot_api import Fault, InvalidManifest

MOST_LEVELS = 100
"""Of a bot's spec. What validates and writes it gives up at some 250, and Python's JSON at 1,000."""
MOST_VALUES = 20_000
"""Of a bot's spec, objects and lists counted."""
MOST_CHARACTERS = 1_000_000
"""Of the names and texts in a bot's spec: a ConfigMap has no room for more."""
_READABLE = 25_000
"""Calls within calls: JSON takes one or two a level, in 0.3 KiB of the stack at most."""


def read_all_depths() -> None:
    """Have the process read objects as deep as the API server takes them."""
    sys.setrecursionlimit(_READABLE)


def refuse_too_large(spec: Any) -> None:
    """Raises InvalidManifest where a spec has more levels, values or characters than a bot may have."""
    level: list[Any] = [spec]
    values = characters = 0
    for _ in range(MOST_LEVELS):
        values += len(level)
        if values > MOST_VALUES:
            raise _too_large(f"has more than {MOST_VALUES:,} values")
        inner: list[Any] = []
        for node in level:
            if isinstance(node, str):
                characters += len(node)
            elif isinstance(node, dict):
                named = cast("dict[str, Any]", node)
                characters += sum(map(len, named))
                inner += named.values()
            elif isinstance(node, list):
                inner += cast("list[Any]", node)
        if characters > MOST_CHARACTERS:
            raise _too_large(f"has more than {MOST_CHARACTERS:,} characters of text")
        if not inner:
            return
        level = inner
    raise _too_large(f"is nested more than {MOST_LEVELS} levels deep")


def _too_large(why: str) -> InvalidManifest:
    return InvalidManifest([Fault("spec", f"{why}: no bot needs that")])
