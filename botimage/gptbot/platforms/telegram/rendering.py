"""Markdown to what Telegram shows: plain text, and entities that say which parts of it are bold, code or links.

Entities need no parsing at the server, so Markdown that is not finished yet can never be refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from gptbot.platforms.telegram.limits import MAX_LENGTH, RICH_MAX_LENGTH, utf16_length

if TYPE_CHECKING:
    from telegramify_markdown.config import RenderConfig

_PIPES = re.compile(rb"\|{2,}")
_FENCE = re.compile(rb"[ \t]*(`{3,}|~{3,})[ \t]*[^\s`]")
_SUSPECT = re.compile(rb"<|\|\||```|~~~")

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
    try:
        from telegramify_markdown.converter import convert

        text, entities = convert(_keep_literal(source), config=_symbols())
    except Exception:  # a renderer that fails must not keep the answer from its reader
        return Rendered(source)
    text = text.rstrip()
    if not text or utf16_length(text) > MAX_LENGTH:
        return Rendered(source)
    length = utf16_length(text)
    kept = [entity.to_dict() for entity in entities if entity.length > 0 and entity.offset + entity.length <= length]
    return Rendered(text, kept)


def rich(markdown: str) -> dict[str, str]:
    """An `InputRichMessage`: the Markdown as it is, but for what the server would take for HTML, as in `List<int>`."""
    source = without_lone_surrogates(markdown)
    try:
        kept = _keep_literal(source)
    except Exception:  # a parser that fails must not keep the answer from its reader
        kept = source
    return {"markdown": kept if utf16_length(kept) <= RICH_MAX_LENGTH else source}


def plain(markdown: str) -> Rendered:
    """The Markdown as it is, for a server that refuses its entities."""
    return Rendered(without_lone_surrogates(markdown))


def without_lone_surrogates(text: str) -> str:
    """Replace what UTF-8 cannot carry: half of a surrogate pair, as a cut JSON escape leaves it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


@cache
def _symbols() -> RenderConfig:
    from telegramify_markdown.config import RenderConfig

    config = RenderConfig.isolated()
    symbol = config.markdown_symbol
    symbol.heading_level_1 = symbol.heading_level_2 = symbol.heading_level_3 = symbol.heading_level_4 = ""
    symbol.unordered_list_item = "•"
    return config


def _keep_literal(markdown: str) -> str:
    """Escape what telegramify-markdown would drop or take for its own.

    That is HTML, as in `List<int>`, `||`, and a code fence with words behind it and nothing below. HTML blocks hide
    what stands below their first line, so the text is parsed until none is left.
    """
    source = markdown.encode()
    while _SUSPECT.search(source) and (insertions := _insertions(source)):
        parts: list[bytes] = []
        done = 0
        for offset, inserted in sorted(insertions.items()):
            parts += [source[done:offset], inserted]
            done = offset
        source = b"".join([*parts, source[done:]])
    return source.decode()


def _insertions(source: bytes) -> dict[int, bytes]:
    """What to put where, by byte offset: backslashes, and a space into a table's empty cell."""
    import pyromark
    from telegramify_markdown.converter import STANDARD_OPTIONS

    found: dict[int, bytes] = {}
    in_code = False
    fence: re.Match[bytes] | None = None
    events = pyromark.events_with_range(source.decode(), options=STANDARD_OPTIONS)
    for event, place in cast("list[tuple[Any, dict[str, int]]]", list(events)):
        if not isinstance(event, dict):
            continue
        start, end = place["start"], place["end"]
        match cast("dict[str, Any]", event):
            case {"Start": {"CodeBlock": _}}:
                in_code, fence = True, _FENCE.match(source, start, end)
            case {"End": "CodeBlock"}:
                in_code = False
                if fence is not None:  # no text came in between
                    found |= dict.fromkeys(range(*fence.span(1)), b"\\")
            case {"Text": _} if in_code:
                fence = None
            case {"Text": _}:
                found |= {pipe: b"\\" for run in _PIPES.finditer(source, start, end) for pipe in range(*run.span())}
            case {"Start": {"Table": _}}:
                found |= {pipe: b" " for run in _PIPES.finditer(source, start, end) for pipe in range(*run.span())[1:]}
            case {"InlineHtml": _} | {"Start": "HtmlBlock"}:
                found[source.index(b"<", start, end)] = b"\\"
            case _:
                pass
    return found
