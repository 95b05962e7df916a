"""Markdown as models write it, made into what Discord shows (support.discord.com, "Markdown Text 101").

Discord knows bold, italics, lists, quotes, masked links, code, and headings of three levels. Tables, images, rules and
deeper headings are put into what it knows; nothing is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Final

from gptbot.platforms.base import Button
from gptbot.platforms.code_spans import code_spans
from gptbot.platforms.discord.limits import MAX_CUSTOM_ID, MAX_LABEL, ROW, ROWS
from gptbot.platforms.tables import escaped

RULE: Final = "⎯" * 12
_ACTION_ROW, _BUTTON = 1, 2
_SECONDARY: Final = 2
"""Style of a button: grey."""
_FENCE = re.compile(r"^( *+)(`{3,}+|~{3,}+)([^\n`]*)$")
_HEADING = re.compile(r"^ {0,3}#{4,6}[ \t]")
_RULE = re.compile(r"^ {0,3}(?:(?:-[ \t]*+){3,}|(?:\*[ \t]*+){3,}|(?:_[ \t]*+){3,})$")
_BULLET = re.compile(r"^([ \t]*)\+([ \t]+)")
_QUOTE = re.compile(r"^ {0,3}>(?:[ \t]?>)+[ \t]?")
_IMAGE = re.compile(
    r"!\[((?:[^!\]\n]|!(?!\[))*+)\]"  # its label
    r"\((<[^<>\n]*>|[^\s()]*+(?:\([^\s()]*\)[^\s()]*+)*+)"  # its address
    r"(?:[ \t]++(\"[^\"\n]*\"|'[^'\n]*'))?\)"  # its title
)
_DELIMITER = re.compile(r"^ {0,3}\|?[ \t]*:?-+:?[ \t]*+(?:\|[ \t]*:?-+:?[ \t]*+)*+\|?[ \t]*$")
_CELL_END = re.compile(r"(?<!\\)\|")
_PIPES = re.compile(r"\\[^\w\s]|https?://[^\s<>()]+|(?P<pipes>\|{2,})")
"""Runs of pipes; before them, what they are no runs in: escapes and addresses."""
_STRONG = re.compile(r"(\*\*|__|~~)(?=\S)(.{1,300}?)(?<=\S)\1")
_LINK = re.compile(r"(?<!!)\[([^\[\]\n]+)\]\(([^\s()]+)\)")
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_MOST_GROWN: Final = 3
"""How many times as long as its source a table may be when it is laid out; else its lines are shown as they are."""
_LEAST_GROWN: Final = 1000
"""Characters that it may have all the same."""


def render(markdown: str) -> str:
    """The text as it is sent to Discord."""
    lines = markdown.replace("\r\n", "\n").split("\n")
    out: list[str] = []
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence is not None:
            number = _code_block(lines, number, fence, out)
        elif _is_table(lines, number):
            number = _table(lines, number, out)
        else:
            out.append(_line(lines[number]))
            number += 1
    return "\n".join(out)


def rows(buttons: Sequence[Button]) -> list[dict[str, Any]]:
    """Buttons as a message's components (docs/components/reference): as many as Discord takes."""
    shown = [
        {
            "type": _BUTTON, "style": _SECONDARY, "label": button.label[:MAX_LABEL] or button.command[:MAX_LABEL],
            "custom_id": button.command,
        }
        for button in buttons
        if len(button.command) <= MAX_CUSTOM_ID
    ][: ROW * ROWS]  # fmt: skip
    return [{"type": _ACTION_ROW, "components": shown[at : at + ROW]} for at in range(0, len(shown), ROW)]


def _line(line: str) -> str:
    if _RULE.match(line):
        return RULE
    if _HEADING.match(line):
        text = line.strip(" \t").lstrip("#").strip(" \t")
        text = _prose(text.rstrip("#").rstrip(" \t") if text.endswith("#") else text)
        return text if not text or (text.startswith("**") and text.endswith("**")) else f"**{text}**"
    # ">>>" would quote all that follows.
    line = _QUOTE.sub("> ", _BULLET.sub(r"\1-\2", line))
    return _prose(line)


def _prose(line: str) -> str:
    """A line without images, and with no spoilers made of its `||`."""
    if "![" in line:
        line = _outside_code(line, lambda text: _IMAGE.sub(_image, text))
    return _outside_code(line, lambda text: _PIPES.sub(_literal, text)) if "||" in line else line


