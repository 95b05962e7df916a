"""Markdown to what Telegram shows: plain text, and entities that say which parts of it are bold, code or links.

Entities need no parsing at the server, so Markdown that is not finished yet can never be refused.
"""

from __future__ import annotations

import re
import sys
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from gptbot.platforms.flanking import loosened
from gptbot.platforms.markdown import Budget, Source, Unrenderable, free_mark, masked, without_lone_surrogates
from gptbot.platforms.tables import excess
from gptbot.platforms.telegram.limits import MAX_LENGTH, RICH_MAX_LENGTH, utf16_length

if TYPE_CHECKING:
    from telegramify_markdown.config import RenderConfig

_PIPES = re.compile(rb"\|{2,}")
_FENCE = re.compile(rb"[ \t]*(`{3,}|~{3,})[ \t]*[^\s`]")
_CLOSING = re.compile(rb"[ \t>]*(`{3,}|~{3,})")
_FORMULA = re.compile(rb"\\\((?:[^\n|`\\]|\\[^()\n|`])++\\\)")
"""One that is not known to the parser."""
_DOLLAR: Final = ord("$")
_PASSES: Final = 4

Entity = dict[str, Any]
"""A `MessageEntity` of the Bot API; offset and length in UTF-16 code units."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as it is sent."""

    text: str
    entities: list[Entity] = field(default_factory=list[Entity])


def render(markdown: str) -> Rendered:
    """Render Markdown. Gives the Markdown itself as plain text where rendering would lose it or make it too long.

    Loads telegramify-markdown at the first call (0.1 s of CPU, 5 MiB).
    """
    source = without_lone_surrogates(markdown)
    if len(source) > MAX_LENGTH:
        return Rendered(source)
    try:
        from telegramify_markdown.converter import convert

        kept = _keep_literal(source, formulas=False)
        mark = free_mark(kept)
        text, entities = convert(loosened(kept, mark) if mark else kept, config=_symbols())
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # a renderer that fails, or panics in Rust, must not keep the answer from its reader
        return Rendered(source)
    rendered = Rendered(text.rstrip(), [entity.to_dict() for entity in entities])
    if mark and mark in text:
        rendered = _without(mark, rendered)
    length = utf16_length(rendered.text)
    if not rendered.text or length > MAX_LENGTH:
        return Rendered(source)
    shown = [entity for entity in rendered.entities if 0 < entity["length"] <= length - entity["offset"]]
    return Rendered(rendered.text, shown)


def _without(mark: str, rendered: Rendered) -> Rendered:
    """A message without a character that stands for nothing: each entity holds what it held else."""
    text = rendered.text
    units = [index for index, unit in enumerate(_units(text)) if unit == ord(mark)]

    def at(offset: int) -> int:
        return offset - bisect_left(units, offset)

    entities: list[Entity] = []
    for entity in rendered.entities:
        start, end = at(entity["offset"]), at(entity["offset"] + entity["length"])
        words = {name: value.replace(mark, "") for name, value in entity.items() if isinstance(value, str)}
        entities.append({**entity, **words, "offset": start, "length": end - start})
    return Rendered(text.replace(mark, ""), entities)


def _units(text: str) -> array[int]:
    return array("H", text.encode("utf-16-le" if sys.byteorder == "little" else "utf-16-be"))


def rich(markdown: str) -> dict[str, str]:
    """An `InputRichMessage`: the Markdown as it is, but for what the server would take for HTML, as in `List<int>`.

    Raises Unrenderable where that cannot be told, or where the escapes make it too long: shown as text it is whole.
    """
    try:
        kept = _keep_literal(without_lone_surrogates(markdown))
    except Unrenderable:
        raise
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the parser, in Rust, is no Exception
        raise Unrenderable(type(error).__name__) from None
    if utf16_length(kept) > RICH_MAX_LENGTH:
        raise Unrenderable("too long with its escapes")
    return {"markdown": kept}


def plain(markdown: str) -> Rendered:
    """The Markdown as it is, for a server that refuses its entities."""
    return Rendered(without_lone_surrogates(markdown))


@cache
def _symbols() -> RenderConfig:
    from telegramify_markdown.config import RenderConfig

    config = RenderConfig.isolated()
    symbol = config.markdown_symbol
    symbol.heading_level_1 = symbol.heading_level_2 = symbol.heading_level_3 = symbol.heading_level_4 = ""
    symbol.unordered_list_item = "•"
    return config


def _keep_literal(markdown: str, *, formulas: bool = True) -> str:
    """Escape what telegramify-markdown would drop or take for its own. Raises Unrenderable.

    That is HTML, as in `List<int>`, `||`, what a table's row has more than its head, and a code fence with words behind
    it and nothing below. Where a fence was escaped, what stands below it may mean something else, so the text is looked
    at again; a few times at most.
    """
    if len(markdown) > RICH_MAX_LENGTH:
        raise Unrenderable("longer than any message")
    budget = Budget()
    for _ in range(_PASSES):
        source = masked(markdown)
        found = _Literal(source, budget, formulas=formulas)
        if found.insertions:
            markdown = found.escaped()
        elif source.less in source.text:
            markdown = source.restore(source.text)
        if not found.again:
            return markdown
    raise Unrenderable("its code fences hide each other")


