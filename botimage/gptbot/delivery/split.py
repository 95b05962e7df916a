"""Cuts a long Markdown text into parts a platform takes, without losing a character."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from gptbot.delivery.blocks import Break, Context, Fence, Rank, Scanner, breaks, opening
from gptbot.platforms.code_spans import code_spans

_INLINE = re.compile(
    r"!?\[(?:!\[[^\[\]\n]*\]\([^()\n]*\)|[^\[\]\n])*+(?:\](?:\([^()\n]*(?:\)|\Z))?|\Z)"  # a link or an image
    r"|`+"  # a code span may start
    r"|\*\*(?=\S)[^*\n]+(?:\*\*|\*?\Z)"  # bold
    r"|https?://\S+"
)
"""What is not cut where it fits. A window may end inside one, so each may end at the end of the text."""
_TRIES: Final = 6
_MOST_FLAGS: Final = 128
_SLICE: Final = 8192


def split(text: str, limit: int, length: Callable[[str], int] = len) -> list[str]:
    """Parts of at most `limit` units, cut between blocks, items, lines, sentences or words, in this order of liking.

    A code fence that is cut is closed at the end of a part and opened again in the next; a table that goes on has its
    header again. Without those added lines the parts joined are the text. All parts but the last stay as they are when
    the text grows. Raises ValueError for a limit below 64.
    """
    return [before + body + after for before, body, after in pieces(text, limit, length)]


def pieces(text: str, limit: int, length: Callable[[str], int] = len) -> list[tuple[str, str, str]]:
    """As `split`: of each part what was put before it, the text itself, what was put behind it."""
    parts: list[tuple[str, str, str]] = []
    cutter = _Cutter(limit, length)
    start, context = 0, Context()
    while start < len(text):
        before, end, behind, context = cutter.piece(text, start, context)
        parts.append((before, text[start:end], behind))
        start = end
    return parts


class Splitter:
    """Splits a text that grows: parts that are done are not looked at again, and other tasks run between two parts."""

    def __init__(self, limit: int, length: Callable[[str], int] = len) -> None:
        """As for `split`."""
        self.limit = limit
        self._cutter = _Cutter(limit, length)
        self._parts: list[str] = []
        self._done = ""
        self._context = Context()

    async def split(self, text: str) -> list[str]:
        """The parts of the text as it is now; as `split` gives them."""
        if not text.startswith(self._done):
            self._parts, self._done, self._context = [], "", Context()
        start = len(self._done)
        while start < len(text):
            before, end, behind, context = self._cutter.piece(text, start, self._context)
            part = before + text[start:end] + behind
            if end == len(text):  # it may be another when the text grows
                return [*self._parts, part]
            self._parts.append(part)
            self._done, self._context = text[:end], context
            start = end
            await asyncio.sleep(0)
        return list(self._parts)


class _Cutter:
    """Cuts a piece off a text, in time that is linear in the limit."""

    def __init__(self, limit: int, length: Callable[[str], int]) -> None:
        if limit < 64:
            raise ValueError("a part must be at least 64 long")
        self._limit, self._length = limit, length

    def piece(self, text: str, start: int, context: Context) -> tuple[str, int, str, Context]:
        """What to put before a piece, where it ends, what to put behind it, and what is open there."""
        limit, length = self._limit, self._length
        before = _reopened(text, start, context, limit, length)
        if len(text) - start <= 2 * limit and length(before + text[start:]) <= limit:
            return before, len(text), "", context
        window = text[start : start + limit + 1]
        at, behind, after = self._cut(window, before, context)
        if before and at < limit // 16:  # what is put around it takes all the room
            before = ""
            at, behind, after = self._cut(window, before, Context())
        return before, start + at, behind, after

    def _cut(self, window: str, before: str, context: Context) -> tuple[int, str, Context]:
        """What is put around a part takes room, and the platform's count need not add up: try until it fits."""
        limit, length = self._limit, self._length
        room, size = limit, len(window)
        tried = 0
        while True:
            size = min(size, _fitting(window, before, room, length)) if tried < _TRIES else max(1, size // 2)
            at, after = _cut(window, size, context)
            behind = _closing(window[:at], after.fence)
            over = length(before + window[:at] + behind) - limit
            if over <= 0 or size <= 1:
                return at, behind, after
            room = min(room, length(before + window[:size])) - over
            tried += 1


def close_fence(text: str) -> str:
    """The text with a code fence that is open at its end closed, so that what follows is no code."""
    return text + _closing(text, breaks(text, Context())[1].fence)


async def close_fence_at_leisure(text: str) -> str:
    """As `close_fence`, of a text of any length: other tasks run between two slices of it."""
    if len(text) <= _SLICE:
        return close_fence(text)
    scanner = Scanner(Context())
    start = 0
    while start < len(text):
        end = text.find("\n", start + _SLICE) + 1 or len(text)
        scanner.read(text[start:end])
        start = end
        await asyncio.sleep(0)
    return text + _closing(text, scanner.context.fence)


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
        row = text[start : start + limit].partition("\n")[0]
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
    last_line = next((each for each in reversed(found) if each.at <= at), Break(0, Rank.NEVER, context))
    scanner = Scanner(last_line.context, text[: last_line.at].rstrip("\r\n").rpartition("\n")[2])
    scanner.read(text[last_line.at : at])
    return at, replace(scanner.context, header=None)


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
    spans, unclosed = code_spans(text, start, end)
    code = dict(spans) | ({unclosed[0].start(): end} if unclosed else {})
    here = start
    while (match := _INLINE.search(text, here, end)) is not None and match.start() < at:
        after = match.end()
        if match[0][0] == "`":
            after = code.get(match.start(), after)
        whole = after < end or text[end : end + 1].isspace() or text.endswith((")", "`", "**"), match.start(), after)
        if (at < after or not whole) and match.start() > 0:
            return match.start()
        here = max(after, here + 1)
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
        while flags < min(at, _MOST_FLAGS) and "\U0001f1e6" <= text[at - flags - 1] <= "\U0001f1ff":
            flags += 1
    return flags % 2 == 1  # a flag is a pair
