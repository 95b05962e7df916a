"""Texts that are made to cost much: fragments repeated, alternated, nested, unclosed, or nearly matching to the end."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Maker = Callable[[int], str]
"""Gives a text of about so many characters."""

TEXTS = (
    "é", " ", "\n", "\t", "x", "\u0301", "e\u0301", "\u200d", "\xad", "ﷺ", "\u202e", "&#64;", "%40", "١", "𝟗",
    "\U0001f468\u200d",
)  # fmt: skip
"""What people write that is longer, shorter or invisible once it is made plain."""
MARKDOWN = (
    "*", "**", "_", "__", "~~", "`", "```", "~~~", "[", "](", "![", "]", ")", "(", "[a](b)", "[a]: b\n", "> ",
    "- ", "1. ", "#", "|", "|-", "|-|-|\n", "||", "\n", "\n\n", "  \n", "    ", "\t", "\\", "&", "&amp;",
    "&#", "<", "<a", "<p>", "<p>\n", "<!--", "-->", "<![CDATA[", "<?", "</p>", "<a@a.a>", "http://a.a",
    "www.a.a", "a@a.a", "a.", "=", "---\n", "$", "$$", "\\(", "\\)", "\\[", "\\]", "x", "é",
    "注", "：", "「", "«",
)  # fmt: skip
HTTP = (
    ";", "=", '"', "\\", ",", "\r\n", "\r\n\r\n", ":", " ", "%", "%41", "*", "*0=", "'", "--", "b", "?=",
    "=?utf-8?q?", "&", "a=1",
)  # fmt: skip
EVENTS = ("data:", "data:\n", "data: x\n", "\n", "\r", "\r\n", ":", ":\n", "error:", "event: x\n", "{", "[", '"', "x")
THOUGHTS = (
    "<think>", "</think>", "<think>x</think>", "</think>\n", "a</think>", "a</think >", "<answer>", "</answer>",
    "analysisA", "assistantfinal", "<|channel|>", "<|channel|>final", "<|channel|>final<|message|>", "\n", " ", "```",
    "`", "<", "</",
)  # fmt: skip
LOOPS = (
    "a",
    "b",
    "ab",
    " ",
    "-",
    "\n",
    "a" * 31 + "b",
    "a" * 32,
    "b" + "a" * 255,
    "word ",
    "я",
    "哈",
    "a" * 1023 + "b",
)
JSON = ("[", "{", '{"a":', "]", "}", '"', "\\u0000", "\\ud800", "1", "-", "1e9", "null", ",", ":", " ")


@dataclass(frozen=True, slots=True)
class Hostile:
    """A kind of text, at any length."""

    name: str
    make: Maker


def hostile(groups: Sequence[Sequence[str]], pairs: int | None, seed: int = 11) -> Iterator[Hostile]:
    """Every fragment by itself, and pairs of fragments of a group, so many of all (None: all)."""
    singles = dict.fromkeys(text for group in groups for text in group)
    for text in singles:
        yield from _of_one(text)
    both = list(dict.fromkeys((a, b) for group in groups for a in group for b in group if a != b))
    if pairs is not None and len(both) > pairs:
        both = random.Random(seed).sample(both, pairs)
    for first, second in both:
        yield from _of_two(first, second)


def tables() -> list[Hostile]:
    """Tables whose cells are many more than their characters: each row is filled up to the width of the head."""
    return [
        Hostile(f"a wide table with rows of {row!r}", lambda size, row=row: _table(row, size))
        for row in ("|\n", "| |\n", "|a\n", "a\n")
    ] + [
        Hostile(
            f"a table with rows of {row!r} too many", lambda size, row=row: "|a|b|\n|-|-|\n" + _fill(row, size - 14)
        )
        for row in ("|a|b|c|\n", "|`a|b`|c|\n", "|" * 40 + "a\n", "|`" * 40 + "\n", "|a")
    ]


def _table(row: str, size: int) -> str:
    width = size // 8
    return "|a" * width + "|\n" + "|-" * width + "|\n" + _fill(row, size - 4 * width - 4)


def _of_one(text: str) -> Iterator[Hostile]:
    yield Hostile(f"{text!r} repeated", lambda size: _fill(text, size))
    yield Hostile(f"{text!r} repeated, then something else", lambda size: "é" + _fill(text, size) + "x")
    yield Hostile(f"{text!r} a line", lambda size: _fill(text + "\n", size))
    yield Hostile(f"{text!r} in ever longer runs", lambda size: _growing(text, size))


def _of_two(first: str, second: str) -> Iterator[Hostile]:
    a, b = repr(first), repr(second)
    yield Hostile(f"{a} and {b} in turn", lambda size: _fill(first + second, size))
    yield Hostile(f"{a}, then {b} repeated, then something else", lambda size: first + _fill(second, size) + "\u2028x")
    yield Hostile(f"{a} repeated, then {b} repeated", lambda size: _fill(first, size // 2) + _fill(second, size // 2))
    yield Hostile(f"{a} as often as {b} closes it", lambda size: _nested(first, second, size))


def _fill(text: str, size: int) -> str:
    return text * max(1, size // len(text))


def _growing(text: str, size: int) -> str:
    """Once, twice, three times: no run is closed by another of its length."""
    runs = int((2 * size / len(text)) ** 0.5)
    return " ".join(text * length for length in range(1, max(2, runs)))


def _nested(opened: str, closed: str, size: int) -> str:
    times = max(1, size // (len(opened) + len(closed)))
    return opened * times + "x" + closed * times
