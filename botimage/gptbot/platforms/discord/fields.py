"""Reads what Discord sends as if nothing of it had to be there: a field that is missing, new or of another type is one
that says nothing. Who cannot go on without a field looks for it, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

Event = Mapping[str, Any]
"""The `d` of a dispatched event or an answer, as Discord sent it."""

_DIGITS = 20
"""Digits of the longest id or set of permissions there is."""


def fields(value: Any, name: str = "") -> dict[str, Any]:
    """An object, or the object in its field `name`; empty where it is none."""
    if name:
        return fields(fields(value).get(name))
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def objects(value: Any, name: str) -> list[dict[str, Any]]:
    """The objects in a list that is a field."""
    found = fields(value).get(name)
    items = cast("list[Any]", found) if isinstance(found, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]


def ids(value: Any, name: str) -> list[str]:
    """The ids in a list that is a field."""
    found = fields(value).get(name)
    items = cast("list[Any]", found) if isinstance(found, list) else []
    return [str(item) for item in items if is_id(item)]


def id_of(value: Any, name: str = "id") -> str:
    """An id in a field; an empty string where there is none. Discord writes ids as strings of digits."""
    found = fields(value).get(name)
    return str(found) if is_id(found) else ""


def word(value: Any, name: str) -> str:
    """The text in a field; empty where there is none."""
    found = fields(value).get(name)
    return found if isinstance(found, str) else ""


def number(value: Any, name: str, default: int = 0) -> int:
    """A whole number in a field, which may be written as a string, as permissions are."""
    found = fields(value).get(name)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= _DIGITS:
        return int(found)
    return found if type(found) is int else default


def is_id(value: Any) -> bool:
    """Whether a value is an id."""
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS
