"""Where Markdown may be cut between two lines, and what is open there: a code fence, a table, a list."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import IntEnum

_FENCE = re.compile(r"^([ \t]*)(`{3,16}|~{3,16})([^\r\n]*)$")
_ITEM = re.compile(r"^([ \t]*)(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_HEADING = re.compile(r"^ {0,3}#{1,6}(?:[ \t]|$)")
_DELIMITER = re.compile(r"^ {0,3}\|?[ \t]*:?-+:?[ \t]*+(?:\|[ \t]*:?-+:?[ \t]*+)*+\|?[ \t]*$")
_MARKED = re.compile(r"[ \t]*(?:[-*+`~#|:]|\d{1,9}[.)])")
"""What may start a line that is more than one of a paragraph."""
_DEEPEST_FENCE = 64
"""Columns that a code fence may be indented by: it is closed and opened again at the same depth in each part."""


class Rank(IntEnum):
    """How well a text can be cut before a line; the lowest is best."""

    BLOCK = 0
    """A blank line stands between two blocks, neither of them in a list."""
    ITEM = 1
    """An item of the outermost list starts."""
    LINE = 2
    """A line of code, a row of a table, a nested item, a line of a paragraph."""
    INSIDE_ITEM = 3
    NEVER = 4
    """After a heading, inside the head of a table, right after a fence opens or right before it closes."""


@dataclass(frozen=True, slots=True)
class Fence:
    """A code fence that is open."""

    indent: str
    marker: str
    info: str


@dataclass(frozen=True, slots=True)
class Context:
    """What is open where a line starts."""

    fence: Fence | None = None
    header: str | None = None
    """Header and delimiter row of the table whose rows come now."""
    in_list: bool = False


@dataclass(frozen=True, slots=True)
class Break:
    """The start of a line."""

    at: int
    rank: Rank
    context: Context


class Scanner:
    """Reads a text line by line, in as many pieces as one likes, each ending with a line."""

    def __init__(self, context: Context, before: str = "") -> None:
        """`before`: the line above the first, when it is known."""
        self.context = context
        """What is open after the last line read."""
        self._before = before
        self._above = before  # the last line above that is not blank

    def read(self, text: str, start: int = 0) -> list[Break]:
        """The starts of its lines. `start`: where the text stands in the whole."""
        found: list[Break] = []
        at = start
        context, before, above = self.context, self._before, self._above
        for whole in text.splitlines(keepends=True) if "\r" not in text else re.findall(r"[^\n]*\n|[^\n]+", text):
            line = whole.rstrip("\r\n")
            filled = bool(line) and not line.isspace()
            rank, after = _line(line, before, above, context, filled)
            if filled or context.fence is not None:
                entering = context
                if context.header is not None and after.header is None:
                    entering = replace(context, header=None)
                found.append(Break(at, rank, entering))
            if after.header == "":  # the line is a delimiter row; the one above it is the header
                after = replace(after, header=f"{before}\n{line}\n")
            at += len(whole)
            context, before = after, line
            if filled:
                above = line
        self.context, self._before, self._above = context, before, above
        return found


def breaks(text: str, context: Context) -> tuple[list[Break], Context]:
    """The starts of all lines but the first, and what is open at the end of the text."""
    scanner = Scanner(context)
    found = scanner.read(text)
    return found[1:] if found and not found[0].at else found, scanner.context


_PLAIN, _LISTED = Context(), Context(in_list=True)


def _line(line: str, before: str, above: str, context: Context, filled: bool) -> tuple[Rank, Context]:
    """How well the text can be cut before a line, and what is open after it. `filled`: it is not blank."""
    if context.fence is not None:
        mark = context.fence.marker[0]
        if mark in line and _closes(line, context.fence):
            return Rank.NEVER, replace(context, fence=None)
        return Rank.NEVER if mark in before and _FENCE.match(before) else Rank.LINE, context
    in_list = context.in_list
    if filled and not before.strip() and line[0] not in " \t":
        in_list = False
    if context.header is None and not _MARKED.match(line) and "|" not in line:
        return _words(before, above, context, in_list)
    item = _ITEM.match(line)
    nested = item is not None and in_list and item[1] != ""
    in_list = in_list or item is not None
    after = _LISTED if in_list else _PLAIN
    opened = opening(line, anywhere=in_list)
    if opened is not None:
        after = replace(after, fence=opened)
    elif context.header is not None and "|" in line:
        after = replace(after, header=context.header)
    elif "|" in before and "|" in line and _DELIMITER.match(line):
        after = replace(after, header="")
        return Rank.NEVER, after
    if _HEADING.match(above) or (context.header is not None and _DELIMITER.match(before)):
        return Rank.NEVER, after
    if item is not None:
        return Rank.LINE if nested else Rank.ITEM, after
    if in_list and context.in_list:
        return Rank.INSIDE_ITEM, after
    return Rank.LINE if before.strip() else Rank.BLOCK, after


def _words(before: str, above: str, context: Context, in_list: bool) -> tuple[Rank, Context]:
    """As `_line`, of a line of a paragraph, or a blank one: most lines are."""
    after = _LISTED if in_list else _PLAIN
    if above and _HEADING.match(above):
        return Rank.NEVER, after
    if in_list and context.in_list:
        return Rank.INSIDE_ITEM, after
    return Rank.LINE if before and not before.isspace() else Rank.BLOCK, after


def opening(line: str, *, anywhere: bool) -> Fence | None:
    """The fence that a line opens; indented by more than three columns only where `anywhere` says so, as in a list."""
    match = _FENCE.match(line)
    if match is None or len(match[1].expandtabs(4)) > (_DEEPEST_FENCE if anywhere else 3):
        return None
    return None if match[2][0] == "`" and "`" in match[3] else Fence(match[1], match[2], match[3])


def _closes(line: str, fence: Fence) -> bool:
    match = _FENCE.match(line)
    return (
        match is not None
        and match[2][0] == fence.marker[0]
        and len(match[2]) >= len(fence.marker)
        and not match[3].strip()
    )
