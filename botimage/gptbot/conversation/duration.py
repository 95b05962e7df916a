"""Says a length of time in a person's language."""

from __future__ import annotations

from gptbot.locales import Texts
from gptbot_api.base import seconds

_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))


def spoken(duration: str, texts: Texts) -> str:
    """A duration such as `24h` in words, in the largest unit that it is a whole number of."""
    total = seconds(duration)
    unit, size = next((unit, size) for unit, size in _UNITS if total % size == 0)
    if unit == "days" and total == size:
        unit, size = "hours", 3600
    return texts(f"duration-{unit}", count=total // size)
