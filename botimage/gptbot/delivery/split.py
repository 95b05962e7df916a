"""Cuts a long Markdown text into parts a platform takes, without losing a character."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from gptbot.delivery.blocks import Break, Context, Fence, Rank, breaks, opening

_INLINE = re.compile(
    r"!?\[[^\]\n]*(?:\](?:\([^)\n]*(?:\)|\Z))?|\Z)"  # a link or an image
    r"|(`+)(?:(?!\1)[^\n])*(?:\1|\Z)"  # a code span
    r"|\*\*(?=\S)[^*\n]+(?:\*\*|\*?\Z)"  # bold
    r"|https?://\S+"
)
"""What is not cut where it fits. A window may end inside one, so each may end at the end of the text."""


def split(text: str, limit: int, length: Callable[[str], int] = len) -> list[str]:
    """Parts of at most `limit` units, cut between blocks, items, lines, sentences or words, in this order of liking.

    A code fence that is cut is closed at the end of a part and opened again in the next; a table that goes on has its
    header again. Without those added lines the parts joined are the text. All parts but the last stay as they are when
    the text grows. Raises ValueError for a limit below 64.
    """
    return [before + body + after for before, body, after in pieces(text, limit, length)]


def pieces(text: str, limit: int, length: Callable[[str], int] = len) -> list[tuple[str, str, str]]:
    """As `split`: of each part what was put before it, the text itself, what was put behind it."""
    if limit < 64:
        raise ValueError("a part must be at least 64 long")
    parts: list[tuple[str, str, str]] = []
    context = Context()
    start = 0
    while start < len(text):
        before = _reopened(text, start, context, limit, length)
        if len(text) - start <= 2 * limit and length(before + text[start:]) <= limit:
            parts.append((before, text[start:], ""))
            break
        # What is put around a part takes room, and the platform's count need not add up: try until it fits.
        window = text[start : start + limit + 1]
        room = limit
        while True:
            size = _fitting(window, before, room, length)
            at, after = _cut(window, size, context)
            behind = _closing(window[:at], after.fence)
            over = length(before + window[:at] + behind) - limit
            if over <= 0 or size <= 1:
                break
            room = min(room, length(before + window[:size])) - over
        parts.append((before, window[:at], behind))
        start += at
        context = after
    return parts


def close_fence(text: str) -> str:
    """The text with a code fence that is open at its end closed, so that what follows is no code."""
    _, context = breaks(text, Context())
    return text + _closing(text, context.fence)


def _closing(piece: str, fence: Fence | None) -> str:
    if fence is None:
        return ""
    return ("" if piece.endswith("\n") else "\n") + fence.indent + fence.marker


def _reopened(text: str, start: int, context: Context, limit: int, length: Callable[[str], int]) -> str:
    """What is put before a part: the fence that was closed, or the header of the table that goes on."""
    if (fence := context.fence) is not None:
        whole = f"{fence.indent}{fence.marker}{fence.info}\n"
        if length(whole) <= limit // 4:  # an info string that long is no language
            return whole
        return f"{fence.indent if len(fence.indent) <= 8 else ''}{fence.marker}\n"
    if context.header is not None and length(context.header) <= limit // 2:
        end = text.find("\n", start)
        row = text[start : end if end >= 0 else len(text)]
        return context.header if "|" in row and opening(row, anywhere=True) is None else ""
    return ""


def _fitting(window: str, before: str, room: int, length: Callable[[str], int]) -> int:
    """The most characters that fit, at least one. Length grows with the text, as good as always."""
    low, high = 1, len(window) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if length(before + window[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return max(low, 1)


def _cut(text: str, end: int, context: Context) -> tuple[int, Context]:
    """Where to cut at the latest at `end`, and what is open there. Looks no further, so growth changes nothing."""
    found, last = breaks(text[:end], context)
    least = end // 3
    for rank in (Rank.BLOCK, Rank.ITEM, Rank.LINE):
        if chosen := _last(found, rank, least):
            return chosen.at, chosen.context
    if (last.in_list or last.header is not None) and (chosen := _last(found, Rank.LINE, 1)):
        return chosen.at, chosen.context  # a short part rather than half an item or row
    if chosen := _last(found, Rank.INSIDE_ITEM, least):
        return chosen.at, chosen.context
    line_start = found[-1].at if found else 0
    here = found[-1].context if found else context
    at = _inline(text, end, max(least, line_start), in_code=here.fence is not None)
    line = text[text.rfind("\n", 0, at) + 1 : at]
    if re.match(r"[ \t]*(?:`{2,}|~{2,}|[|#])", line) and (chosen := _last(found, Rank.NEVER, 1)):
        return chosen.at, chosen.context  # half of such a line means something else
    _, open_there = breaks(text[:at], context)
    return at, replace(open_there, header=None)


def _last(found: list[Break], rank: Rank, least: int) -> Break | None:
    return next((each for each in reversed(found) if each.rank <= rank and each.at >= least), None)


def _inline(text: str, end: int, least: int, *, in_code: bool) -> int:
    """Where to cut inside a line: at a sentence, a word, at worst between two characters."""
    at = 0
    if not in_code:
        for separator in ("\n", ". ", "! ", "? ", " "):
            at = text.rfind(separator, least, end)
            if at > 0:
                at += len(separator)
                break
    at = _outside(text, at, end) if at > 0 else _outside(text, end, end)
    return _grapheme(text, at)


def _outside(text: str, at: int, end: int) -> int:
    """Move a cut out of what is not to be cut, if anything is left before it."""
    start = text.rfind("\n", 0, at) + 1
    for match in _INLINE.finditer(text, start, end):
        whole = match.end() < end or text[end : end + 1].isspace() or match[0].endswith((")", "`", "**"))
        if match.start() < at and (at < match.end() or not whole) and match.start() > 0:
            return match.start()
    return at


def _grapheme(text: str, at: int) -> int:
    """Move a cut off the middle of what is read as one character (Unicode UAX 29, in short): at most 32 back."""
    for here in range(at, max(0, at - 32), -1):
        if here >= len(text) or not _joined(text, here):
            return here
    return at


def _joined(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if (before, after) == ("\r", "\n"):
        return True
    if before == "\u200d" or after in "\u200d\ufe0e\ufe0f\u20e3" or unicodedata.category(after) in ("Mn", "Me", "Mc"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":  # a skin colour, a tag
        return True
    flags = 0
    if "\U0001f1e6" <= after <= "\U0001f1ff":
        while flags < at and "\U0001f1e6" <= text[at - flags - 1] <= "\U0001f1ff":
            flags += 1
    return flags % 2 == 1  # a flag is a pair
