"""Markdown that is still being written, with what is open in it closed."""

from __future__ import annotations

import re

from gptbot.platforms.code_spans import code_spans
from gptbot.platforms.formulas import closed, replaced

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_OPEN_LINK = re.compile(r"!?\[([^\[\]\n]*)(?:\](?:\([^()\s]*)?)?$")
_MARKERS = re.compile(r"(?<!\\)(\*\*|__|~~|(?<![*\w])\*(?![*\s])|(?<=[\w)])\*(?![*\w]))")
_TABLE_HEAD = re.compile(r"^ *\|[^\n]*(?:\n[ :|-]*)?$")


def completed(block: str) -> str:
    """The last block of a text that is still being written, with what is open in it closed.

    So `**half a` does not show its asterisks first and turn bold later, half a link shows its words, and a table
    appears when its second line is there.
    """
    if _FENCE.match(block) or block.startswith("    "):
        return block  # the parser closes code by itself
    if _TABLE_HEAD.match(block):
        return ""
    prose, ticks = without_code(block)
    if ticks:
        return block.removesuffix(ticks) if block.endswith(ticks) else block + ticks
    if (formula := closed(block)) is not None:
        return formula
    prose = replaced(prose, lambda _: " ")
    text = _OPEN_LINK.sub(r"\1", block)
    open_markers: list[str] = []
    for marker in _MARKERS.findall(_OPEN_LINK.sub(r"\1", prose)):
        if marker in open_markers:
            del open_markers[open_markers.index(marker) :]
        else:
            open_markers.append(marker)
    for marker in reversed(open_markers):
        text = text.rstrip()
        text = text.removesuffix(marker) if text.endswith(marker) else text + marker
    return text


def without_code(text: str) -> tuple[str, str]:
    """The text without its code spans, and the backticks that open one which nothing closes (CommonMark, 6.1)."""
    spans, unclosed = code_spans(text)
    most = unclosed[0].start() if unclosed else len(text)
    prose: list[str] = []
    done = 0
    for start, end in spans:
        if start > most:
            break
        prose.append(text[done:start])
        done = end
    if unclosed:
        return "".join(prose), unclosed[0][0]
    return "".join([*prose, text[done:]]), ""
