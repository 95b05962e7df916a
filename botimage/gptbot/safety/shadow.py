"""A shadow of a text that shows values which are written so that a search for them fails.

In the shadow there are ASCII digits, full-width and mathematical letters are plain ones, escapes of HTML, URLs and JSON
are what they stand for, dashes are hyphens, and what has no width is gone. Each of its characters knows which part
of the text it stands for, so the text around a value that is replaced stays as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from html.entities import html5
from typing import NamedTuple


class Span(NamedTuple):
    """A value in a text: its first character, the one after its last, and what replaces it."""

    start: int
    end: int
    label: str


# What people mostly write, and what the shadow shows as it is. Missing in Latin-1: ª ­ ² ³ ¹ º ¼ ½ ¾.
_HIDES = re.compile(
    "[^\x00-\x84\x86-\xa9\xab\xac\xae-\xb1\xb4-\xb8\xbb\xbf-\u02ae\u0370-\u0379\u037b-\u0482\u048a-\u058f"
    "\u2010-\u2013\u2018-\u2023\u2026\u2030-\u203a\u20a0-\u20bf\u2116\u2190-\u21ff\U0001f300-\U0001faff]"
)
_DASHES = "\u02d7\u2043\u2212\u2500\u2501\u2796"  # dashes that Unicode does not count among them
_SIGNS = {"\u3002": ".", "\uff61": ".", "\u2044": "/", "\u2215": "/", "\u29f8": "/", "\u2795": "+", "\u2800": " "}
_NO_WIDTH = "\u115f\u1160\u3164\uffa0"  # letters of Korean that show nothing
_KEPT = "\u2116"  # №, "No" in its compatible form
_LINE_ENDS = "\u0085\u2028\u2029"

# `&#64;` `&#x40;` `&commat;` `%40` `\u0040` `\x40`, also escaped twice: `&amp;#64;` `%2540`.
_ESCAPE = re.compile(
    r"&(?:amp;){0,2}(?:#(?P<decimal>[0-9]{1,7});?|#[xX](?P<hex>[0-9A-Fa-f]{1,6});?|(?P<name>[a-zA-Z]{2,8});)"
    r"|%(?:25){0,2}(?P<percent>(?<=[0-9)]%)20(?=[0-9(+])|2[89BbDdEeFf]|3[0-9AaDd]|4[0-9A-Fa-f]|6[1-9A-Fa-f]|5[0-9AaFf]|7[0-9Aa])"
    r"|\\u00(?P<json>[2-7][0-9A-Fa-f])|\\x(?P<byte>[2-7][0-9A-Fa-f])"
)


class _Folds(dict[int, str]):
    """What each character is in the shadow, worked out when it is first met; a table for `str.translate`."""

    def __missing__(self, point: int) -> str:
        folded = self[point] = _fold(chr(point))
        return folded


def _fold(character: str) -> str:
    category = unicodedata.category(character)
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    if character in _LINE_ENDS:
        return "\n"
    if category in ("Cf", "Mn", "Me") or character in _NO_WIDTH:
        return ""
    if category == "Pd" or character in _DASHES:
        return "-"
    if category == "Zs":
        return " "
    if character in _KEPT:
        return character
    if character in _SIGNS:
        return _SIGNS[character]
    plain = unicodedata.normalize("NFKC", character)
    if len(plain) == 1:
        return plain
    digits = "".join(sign for sign in plain if sign in "0123456789")  # ⑴ and ⒈, but not ½
    return digits if digits and "\u2044" not in plain else character


_FOLDS = _Folds()


def folded(text: str) -> str:
    """The shadow of a text but for its escapes; the text itself if it hides nothing."""
    return text if text.isascii() or _HIDES.search(text) is None else text.translate(_FOLDS)


class View:
    """A text as the search sees it, and what it becomes."""

    def __init__(self, text: str) -> None:
        """Take in a text; the cost is linear."""
        self.text = text
        """The shadow."""
        self._parts: list[str] | None = None
        """For each character of the shadow what it stands for in the text; None: itself."""
        self._before = ""
        """What the text begins with and the shadow does not show."""
        if _ESCAPE.search(text) is not None or folded(text) != text:
            self._shade(text)

    def _shade(self, text: str) -> None:
        shadow, parts = list[str](), list[str]()
        for piece, shown in _pieces(text):
            if not shown and parts:
                parts[-1] += piece
            elif not shown:
                self._before += piece
            else:
                shadow.append(shown)
                parts += [piece, *("",) * (len(shown) - 1)]
        self.text, self._parts = "".join(shadow), parts

    def replace(self, spans: Iterable[Span]) -> None:
        """Put labels in the place of spans, which come in order and do not overlap."""
        kept, parts = list[str](), list[str]()
        done = 0
        for start, end, label in spans:
            kept += [self.text[done:start], label]
            if self._parts is not None:
                parts += [*self._parts[done:start], *label]
            done = end
        if not kept:
            return
        self.text = "".join([*kept, self.text[done:]])
        if self._parts is not None:
            self._parts = parts + self._parts[done:]

    def result(self) -> str:
        """The text with the labels."""
        return self.text if self._parts is None else self._before + "".join(self._parts)


def _pieces(text: str) -> Iterable[tuple[str, str]]:
    """The parts of a text and what each is in its shadow, nothing or one character, seldom two digits."""
    done = 0
    for escape in _ESCAPE.finditer(text):
        if shown := _meant(escape):
            yield from ((character, _FOLDS[ord(character)]) for character in text[done : escape.start()])
            yield escape[0], shown
            done = escape.end()
    yield from ((character, _FOLDS[ord(character)]) for character in text[done:])


def _meant(escape: re.Match[str]) -> str:
    """The character that an escape stands for, folded; empty if it is none that could be of a value."""
    if (name := escape["name"]) is not None:
        character = html5.get(f"{name};", "")
    else:
        hexadecimal = escape["hex"] or escape["percent"] or escape["json"] or escape["byte"]
        point = int(hexadecimal, 16) if hexadecimal else int(escape["decimal"])
        character = chr(point) if 0x20 <= point < 0xD800 or 0xE000 <= point < 0x110000 else ""
    return _FOLDS[ord(character)] if len(character) == 1 else ""
