"""Code, and the addresses behind words, as Markdown: what a reader of the mere text would not know of a message."""

from __future__ import annotations

import re
from typing import Final

from aiogram.enums import MessageEntityType

MARKED: Final = frozenset({MessageEntityType.CODE, MessageEntityType.PRE, MessageEntityType.TEXT_LINK})
_TICKS = re.compile(r"`+")
_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")
_ADDRESS = re.compile(r"https?://[^\s<>\ue000-\ue002]{1,2048}", re.IGNORECASE)
"""Not such as `tg://user?id=1`, which is somebody's id."""
_MOST_OF_ADDRESSES: Final = 8192
"""Characters of all addresses of a message: a text of a thousand linked letters is no question."""


def code(text: str) -> str:
    """A code span that nothing in it closes (CommonMark 0.31, section 6.1)."""
    ticks = "`" * _shortest(text, 1)
    space = " " if text[:1] in ("`", " ") or text[-1:] in ("`", " ") else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def block(text: str, language: str | None, *, before: bytes, after: bytes) -> str:
    """A fenced block that nothing in it closes, on lines of its own; `before`, `after`: the UTF-16
    code units around it, empty at the ends of the text.
    """
    ticks = "`" * _shortest(text, 3)
    name = language if language is not None and _LANGUAGE.fullmatch(language) else ""
    begin, end = ("" if around in (b"", b"\n\0") else "\n" for around in (before, after))
    inner = text.strip("\n")
    return f"{begin}{ticks}{name}\n{inner}\n{ticks}{end}"


def _shortest(text: str, least: int) -> int:
    return max([least, *(run.end() - run.start() + 1 for run in _TICKS.finditer(text))])


class Links:
    """The link that is open while a text is put together: links do not stand in one another."""

    def __init__(self) -> None:
        self.end: int | None = None
        """Where the words of the link end, in bytes; None: no link is open."""
        self.after = 0
        """Where the last link ended."""
        self._address = ""
        self._left = _MOST_OF_ADDRESSES

    def open(self, words: str, address: str | None, end: int) -> bool:
        """Begin a link. False: its address is no more than the words, none to be told, or one is open."""
        if self.end is not None or address is None or _ADDRESS.fullmatch(address) is None:
            return False
        bare = address.rstrip("/").partition("://")[2]
        self._left -= len(address)
        if self._left < 0 or words.strip().rstrip("/").removeprefix("https://").removeprefix("http://") == bare:
            return False
        self.end, self._address = end, address.replace("(", "%28").replace(")", "%29")
        return True

    def close(self) -> str:
        """What stands behind the words of the link."""
        assert self.end is not None
        self.end, self.after = None, self.end
        return f"]({self._address})"