class _Literal:
    """What to put where in a text, by byte offset: backslashes, and a space into a table's empty cell."""

    def __init__(self, source: Source, budget: Budget, *, formulas: bool) -> None:
        from telegramify_markdown.converter import STANDARD_OPTIONS

        self._source = source
        self._bytes = source.text.encode()
        self.insertions: dict[int, bytes] = {}
        self.again = False
        """Whether the escapes change where blocks begin and end."""
        less = source.less.encode()
        self._less = {match.start() for match in re.finditer(less, self._bytes)}
        """Where `<` is masked and not in code."""
        self._fence: re.Match[bytes] | None = None
        self._in_code = False
        self._columns = 0
        """Of the table that was opened last."""
        self._in_table = False
        self._formulas = formulas
        for event, place in budget.events(source.text, STANDARD_OPTIONS):
            if isinstance(event, dict):
                self._take(cast("dict[str, Any]", event), place["start"], place["end"])
        self.insertions |= dict.fromkeys(self._less, b"\\")

    def _take(self, event: dict[str, Any], start: int, end: int) -> None:
        source, found = self._bytes, self.insertions
        match event:
            case {"Start": {"CodeBlock": _}}:
                self._in_code, self._fence = True, _FENCE.match(source, start, end)
            case {"End": "CodeBlock"}:
                self._in_code = False
                self._code_ends(start, end)
            case {"Text": _} if self._in_code:
                self._fence = None
            case {"Text": _}:
                found |= {pipe: b"\\" for run in _PIPES.finditer(source, start, end) for pipe in range(*run.span())}
            case {"End": "Table"}:
                self._in_table = False
            case {"Start": {"Table": columns}}:
                self._in_table, self._columns = True, len(columns)
                if not self._formulas:
                    for formula in _FORMULA.finditer(source, start, end):
                        self._as_code(*formula.span())
                found |= {pipe: b" " for run in _PIPES.finditer(source, start, end) for pipe in range(*run.span())[1:]}
            case {"Start": "TableRow"}:
                row = source[start:end].decode("latin-1")  # pipes and backticks are single bytes
                if pipes := excess(row, self._columns):
                    found |= {start + pipe: b"\\" for pipe in pipes}
                    self.again = self.again or (not self._formulas and "$" in row)
            case {"InlineHtml": _} | {"Start": "HtmlBlock"}:
                found[source.index(b"<", start, end)] = b"\\"
                self.again = self.again or "Start" in event
            case {"Code": _} | {"InlineMath": _} | {"DisplayMath": _}:
                self._is_code(start, end, inline=True)
                if self._in_table and not self._formulas and "Code" not in event:
                    self._as_code(start, end)
            case _:
                pass

    def _is_code(self, start: int, end: int, *, inline: bool = False) -> None:
        """Leave `<` as it is in code; but a line of a paragraph that starts with it would be HTML all the same."""
        if self._less:
            less = re.escape(self._source.less.encode())
            found = {match.start() for match in re.compile(less).finditer(self._bytes, start, end)}
            if inline:
                heads = re.compile(rb"\n[ \t>]*(" + less + rb")").finditer(self._bytes, start, end)
                found -= {match.start(1) for match in heads}
            self._less -= found

    def _as_code(self, start: int, end: int) -> None:
        """Make a formula code, which stays in its cell, or mere text where it has a mark of code in it."""
        found = self.insertions
        if b"`" in self._bytes[start:end]:
            found |= {at: b"\\" for at in range(start, end) if self._bytes[at] == _DOLLAR}
        elif found.get(start) == b"`":  # another one ends here
            found[end] = found.pop(start)
        else:
            found |= {at: b"`" + found.get(at, b"") for at in (start, end)}

    def _code_ends(self, start: int, end: int) -> None:
        if self._fence is None:  # a text came in between
            self._is_code(start, end)
            return
        self.again = True
        marks = [*range(*self._fence.span(1)), *_closing(self._bytes, self._fence.end(), end)]
        self.insertions |= dict.fromkeys(marks, b"\\")

    def escaped(self) -> str:
        """The text with the insertions in it."""
        parts: list[bytes] = []
        done = 0
        for offset, inserted in sorted(self.insertions.items()):
            parts += [self._bytes[done:offset], inserted]
            done = offset
        return self._source.restore(b"".join([*parts, self._bytes[done:]]).decode())


def _closing(source: bytes, start: int, end: int) -> range:
    """Where the marks of a closing fence stand, when the last line between is one."""
    while end > start and source[end - 1] in b" \t\r\n":
        end -= 1
    line = source.rfind(b"\n", start, end) + 1
    match = _CLOSING.match(source, line, end) if line else None
    return range(*match.span(1)) if match else range(0)
