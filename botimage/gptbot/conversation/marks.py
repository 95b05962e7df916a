"""Keeps what people and models wrote apart from what the bot says to the model: between marks, and behind a name.

Nothing is taken out, since what is left could form a mark anew: a mark within a text loses its meaning instead.
"""

from __future__ import annotations

import re

_NAMES = ("chat", "messages", "notes", "role")
# Between a bracket and a name, a model reads over a space or two.
_MARK = re.compile(rf"<(?=[\s/\\]{{0,8}}(?:{'|'.join(_NAMES)})\b)", re.IGNORECASE)


def between(name: str, text: str) -> str:
    """A text between the marks `<name>` and `</name>`, on lines of its own."""
    assert name in _NAMES
    return f"<{name}>\n{without_marks(text)}\n</{name}>"


def without_marks(text: str) -> str:
    """The text without a mark that a model could take for one of ours."""
    return _MARK.sub("&lt;", text)


def of_one(text: str) -> str:
    """A text whose lines are all of one author: those after the first are indented, so that none begins with a name."""
    return "\n  ".join(text.splitlines())