def _literal(match: re.Match[str]) -> str:
    """Pipes that hide nothing; what else was matched stays as it is."""
    if match["pipes"]:
        return match["pipes"].replace("|", "\\|")
    return match[0].replace("||", "%7C%7C")


def _image(match: re.Match[str]) -> str:
    label, url, title = match[1].strip(), match[2].strip("<>"), (match[3] or "")[1:-1]
    label = " – ".join(part for part in (label, title) if part)
    if not url:
        return label
    return f"[{label}]({url})" if label else url


def _outside_code(line: str, change: Callable[[str], str]) -> str:
    out: list[str] = []
    end = 0
    for start, after in code_spans(line)[0]:
        out += [change(line[end:start]), line[start:after]]
        end = after
    return "".join([*out, change(line[end:])])


def _code_block(lines: list[str], number: int, fence: re.Match[str], out: list[str]) -> int:
    """Copy a fenced block, its fence made of three backticks, and closed at the end; return the line after it."""
    indent, marks, info = fence[1], fence[2], fence[3]
    closing = re.compile(rf"^ *{re.escape(marks[0])}{{{len(marks)},}}[ \t]*$")
    out.append(f"{indent}```{info.strip()}")
    number += 1
    while number < len(lines) and not closing.match(lines[number]):
        # A zero-width space keeps three backticks inside from ending the block.
        out.append(lines[number].replace("```", "``\u200b`"))
        number += 1
    out.append(f"{indent}```")
    return number + 1


def _is_table(lines: list[str], number: int) -> bool:
    """Whether a table (GitHub Flavored Markdown, section 4.10) starts here: a row and a delimiter row as wide."""
    if number + 1 >= len(lines) or "|" not in lines[number] or not _DELIMITER.match(lines[number + 1]):
        return False
    columns = len(_cells(lines[number + 1]))
    return len(_cells(lines[number], columns, head=True)) == columns


def _cells(row: str, columns: int = 0, *, head: bool = False) -> list[str]:
    """The cells of a row; where it has more than `columns`, a `|` in a code span ends none, and in a body no other."""
    row = escaped(row, columns, in_code_alone=head).strip().removeprefix("|")
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    cells = [_plain(cell.strip().replace("\\|", "|")) for cell in _CELL_END.split(row)]
    return cells[:columns] if columns and not any(cells[columns:]) else cells


def _plain(cell: str) -> str:
    """A cell as it reads in a code block, where Markdown shows as it is written."""
    cell = _LINK.sub(lambda m: m[1] if m[1] == m[2] else f"{m[1]} ({m[2]})", _IMAGE.sub(_image, cell))
    return _CODE.sub(r"\1", _STRONG.sub(r"\2", cell)).replace("```", "``\u200b`")


def _table(lines: list[str], number: int, out: list[str]) -> int:
    """Lay a table out in a code block; return the line after it."""
    start = number
    columns = len(_cells(lines[number + 1]))
    rows = [_cells(lines[number], columns)]
    aligns = [cell.endswith(":") for cell in (c.strip() for c in lines[number + 1].strip().strip("|").split("|"))]
    number += 2
    while number < len(lines) and lines[number].strip() and "|" in lines[number] and not _FENCE.match(lines[number]):
        rows.append(_cells(lines[number], columns))
        number += 1
    source = lines[start:number]
    widths = _widths(rows)
    size = (sum(widths) + 3 * len(widths)) * (len(rows) + 1)
    if size > _MOST_GROWN * sum(len(line) + 1 for line in source) + _LEAST_GROWN:
        out += ["```", *(line.replace("```", "``\u200b`") for line in source), "```"]
        return number
    aligns += [False] * (len(widths) - len(aligns))

    def lay(row: list[str]) -> str:
        cells = zip(row + [""] * (len(widths) - len(row)), widths, aligns, strict=False)
        return " │ ".join(_pad(cell, width, right=right) for cell, width, right in cells).rstrip()

    head, *body = rows
    out += ["```", lay(head), "─┼─".join("─" * width for width in widths), *map(lay, body), "```"]
    return number


def _widths(rows: list[list[str]]) -> list[int]:
    """How wide each column is."""
    widths: list[int] = []
    for row in rows:
        widths += [0] * (len(row) - len(widths))
        for column, cell in enumerate(row):
            widths[column] = max(widths[column], _width(cell))
    return widths


def _pad(cell: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(cell))
    return space + cell if right else cell + space


def _width(text: str) -> int:
    """Columns a text takes in a fixed-width font: East Asian wide characters take two (Unicode UAX 11)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
