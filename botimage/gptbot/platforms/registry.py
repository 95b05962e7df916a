"""Finds the installed platforms by their entry points."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import cast

from gptbot.platforms.base import Platform

GROUP = "gptbot.platforms"


class UnknownPlatform(LookupError):
    """A manifest names a platform that is not installed."""


@cache
def platform(name: str) -> Platform:
    """The platform of that name. Raises UnknownPlatform, saying which there are."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        raise UnknownPlatform(f"no platform named {name!r} is installed; there are: {', '.join(sorted(found))}")
    return cast(Platform, found[name].load())
