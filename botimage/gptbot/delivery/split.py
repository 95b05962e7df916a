"""Cuts a long Markdown text into parts a platform takes, without losing a character."""

from __future__ import annotations

import re
from collections.abc import Callable

_FENCE = re.compile(r"^( {0,3})(`{3,16}|~{3,16})([^\n]*)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]\n]*\]\([^)\n]*\)|https?://\S+|`[^`\n]+`")


def split(text: str, limit: int, length: Callable[[str], int] = len) -> list[str]:
    """Parts of at most `limit` units, cut at paragraphs, lines, sentences or words, in this order of liking.

    A code fence that is cut is closed at the end of a part and opened again in the next. Without those added fence
    lines the parts joined are the text. Raises ValueError for a limit below 64.
    """
    if limit < 64:
        raise ValueError("a part must be at least 64 long")
    parts: list[str] = []
    fence: tuple[str, str] | None = None
    while text:
        opening = "" if fence is None else f"{fence[0]}{fence[1]}\n"
        if length(opening) > limit // 4:  # an info string that long is no language
            opening = "" if fence is None else f"{fence[0]}\n"
        room = limit - length(opening)
        if length(text) <= room:
            parts.append(opening + text)
            break
        piece = text[: _cut(text, room, length, fence)]
        after = _open_fence(piece, fence)
        if after is not None:
            room -= length(f"\n{after[0]}")
            piece = text[: _cut(text, room, length, fence)]
            after = _open_fence(piece, fence)
        text = text[len(piece) :]
        parts.append(opening + piece + ("" if after is None else _closing(piece, after)))
        fence = after
    return parts


def close_fence(text: str) -> str:
    """The text with a code fence that is open at its end closed, so that what follows is no code."""
    fence = _open_fence(text, None)
    return text if fence is None else text + _closing(text, fence)


def _closing(piece: str, fence: tuple[str, str]) -> str:
    return f"{fence[0]}" if piece.endswith("\n") else f"\n{fence[0]}"


def _open_fence(text: str, fence: tuple[str, str] | None) -> tuple[str, str] | None:
    """The fence (marker, info string) that is open at the end of the text, given the one at its start."""
    for match in _FENCE.finditer(text):
        marker, info = match[2], match[3]
        if fence is None:
            if not (marker[0] == "`" and "`" in info):
                fence = (marker, info)
        elif marker[0] == fence[0][0] and len(marker) >= len(fence[0]) and not info.strip():
            fence = None
    return fence


def _cut(text: str, room: int, length: Callable[[str], int], fence: tuple[str, str] | None) -> int:
    """Where to cut so that what is before fits: characters, at least one."""
    low, high = 1, min(len(text), room)
    while low < high:  # the most characters whose length fits; length grows with the text
        middle = (low + high + 1) // 2
        if length(text[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    end = low
    least = end // 3
    window = text[:end]
    if _open_fence(window, fence) is None:
        for separator in ("\n\n", "\n", ". ", "! ", "? ", " "):
            at = window.rfind(separator, least)
            if at > 0:
                return _off_fence_line(text, _whole(text, at + len(separator), least))
    else:
        at = window.rfind("\n", least)
        if at > 0:
            return at + 1
    return _off_fence_line(text, _whole(text, _grapheme(text, end), least))


def _off_fence_line(text: str, at: int) -> int:
    """Move a cut out of a line that opens or closes a fence: half of one means something else."""
    start = text.rfind("\n", 0, at) + 1
    line = _FENCE.match(text, start)
    return start if line and 0 < start < at < line.end() else at


def _whole(text: str, at: int, least: int) -> int:
    """Move a cut out of a link or a code span, if that leaves enough."""
    start = max(0, at - 2048)
    for match in _LINK.finditer(text, start, min(len(text), at + 2048)):
        if match.start() < at < match.end() and match.start() > least:
            return match.start()
    return at


def _grapheme(text: str, at: int) -> int:
    """Move a cut off the middle of what is read as one character: joined emoji, combining marks."""
    import unicodedata

    for back in range(min(16, at - 1)):
        here = at - back
        if here >= len(text):
            return here
        before, after = text[here - 1], text[here]
        joined = after == "\u200d" or before == "\u200d" or after in "\ufe0e\ufe0f" or unicodedata.combining(after)
        modifier = 0x1F3FB <= ord(after) <= 0x1F3FF
        flags = 0x1F1E6 <= ord(after) <= 0x1F1FF and 0x1F1E6 <= ord(before) <= 0x1F1FF
        if not (joined or modifier or flags):
            return here
    return at
