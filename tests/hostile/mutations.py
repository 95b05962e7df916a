"""Valid values with something in them that does not belong there, as a broken or hostile peer sends them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, cast

import orjson
from hypothesis import strategies as st

Path = tuple[str | int, ...]

_SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(["", "0", "-1", "\ud800", "\x00", "9" * 400, "１２", "a" * 5000]),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
"""Any JSON value, a small one, with numbers and texts that JSON allows and programs do not expect."""


@st.composite
def mutated(draw: st.DrawFn, sample: Any) -> Any:
    """The sample with one to three of its values replaced by any other, or left out."""
    value = copy.deepcopy(sample)
    for _ in range(draw(st.integers(1, 3))):
        paths = list(_paths(value))
        if not paths:
            return value
        *way, last = draw(st.sampled_from(paths))
        holder = value
        for step in way:
            holder = holder[step]
        if draw(st.booleans()):
            holder[last] = draw(JSON)
        elif isinstance(holder, dict):
            del cast("dict[Any, Any]", holder)[last]
    return value


def _paths(value: Any, so_far: Path = ()) -> Iterator[Path]:
    inner: Iterator[tuple[str | int, Any]]
    if isinstance(value, dict):
        inner = iter(cast("dict[str, Any]", value).items())
    elif isinstance(value, list):
        inner = iter(enumerate(cast("list[Any]", value)))
    else:
        return
    for name, child in inner:
        yield (*so_far, name)
        yield from _paths(child, (*so_far, name))


def fields(value: Any) -> list[Path]:
    """The way to each field of an object, however deep; items of lists are none."""
    return [path for path in _paths(value) if isinstance(path[-1], str)]


def named(path: Path) -> str:
    """A way without the places in lists."""
    return ".".join(name for name in path if isinstance(name, str))


def without(value: Any, path: Path) -> Any:
    """The value without one of its fields."""
    changed: Any = orjson.loads(orjson.dumps(value))  # nothing is shared
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    return changed


def with_more(value: Any) -> Any:
    """The value with a field that nobody knows in each of its objects."""
    if isinstance(value, list):
        return [with_more(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        known = {name: with_more(inner) for name, inner in cast("dict[str, Any]", value).items()}
        return known | {"of_tomorrow": {"blocks": [[{}], 1, None]}}
    return value


def nested(depth: int) -> Any:
    """Lists in lists: a parser or a walk that calls itself for each ends at some depth."""
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value
