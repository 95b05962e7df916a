"""Markdown to HTML that is safe to show: rendered by markdown-it, then sanitised by nh3 (allow-list)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_CLEANER = nh3.Cleaner(
    tags={
        "a", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
        "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
    },
    attributes={
        "*": set(), "a": {"href"}, "ol": {"start"}, "div": {"data-language"}, "td": {"data-align"},
        "th": {"data-align"},
    },
    tag_attribute_values={
        "div": {"class": {"table", "code"}, "tabindex": {"0"}},
        "pre": {"tabindex": {"0"}, "dir": {"ltr"}},
    },
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)  # fmt: skip


class _Renderer(RendererHTML):
    """Where the page's HTML is not markdown-it's: each method renders the token of its name."""

    _SIDES: ClassVar = {"text-align:left": "start", "text-align:center": "center", "text-align:right": "end"}

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        language = re.sub(r"[^\w+#.-]", "", tokens[idx].info.strip().split(" ")[0])[:20]
        label = f' data-language="{language}"' if language else ""
        code = escape(tokens[idx].content)
        return f'<div class="code"{label}><pre tabindex="0" dir="ltr"><code>{code}</code></pre></div>\n'

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self.fence(tokens, idx, options, env)

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """An image is a request to somebody else's server, so it becomes a link."""
        source = str(tokens[idx].attrs.get("src", ""))
        return f'<a href="{escape(source)}">{escape(tokens[idx].content or source)}</a>'

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A wide table scrolls inside its own box, which the keyboard can reach."""
        return '<div class="table" tabindex="0"><table>'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Alignment without an inline style, which the page's policy forbids."""
        side = self._SIDES.get(str(tokens[idx].attrs.get("style", "")))
        return f'<{tokens[idx].tag} data-align="{side}">' if side else f"<{tokens[idx].tag}>"

    td_open = th_open


def escape(text: str) -> str:
    """Plain text as HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _parser() -> MarkdownIt:
    options = {"html": False, "linkify": True, "breaks": True}
    return MarkdownIt("commonmark", options, renderer_cls=_Renderer).enable(["table", "strikethrough", "linkify"])


_PARSER = _parser()


def render(text: str) -> str:
    """HTML of a Markdown text."""
    return _CLEANER.clean(_PARSER.render(text))


def split_last_block(text: str) -> tuple[str, str]:
    """Cut before the last block of the top level: text added later can change nothing before it."""
    starts = [token.map[0] for token in _PARSER.parse(text) if token.level == 0 and token.map]
    if len(starts) < 2:
        return "", text
    cut = sum(len(line) + 1 for line in text.split("\n")[: max(starts)])
    return text[:cut], text[cut:]


_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_TICKS = re.compile(r"`+")
_OPEN_LINK = re.compile(r"!?\[([^\[\]\n]*)(?:\](?:\([^()\s]*)?)?$")
_MARKERS = re.compile(r"(?<!\\)(\*\*|__|~~|(?<![*\w])\*(?![*\s])|(?<=[\w)])\*(?![*\w]))")
_TABLE_HEAD = re.compile(r"^ *\|[^\n]*(?:\n *\|?[ :|-]*)?$")


def completed(block: str) -> str:
    """The last block of a text that is still being written, with what is open in it closed.

    So `**half a` does not show its asterisks first and turn bold later, half a link shows its words, and a table
    appears when its second line is there.
    """
    if _FENCE.match(block) or block.startswith("    "):
        return block  # markdown-it closes code by itself
    if _TABLE_HEAD.match(block):
        return ""
    prose, ticks = _without_code(block)
    if ticks:
        return block.removesuffix(ticks) if block.endswith(ticks) else block + ticks
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


def _without_code(text: str) -> tuple[str, str]:
    """The text without its code spans, and the backticks that open one which nothing closes (CommonMark, 6.1)."""
    prose, start = "", 0
    runs = list(_TICKS.finditer(text))
    while runs:
        opening = runs.pop(0)
        closing = next((run for run in runs if len(run[0]) == len(opening[0])), None)
        if closing is None:
            return prose, opening[0]
        prose += text[start : opening.start()]
        start = closing.end()
        runs = runs[runs.index(closing) + 1 :]
    return prose + text[start:], ""
