"""Markdown to HTML that is safe to show: written from the parser's events, then sanitised by nh3 (allow-list)."""

from __future__ import annotations

import re
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b
from typing import Final

import nh3
from pyromark import Options

from gptbot.platforms.markdown import Budget, Source, Unrenderable, masked, without_lone_surrogates
from gptbot.platforms.tables import excess_of, may_have
from gptbot.platforms.web.unfinished import completed
from gptbot.platforms.web.writer import Writer, escape, paragraph

__all__ = ["completed", "escape", "render", "rendered", "split_last_block"]

_CLEANER = nh3.Cleaner(
    tags={
        "a", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
        "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
    },
    attributes={
        "*": set(), "a": {"href"}, "ol": {"start"}, "div": {"data-language"}, "td": {"data-align"},
        "th": {"data-align"},
    },
    tag_attribute_values={
        **{tag: {"dir": {"auto", "rtl"}} for tag in ("p", "ul", "ol", "blockquote")},
        **{f"h{level}": {"dir": {"auto", "rtl"}} for level in range(1, 7)},
        "div": {"class": {"table", "code"}, "tabindex": {"0"}, "dir": {"auto", "rtl"}},
        "pre": {"tabindex": {"0"}, "dir": {"ltr"}},
        "span": {"class": {"formula"}, "dir": {"ltr"}},
    },
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)  # fmt: skip
_OPTIONS: Final = Options.ENABLE_TABLES | Options.ENABLE_STRIKETHROUGH
_LONGEST: Final = 40_000
"""Characters of a text that is looked at as Markdown. Messages are shorter; what lies in the store need not be."""
_LONG_TEXT = re.compile(r"(?<=>)[^<]{1000,}")
"""A text between two tags, in which `&` begins a character reference."""
_PIECE = re.compile(r"(?:[^&]|&[#\w]{1,9}+;){1,1000}+")
_CACHED: Final = 8_000_000
"""Characters of HTML that are kept for the next page."""


def render(text: str) -> str:
    """HTML of a Markdown text, in time that is linear in its length.

    From the block on at which it would cost too much, it is shown as it was written: nothing of it is left out.
    """
    text = without_lone_surrogates(text)
    try:
        return _CLEANER.clean(_in_pieces(_written(text)))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # a renderer that fails, or panics in Rust, must not keep the answer from its reader
        return paragraph(text)


def rendered(text: str) -> str:
    """As `render`, of a text that will not change any more: its HTML is kept for a while."""
    return _CACHE.get(text)


def _in_pieces(html: str) -> str:
    """The same with comments in its long texts, which are taken out again.

    Writing a text takes nh3 time that is quadratic in its characters from U+0080 to U+00BF, such as `«` and `±`.
    """
    return _LONG_TEXT.sub(lambda text: _PIECE.sub(r"\g<0><!---->", text[0]), html)


def _written(text: str) -> str:
    if len(text) > _LONGEST:
        raise Unrenderable("longer than any message")
    source = _with_whole_rows(masked(text, formulas=True))
    writer = Writer(source)
    try:
        writer.write(Budget().events(source.text, _OPTIONS))
    except Unrenderable:
        rest = writer.drop_last_block()
        return writer.finish() + paragraph(rest)
    return writer.finish()


def _with_whole_rows(source: Source) -> Source:
    """The text with what a parser would leave out of its tables' rows."""
    if not may_have(source.text):
        return source
    encoded = source.text.encode()
    parts: list[bytes] = []
    done = 0
    with suppress(Unrenderable):  # the block where the events end is shown as it was written
        for at in excess_of(encoded, Budget().events(source.text, _OPTIONS)):
            parts += [encoded[done:at], b"\\"]
            done = at
    return replace(source, text=b"".join([*parts, encoded[done:]]).decode()) if parts else source


def split_last_block(text: str) -> tuple[str, str]:
    """Cut before the last block of the top level: text added later can change nothing before it.

    A text that costs too much to look at has no block that is done.
    """
    if len(text) > _LONGEST:
        return "", text
    try:
        source = masked(text, formulas=True)
        cut = _last_block(source)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # see `render`
        return "", text
    before = len(source.restore(source.text.encode()[:cut].decode()))
    return text[:before], text[before:]


def _last_block(source: Source) -> int:
    """Where the line starts at which the last block does, in bytes; 0 for the first block.

    A line that is not at its end may still turn out to go on with what stands right above it, as a row of a table does.
    """
    encoded = source.text.encode()
    depth, before, last = 0, 0, 0
    for event, place in Budget().events(source.text, _OPTIONS):
        if event == "Rule" or (isinstance(event, dict) and "Start" in event):
            if depth == 0:
                before, last = last, _line_start(encoded, place["start"])
            depth += event != "Rule"
        elif isinstance(event, dict) and "End" in event:
            depth -= 1
    unfinished = encoded.find(b"\n", last) < 0
    return before if unfinished and encoded[_line_start(encoded, last - 1) : last].strip() else last


def _line_start(text: bytes, at: int) -> int:
    return max(text.rfind(b"\n", 0, max(at, 0)), text.rfind(b"\r", 0, max(at, 0))) + 1


class _Cache:
    """HTML of texts, by the texts' digest, so that nobody can make one text pass for another. The oldest goes first."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._html: OrderedDict[bytes, str] = OrderedDict()

    def get(self, text: str) -> str:
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).digest()
        if (html := self._html.get(key)) is not None:
            self._html.move_to_end(key)
            return html
        html = self._html[key] = render(text)
        self._size += len(html)
        while self._size > self._most:
            _, gone = self._html.popitem(last=False)
            self._size -= len(gone)
        return html


_CACHE: Final = _Cache(_CACHED)
