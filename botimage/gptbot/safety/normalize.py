"""Makes a text plain before anything looks at it: no invisible, reversing or piled-up characters.

They hide personal data from the redaction, carry orders that only a model sees, and break screens.
"""

from __future__ import annotations

import re
import unicodedata

MOST_CHARACTERS = 16_000
"""Characters of a message that is taken in; a longer one is refused."""

_MOST_MARKS = 3
"""Combining marks on one letter: Vietnamese and Hebrew need two, a few scripts three."""
# Private use (our own marks lie there), controls but tab and line feed, characters of no width, soft hyphens, and
# everything that turns the direction of writing (Unicode Standard Annex 9).
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ue000-\uf8ff\U000f0000-\U0010fffd]"
)
# Tags are invisible letters, good for three flags (England, Scotland, Wales) and for hidden orders.
_FLAG_OR_TAGS = re.compile("(\U0001f3f4[\U000e0061-\U000e007a]{2,6}\U000e007f)|[\U000e0000-\U000e0fff]+")
_JOINERS = re.compile("[\u200c\u200d]{2,}|(?<![^\\s])[\u200c\u200d]|[\u200c\u200d](?![^\\s])")
_SELECTORS = re.compile("([\ufe00-\ufe0f])[\ufe00-\ufe0f]+")
_LINE_ENDS = re.compile("\r\n?|[\u0085\u2028\u2029]")
_MAY_BE_MARK = re.compile("[^\x00-\u02ff\u0370-\u0482\u048a-\u0590\u2000-\u200b\u200e-\u20cf\u2100-\u2ce0]")
_EMPTY_LINES = re.compile(r"(?<![ \t])[ \t]*+\n(?:[ \t]*+\n){3,}+")  # begins where white space does: once a run


def normalize(text: str) -> str:
    """The text in Unicode's composed form (NFC), without characters that only harm."""
    if text.isascii() and text.isprintable():
        return text
    text = _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))
    text = _FLAG_OR_TAGS.sub(lambda found: found[1] or "", text)
    text = _SELECTORS.sub(r"\1", _JOINERS.sub("", text))
    text = _without_piles(unicodedata.normalize("NFC", _without_piles(text, 2 * _MOST_MARKS)), _MOST_MARKS)
    return _EMPTY_LINES.sub("\n\n\n", text)


def _without_piles(text: str, most: int) -> str:
    """At most so many combining marks on one letter; to compose a pile takes the square of its height."""
    if _MAY_BE_MARK.search(text) is None:
        return text
    kept: list[str] = []
    marks = selectors = joiners = 0
    for character in text:
        if _selects(character):
            selectors += 1
            if selectors > 1:
                continue
        elif character in "\u200c\u200d":
            joiners += 1
            if joiners > 1:
                continue
        elif unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
            marks += 1
            if marks > most:
                continue
        else:
            marks = selectors = joiners = 0
        kept.append(character)
    return "".join(kept)


def _selects(character: str) -> bool:
    """A variation selector says how an emoji looks; it is a mark in name only."""
    return "\ufe00" <= character <= "\ufe0f"
