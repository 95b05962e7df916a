"""What a pattern looks for, in pieces: each literal, each member of a class, each branch, each beginning of the whole.

An engine that backtracks takes long on texts that nearly match. Those are made of what the pattern mentions, so its
own syntax tree says what to repeat.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

_parser: Any = re._parser  # type: ignore[attr-defined]  # the tree that `re` compiles
_CATEGORIES = {
    "CATEGORY_DIGIT": "7", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a", "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_SPACE": "a", "CATEGORY_NOT_WORD": "-",
}  # fmt: skip
_LONGEST = 80
_ANYTHING = "x7 -_.\n@:/"


def patterns(module: ModuleType) -> list[re.Pattern[Any]]:
    """The patterns that a module has compiled, of texts and of bytes."""
    return [value for value in vars(module).values() if isinstance(value, re.Pattern)]


def fragments(pattern: re.Pattern[Any]) -> list[str]:
    """What a pattern mentions, short ones first. Bytes are told as the characters of their numbers."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = _parser.parse(source, pattern.flags & ~re.UNICODE)
    found = dict.fromkeys(text for text in _pieces(tree) if 0 < len(text) <= _LONGEST)
    return sorted(found, key=len)


def _pieces(tree: Any) -> Iterator[str]:
    """Samples of each part of a sequence, and of its beginnings."""
    begun = ""
    for node in tree:
        for inner in _inside(node):
            yield from _pieces(inner)
        options = list(_samples(node))
        yield from options
        begun += options[0] if options else ""
        yield begun


def _inside(node: Any) -> list[Any]:
    """The sequences within a node of the tree."""
    match str(node[0]), node[1]:
        case "BRANCH", (_, branches):
            return list(branches)
        case "SUBPATTERN", (*_, inner):
            return [inner]
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT", (_, _, inner):
            return [inner]
        case "ASSERT" | "ASSERT_NOT", (_, inner):
            return [inner]
        case "ATOMIC_GROUP", inner:
            return [inner]
        case _:
            return []


def _samples(node: Any) -> Iterator[str]:
    """Texts that one node matches, a few of them; none for what has no width."""
    match str(node[0]), node[1]:
        case "LITERAL", code:
            yield chr(code)
        case "NOT_LITERAL", code:
            yield next(letter for letter in _ANYTHING if letter != chr(code))
        case "ANY", _:
            yield "x"
        case "IN", items:
            yield from _members(items)
        case "BRANCH", (_, branches):
            for branch in branches:
                yield _whole(branch)
        case "SUBPATTERN", (*_, inner):
            yield _whole(inner)
        case "ATOMIC_GROUP", inner:
            yield _whole(inner)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT", (least, most, inner):
            yield _whole(inner) * max(1, least)
            if 1 < most <= _LONGEST:
                yield _whole(inner) * int(most)
        case _:
            pass


def _whole(tree: Any) -> str:
    return "".join(next(_samples(node), "") for node in tree)


def _members(items: Iterable[Any]) -> Iterator[str]:
    """A character of each member of a class; of a negated one, a character that it lets through."""
    members: list[str] = []
    negated = False
    for kind, value in items:
        match str(kind):
            case "NEGATE":
                negated = True
            case "LITERAL":
                members.append(chr(value))
            case "RANGE":
                members.append(chr(value[0]))
            case _:
                members.append(_CATEGORIES.get(str(value), "a"))
    if not negated:
        yield from members
        return
    allowed = [letter for letter in _ANYTHING if letter not in members]
    yield from allowed[:3]
