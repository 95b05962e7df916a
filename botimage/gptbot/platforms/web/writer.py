"""Events of a Markdown parser to HTML: linear in the events, and no deeper than browsers take it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, cast
from urllib.parse import quote

from gptbot.platforms.markdown import Event, Source
from gptbot.platforms.web.autolinks import addresses

_DEEPEST: Final = 40
"""Elements inside each other; what is deeper is shown without its tags. HTML parsers take time by depth."""
_MOST_FILLED: Final = 200
"""Cells of a text that are added where rows are shorter than their head."""
_MOST_LINKED: Final = 200_000
"""Characters of the links' addresses: a reference repeats its address each time."""
_MOST_FORMULAS: Final = 1000
"""Formulas of a text that are elements of their own."""
_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_QUOTED = re.compile(r"\n[ \t]{0,80}>[ \t>]{0,80}")
_BLOCK = re.compile(r"<(?:p|ul|ol|h[1-6]|blockquote|div class=\"table\")(?=[ >])")
_AUTO: Final = ' dir="auto"'
_TO_THE_LEFT: Final = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
"""Hebrew, Arabic and their kin."""
_WORD = re.compile(rf"(?P<left>[{_TO_THE_LEFT}]++)|[^\W\d_{_TO_THE_LEFT}]++")
_BOXES: Final = {"Emphasis": "em", "Strong": "strong"}
_LINES: Final = {"Paragraph": "p", "Item": "li", "TableRow": "tr"}
_PERCENT: Final = {code: quote(chr(code)) for code in range(0x80, 0xC0)}
_SIDES: Final = {"Left": "start", "Center": "center", "Right": "end"}


def escape(text: str) -> str:
    """Plain text as HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _address(text: str) -> str:
    """A link's address as an attribute, without the characters that nh3 takes quadratic time to write there."""
    return escape(text.translate(_PERCENT))


def paragraph(text: str) -> str:
    """A text as it was written: its lines are kept, its Markdown is not rendered."""
    return '<p dir="auto">' + escape(text.strip("\n")).replace("\n", "<br>\n") + "</p>\n"


