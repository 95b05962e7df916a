"""Tables of GitHub Flavored Markdown (section 4.10) with rows of more cells than their head: parsers leave those out.

That is what a `|` in a code span makes, since it ends a cell there too. Escaped, it stands in its cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from gptbot.platforms.code_spans import code_spans
from gptbot.platforms.markdown import Event

_PIPE = re.compile(r"(?<!\\)\|")
"""What ends a cell: however many backslashes stand before a pipe, the last of them escapes it."""
_OF_DELIMITERS: Final = " \t\r>*+-|:.)0123456789"
"""What a delimiter row is made of, with what may stand before it in quotes and lists."""
_NOTHING: Final = " \t\r\n|"


def excess(row: str, columns: int, *, in_code_alone: bool = False) -> list[int]:
    """Where to put a backslash so that a row has no more cells than `columns`: in code first, else from the end.

    None where the cells that are too many are empty. `in_code_alone`: nowhere else.
    """
    start = len(row) - len(row.lstrip(" \t"))
    end = len(row.rstrip(" \t\r\n"))
    pipes = [match.start() for match in _PIPE.finditer(row, start, end)]
    if pipes and pipes[0] == start:
        del pipes[0]
    if pipes and pipes[-1] == end - 1:
        del pipes[-1]
    over = len(pipes) + 1 - columns
    if over <= 0 or columns < 1 or not row[pipes[-over] : end].strip(_NOTHING):
        return []
    found: list[int] = []
    inside = iter(pipes)
    pipe = next(inside, None)
    for opening, closing in code_spans(row, start, end)[0]:
        while pipe is not None and pipe < opening:
            pipe = next(inside, None)
        if len(found) >= over:
            break
        while pipe is not None and pipe < closing:
            found.append(pipe)
            pipe = next(inside, None)
    if (rest := over - len(found)) > 0 and not in_code_alone:
        in_code = set(found)
        found += [pipe for pipe in pipes if pipe not in in_code][-rest:]
    return sorted(found)


def escaped(row: str, columns: int, *, in_code_alone: bool = False) -> str:
    """The row with no more cells than `columns`, and all of its text; escaped as `excess` says."""
    parts: list[str] = []
    done = 0
    for at in excess(row, columns, in_code_alone=in_code_alone):
        parts += [row[done:at], "\\"]
        done = at
    return "".join([*parts, row[done:]]) if parts else row


def may_have(text: str) -> bool:
    """Whether some line below what may be a delimiter row has more cells than that, in time that is linear."""
    if "|" not in text:
        return False
    columns = 0
    for line in text.split("\n"):
        row = line.strip(" \t\r>")
        if not row:
            columns = 0
        if "|" not in row:  # a cell of a table's first column, as long as no line is blank
            continue
        cells = row.count("|") - row.startswith("|") - row.endswith("|") + 1
        if "-" in row and not row.strip(_OF_DELIMITERS):
            columns = cells
        elif columns and cells > columns:
            return True
    return False


def excess_of(source: bytes, events: Iterable[Event]) -> Iterator[int]:
    """Where `excess` wants backslashes in all tables of a text, by its events: offsets in bytes."""
    columns = 0
    for event, place in events:
        if not isinstance(event, dict):
            continue
        started: Any = cast("dict[str, Any]", event).get("Start")
        if started == "TableRow":
            # Pipes and backticks are single bytes, whatever stands between them.
            row = source[place["start"] : place["end"]].decode("latin-1")
            yield from (place["start"] + at for at in excess(row, columns))
        elif isinstance(started, dict) and "Table" in started:
            columns = len(cast("dict[str, Any]", started)["Table"])
