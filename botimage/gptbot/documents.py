"""Reads YAML files as kubectl and the API server do, and says what they would refuse: a key given twice, no `---`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import yaml

from gptbot_api import Fault, InvalidManifest

_MERGE = "tag:yaml.org,2002:merge"
_OF_A_DOCUMENT = frozenset({"apiVersion", "kind"})


class _Twice(yaml.YAMLError):
    """A key that stands twice in one mapping."""

    def __init__(self, key: str, first: int, second: int) -> None:
        super().__init__()
        self.key, self.first, self.second = key, first, second


_Safe: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):
    """Refuses a key that stands twice in a mapping (YAML 1.2.2, 3.2.1.1: keys are unique)."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Look at a mapping once, before what it merges stands in it."""
        if not getattr(node, "seen", False):
            node.seen = True  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
            self._refuse_twice(node)
        super().flatten_mapping(node)

    @staticmethod
    def _refuse_twice(node: yaml.MappingNode) -> None:
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if key.tag == _MERGE or not isinstance(key, yaml.ScalarNode):
                continue
            line, identity = key.start_mark.line + 1, (key.tag, str(key.value))
            if identity in lines:
                raise _Twice(str(key.value), lines[identity], line)
            lines[identity] = line


def documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a file that hold something; those of a `kind: List` one by one.

    Raises InvalidManifest, with the line where there is one.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidManifest([Fault("file", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        raise InvalidManifest([Fault(f"byte {error.start}", "is no UTF-8: save the file as UTF-8")]) from None
    try:
        found = list(yaml.load_all(text, Loader=_Loader))
    except _Twice as twice:
        raise InvalidManifest([_said_twice(twice)]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "file"
        problem = getattr(error, "problem", None) or "is not YAML"
        raise InvalidManifest([Fault(where, f"not valid YAML: {problem}")]) from None
    except (ValueError, RecursionError) as error:  # a date that there is not; nested too deeply
        what = "is nested too deeply" if isinstance(error, RecursionError) else "a value is of no type that YAML has"
        raise InvalidManifest([Fault("file", f"not valid YAML: {what}")]) from None
    return [document for number, each in enumerate(found, 1) for document in _objects(each, f"document {number}")]


def _said_twice(twice: _Twice) -> Fault:
    again = f"stands a second time, after line {twice.first}"
    if twice.key in _OF_A_DOCUMENT:
        text = f"{twice.key} {again}: part the documents by a line that says ---"
    else:
        text = f"the key {twice.key} {again}, and only one of the two would count: take one out"
    return Fault(f"line {twice.second}", text)


def _objects(document: Any, where: str) -> Iterator[dict[str, Any]]:
    if document is None:
        return
    if not isinstance(document, dict):
        raise InvalidManifest([Fault(where, "must be an object with apiVersion and kind")])
    found = cast("dict[str, Any]", document)
    if missing := [name for name in ("apiVersion", "kind") if not isinstance(found.get(name), str)]:
        raise InvalidManifest([Fault(where, f"has no {' and no '.join(missing)}: every document needs both")])
    if found["kind"] != "List":
        yield found
        return
    items = found.get("items")
    for index, item in enumerate(cast("list[Any]", items) if isinstance(items, list) else []):
        yield from _objects(item, f"{where}: items[{index}]")