class Writer:
    """Takes events and makes HTML of them. `finish` gives it; `drop_last_block` leaves out what is not complete."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._bytes = source.text.encode()
        self._out: list[str] = []
        self._closing: list[str] = []
        """What closes each element that is open: nothing, where it has no tags."""
        self._tags = 0
        """Elements that are open and have tags."""
        self._text: list[str] = []
        """Text not written yet: parsers give it in pieces, and an address may be in several."""
        self._block = (0, 0)
        """Where the last block of the top level starts: in the output, and in the source in bytes."""
        self._turns = re.search(f"[{_TO_THE_LEFT}]", source.text) is not None
        """Whether anything in the text is read from right to left."""
        self._opening = 0
        """Where the last one with a direction starts in the output."""
        self._words = [0, 0]
        """Of that block: those read from left to right, and from right to left."""
        self._in_code = False
        self._links = 0
        """Links that are open."""
        self._linked = 0
        self._images: list[tuple[str, int]] = []
        """Address, and start in the output, of each image that is open."""
        self._aligned: list[str] = []
        self._formulas = 0
        self._column = 0
        self._cell = "td"
        self._filled = 0

    def write(self, events: Iterable[Event]) -> None:
        """Write events. What was written stays when `events` raises."""
        for event, place in events:
            if isinstance(event, str):
                self._mark(event, place["start"])
                continue
            ((name, value),) = cast("dict[str, Any]", event).items()
            if name == "Start":
                self._start(value, place["start"], place["end"])
            elif name == "End":
                self._end()
            elif name == "Code":
                self._flush()
                self._out.append(f"<code>{self._escaped(value)}</code>")
            elif isinstance(value, str):  # text, and HTML, which is text here
                self._text.append(value)

    def finish(self) -> str:
        """The HTML."""
        self._flush()
        return "".join(self._out)

    def drop_last_block(self) -> str:
        """Leave out the block of the top level that is being written, and return its source and what follows."""
        at, start = self._block
        del self._out[at:]
        self._text.clear()
        return self._source.restore(self._bytes[start:].decode())

    def _mark(self, name: str, start: int) -> None:
        self._flush()
        if name == "Rule":
            if not self._closing:
                self._block = (len(self._out), start)
            self._out.append("<hr>\n")
        elif name in ("SoftBreak", "HardBreak"):
            self._out.append(" " if self._images else "<br>\n")

    def _start(self, tag: Any, start: int, end: int) -> None:
        self._flush()
        if not self._closing:
            self._block = (len(self._out), start)
        name: str
        value: Any
        ((name, value),) = [(tag, None)] if isinstance(tag, str) else cast("dict[str, Any]", tag).items()
        if self._images:  # its label is plain text
            self._open("", "")
        elif name in _BOXES:
            self._open(f"<{_BOXES[name]}>", f"</{_BOXES[name]}>")
        elif name in _LINES:
            self._column = 0
            self._open(f"<{_LINES[name]}>", f"</{_LINES[name]}>\n")
        elif name == "Image":
            self._images.append((str(value["dest_url"]), len(self._out)))
            self._closing.append("image")
        elif name == "TableCell":
            self._table_cell(start, end)
        else:
            self._other(name, value, start)

    def _other(self, name: str, value: Any, start: int) -> None:
        match name:
            case "Strikethrough" if self._bytes[start : start + 2] == b"~~":
                self._open("<s>", "</s>")
            case "Strikethrough":
                self._open("~", "~", tag=False)
            case "Link":
                self._link(value)
            case "CodeBlock":
                self._code(value)
            case "Heading":
                level = str(value["level"]).lower()
                self._open(f"<{level}>", f"</{level}>\n")
            case "BlockQuote":
                self._open("<blockquote>\n", "</blockquote>\n")
            case "List":
                self._list(value)
            case "Table":
                self._aligned = [str(side) for side in value]
                # A wide table scrolls inside its own box, which the keyboard can reach.
                self._open('<div class="table" tabindex="0"><table>\n', "</tbody></table></div>\n")
            case "TableHead":
                self._cell, self._column = "th", 0
                self._open("<thead><tr>", "</tr></thead>\n<tbody>\n")
            case _:  # blocks of HTML: their text is what counts
                self._open("", "")

    def _end(self) -> None:
        self._flush()
        closing = self._closing.pop()
        if closing == "image":
            self._image()
            return
        if closing.startswith("<"):
            self._tags -= 1
        self._links -= closing == "</a>"
        self._in_code = False
        if closing.startswith("</tr></thead>"):
            self._cell = "td"
        self._out.append(closing)
        if self._turns and not self._closing:
            self._turn_block()

    def _turn_block(self) -> None:
        """Have a block go from right to left if most of its words do, though its first one may not.

        `auto` goes by the first letter alone: that of a name of a program, in many a list and table.
        """
        if self._words[1] > self._words[0]:
            self._out[self._opening] = self._out[self._opening].replace(_AUTO, ' dir="rtl"', 1)
        self._words = [0, 0]

    def _open(self, opening: str, closing: str, *, tag: bool = True) -> None:
        """Open an element; without its tags where it would be too deep.

        Each block of the top level goes in the direction of its own text (see `_turn_block`). Blocks inside it follow
        it: HTML leaves what has a direction of its own out when it looks for the first letter of what is around.
        """
        if not self._closing and (found := _BLOCK.match(opening)):
            self._opening = len(self._out)
            opening = f"{opening[: found.end()]}{_AUTO}{opening[found.end() :]}"
        if tag and opening:
            if self._tags >= _DEEPEST:
                opening = closing = ""
            else:
                self._tags += 1
        self._out.append(opening)
        self._closing.append(closing)

    def _list(self, start: int | None) -> None:
        if self._out and not self._out[-1].endswith("\n"):
            self._out.append("\n")
        if start is None:
            self._open("<ul>\n", "</ul>\n")
        else:
            self._open("<ol>\n" if start == 1 else f'<ol start="{start}">\n', "</ol>\n")

    def _code(self, kind: Any) -> None:
        info = self._source.restore(str(kind["Fenced"])) if isinstance(kind, dict) else ""
        language = re.sub(r"[^\w+#.-]", "", info[:80].strip().split(" ")[0])[:20]
        label = f' data-language="{language}"' if language else ""
        self._in_code = True
        self._open(f'<div class="code"{label}><pre tabindex="0" dir="ltr"><code>', "</code></pre></div>\n")

    def _link(self, link: dict[str, Any]) -> None:
        address = str(link["dest_url"])
        if link["link_type"] == "Email":
            address = f"mailto:{address}"
        self._linked += len(address)
        if self._links or not _LINK.match(address) or self._linked > _MOST_LINKED or self._tags >= _DEEPEST:
            self._open("", "")
            return
        self._open(f'<a href="{_address(self._source.restore(address))}">', "</a>")
        self._links += 1

    def _image(self) -> None:
        """An image is a request to somebody else's server, so it becomes a link."""
        source, start = self._images.pop()
        if self._images:
            return
        label = "".join(self._out[start:]) or self._escaped(source)
        self._linked += len(source)
        if not self._links and _LINK.match(source) and self._linked <= _MOST_LINKED:
            label = f'<a href="{_address(self._source.restore(source))}">{label}</a>'
        self._out[start:] = [label]

    def _table_cell(self, start: int, end: int) -> None:
        """Alignment goes without an inline style, which the page's policy forbids."""
        side = _SIDES.get(self._aligned[self._column]) if self._column < len(self._aligned) else None
        self._column += 1
        if start == end:  # no such cell was written
            self._filled += 1
            if self._filled > _MOST_FILLED:
                self._open("", "")
                return
        self._open(f'<{self._cell} data-align="{side}">' if side else f"<{self._cell}>", f"</{self._cell}>\n")

    def _escaped(self, text: str) -> str:
        return escape(self._source.restore(text))

    def _flush(self) -> None:
        """Write the text that is held, with its addresses as links."""
        if not self._text:
            return
        text = "".join(self._text)
        self._text.clear()
        if self._in_code or self._images:
            self._out.append(self._escaped(text))
            return
        for formula, part in self._source.parts(text):
            if formula:
                self._formula(self._source.formulas[int(part)])
            else:
                self._prose(self._source.restore(part))

    def _formula(self, written: str) -> None:
        """A formula as it was written. Mathematics goes from left to right, whatever stands around it."""
        if "</blockquote>\n" in self._closing:
            written = _QUOTED.sub("\n", written)
        shown = escape(written).replace("\n", "<br>\n")
        self._formulas += 1
        if self._formulas > _MOST_FORMULAS:
            self._out.append(shown)
            return
        self._out.append(f'<span class="formula" dir="ltr">{shown}</span>')

    def _prose(self, text: str) -> None:
        if self._turns:
            for word in _WORD.finditer(text):
                self._words[word.lastgroup is not None] += 1
        if self._links:
            self._out.append(escape(text))
            return
        done = 0
        for start, end, link in addresses(text):
            self._out += [escape(text[done:start]), f'<a href="{_address(link)}">{escape(text[start:end])}</a>']
            done = end
        self._out.append(escape(text[done:]))
