"""A shadow of a text that shows values which are written so that a search for them fails.

In the shadow there are ASCII digits, full-width and mathematical letters are plain ones, escapes of HTML, URLs and JSON
are what they stand for, dashes are hyphens, and what has no width is gone, also where it is escaped. Each of its
characters knows which part of the text it stands for, so the text around a value that is replaced stays as it was
written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from html.entities import html5
from typing import NamedTuple

JOINT = r"[ \u00a0\t\n_/\\|·•∙⋅~*:.()-]"
"""One of the signs that people put between the groups of a number, as the shadow shows them."""


class Span(NamedTuple):
    """A value in a text: its first character, the one after its last, and what replaces it."""

    start: int
    end: int
    label: str


# What people mostly write, and what the shadow shows as it is. Missing in Latin-1: controls, ª ­ ² ³ ¹ º ¼ ½ ¾.
_HIDES = re.compile(
    "[^\t\n\x20-\x7e\xa0-\xa9\xab\xac\xae-\xb1\xb4-\xb8\xbb\xbf-\u02ae\u0370-\u0379\u037b-\u0482\u048a-\u058f"
    "\u2018-\u2023\u2026\u2030-\u203a\u20a0-\u20bf\u2116\u2190-\u21ff\U0001f300-\U0001faff]"
)
_DASHES = "\u02d7\u2043\u2212\u2500\u2501\u2796"  # dashes that Unicode does not count among them
_SIGNS = {"\u3002": ".", "\uff61": ".", "\u2044": "/", "\u2215": "/", "\u29f8": "/", "\u2795": "+", "\u2800": " "}
_NO_WIDTH = "\u115f\u1160\u3164\uffa0"  # letters of Korean that show nothing
_KEPT = "\u2116"  # №, "No" in its compatible form
_LINE_ENDS = "\r\u0085\u2028\u2029"
_WHITE = "\t\n"

# `&#64;` `&#x40;` `&commat;` `%40` `%E2%80%8B` `\u0040` `\x40`, also escaped twice: `&amp;#64;` `%2540`. White space
# counts beside digits only: a password may have `%20` or `\n` in it.
_BYTE = r"%(?:25){0,2}[89ABab][0-9A-Fa-f]"
_ESCAPE = re.compile(
    r"&(?:(?:amp|AMP|#38|#[xX]26);){0,2}(?:#(?:[xX](?=[0-9A-Fa-f])0*+(?P<hex>[0-9A-Fa-f]{0,6})(?![0-9A-Fa-f])|(?=[0-9])0*+(?P<decimal>[0-9]{0,7})(?![0-9]));?"
    r"|(?P<name>[a-zA-Z][a-zA-Z0-9]{1,31}+(?=;)|nbsp|shy);?)"
    rf"|(?P<utf8>%(?:25){{0,2}}(?:[Cc][2-9A-Fa-f]|[Dd][0-9A-Fa-f]){_BYTE}"
    rf"|%(?:25){{0,2}}[Ee][0-9A-Fa-f](?:{_BYTE}){{2}}|%(?:25){{0,2}}[Ff][0-4](?:{_BYTE}){{3}})"
    r"|%(?:25){0,2}(?P<percent>(?:(?<=[0-9]%)|(?<=[0-9]%25)|(?<=0[AaDd]%))(?:20|0[9AaDd])|(?:20|0[9AaDd])(?=[0-9(+%&\\-])"
    r"|00|2[89BbDdEeFf]|3[0-9AaDd]|4[0-9A-Fa-f]|6[1-9A-Fa-f]|5[0-9AaCcFf]|7[0-9AaCcEe])"
    r"|\\u(?:(?P<json>[0-9A-Fa-f]{4})|\{0*+(?P<braces>[0-9A-Fa-f]{1,6})\})|\\x(?P<byte>[2-7A-Fa-f][0-9A-Fa-f])"
    r"|(?P<white>(?<=[0-9])\\[nrt](?=[0-9A-Z(+])|(?<=[A-Z])\\[nrt](?=[0-9]))"
    r"|(?P<tag><(?:br|wbr) ?/?>)|[\[(](?P<bracketed>[.@])[\])]",
)
_PERCENT = re.compile("%(?:25)*")
_HEXADECIMAL = ("hex", "percent", "json", "braces", "byte")


class _Folds(dict[int, str]):
    """What each character is in the shadow, worked out when it is first met; a table for `str.translate`."""

    def __missing__(self, point: int) -> str:
        folded = self[point] = _fold(chr(point))
        return folded


def _fold(character: str) -> str:
    if character in _WHITE:
        return character
    category = unicodedata.category(character)
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    if character in _LINE_ENDS:
        return "\n"
    if category in ("Cf", "Mn", "Me", "Cc") or character in _NO_WIDTH:
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
    return text if _HIDES.search(text) is None else text.translate(_FOLDS)


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
        if (shown := _meant(escape)) is not None:
            yield from ((character, _FOLDS[ord(character)]) for character in text[done : escape.start()])
            yield escape[0], shown
            done = escape.end()
    yield from ((character, _FOLDS[ord(character)]) for character in text[done:])


def _meant(escape: re.Match[str]) -> str | None:
    """What an escape stands for, folded: nothing for what has no width. None if it stands for no one character."""
    kind = escape.lastgroup
    found = escape[kind or 0]
    if kind == "name":
        character = html5.get(f"{found};", "")
    elif kind == "utf8":
        character = bytes.fromhex(_PERCENT.sub("", found)).decode("utf-8", "ignore")
    elif kind == "white":
        character = "\t" if found == "\\t" else "\n"
    elif kind == "tag":
        return "" if found.startswith("<w") else "\n"
    elif kind == "bracketed":
        character = found
    else:
        character = _character(int(found or "0", 16 if kind in _HEXADECIMAL else 10))
    return _FOLDS[ord(character)] if len(character) == 1 else None


def _character(point: int) -> str:
    """The character of a number; empty for half of a pair, and beyond Unicode."""
    return "" if 0xD800 <= point < 0xE000 or point > 0x10FFFF else chr(point)
