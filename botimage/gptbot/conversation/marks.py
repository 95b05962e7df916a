"""Keeps what people and models wrote apart from what the bot says to the model: between marks, and behind a name.

Nothing is taken out, since what is left could form a mark anew: a mark within a text loses its meaning instead.
"""

from __future__ import annotations

import functools
import re
import unicodedata

_NAMES = ("chat", "messages", "notes", "role")
# Models read over white space, what shows nothing, and marks on letters; other brackets and letters look the same.
_MARK = re.compile(rf"<[\s/\\|_-]*+(?:{'|'.join(_NAMES)})(?![^\W_])", re.IGNORECASE)
_BRACKETS = "\u2039\u27e8\u2329\u3008\u2770\u276e\u27ea\u300a\u226e"
"""What is no `<` in Unicode's compatible form and looks like one."""
_FILLERS = "\u115f\u1160\u2800"
"""Letters in name, that show nothing."""
_PLAIN = re.compile("[\t\n\x20-\x7e\u0400-\u045f\u2010-\u2014\u2018-\u201f\u2026]*+")


def between(name: str, text: str) -> str:
    """A text between the marks `<name>` and `</name>`, on lines of its own."""
    assert name in _NAMES
    return f"<{name}>\n{without_marks(text)}\n</{name}>"


def without_marks(text: str) -> str:
    """The text without a mark that a model could take for one of ours. The cost is linear."""
    if _PLAIN.fullmatch(text) is not None:
        return _MARK.sub(_meaningless, text)
    kept, places = list[str](), list[int]()
    for place, character in enumerate(text):
        shown = _shown(character)
        kept.append(shown)
        places += [place] * len(shown)
    parts, done = list[str](), 0
    for found in _MARK.finditer("".join(kept)):
        place = places[found.start()]
        parts += [text[done:place], "&lt;"]
        done = place + 1
    return "".join([*parts, text[done:]])


def _meaningless(found: re.Match[str]) -> str:
    return "&lt;" + found[0][1:]


@functools.lru_cache(4096)
def _shown(character: str) -> str:
    """What a model may read for one character: nothing, or the plain form of a bracket or a letter."""
    if character in _BRACKETS:
        return "<"
    plain = unicodedata.normalize("NFKD", character)
    return "".join(sign for sign in plain if sign.isspace() or not _is_unseen(sign))


def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cf", "Mn", "Me", "Cc") or sign in _FILLERS


def of_one(text: str) -> str:
    """A text whose lines are all of one author: those after the first are indented, so that none begins with a name."""
    return "\n  ".join(text.splitlines())
