"""A rich message that somebody sent, forwarded or replied to (Bot API, `RichMessage`), as a text with entities.

What is a mark of its block in Markdown (`#`, `-`, `|`, `$$`) stands in the text; links, code and mentions are entities,
as in a message of plain text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from gptbot.platforms.telegram.limits import MOST_ENTITIES, RICH_MAX_LENGTH, RICH_MOST_PARTS, utf16_length

_MENTIONS: Final = frozenset({"mention", "text_mention", "bot_command"})
_MOST_HEADING: Final = 6


def flat(message: Any) -> tuple[str, list[dict[str, Any]]]:
    """The text and the entities of a `RichMessage`, without what cannot be read or is beyond what one holds.

    The caller has seen that it is not nested too deep (`polling.too_deep`).
    """
    found = _Flat()
    found.blocks(_items(_fields(message).get("blocks")), 0, "\n\n")
    return "".join(found.parts), found.entities


def photo(message: Any) -> list[Any]:
    """The sizes of the first photo that stands in a `RichMessage` by itself; empty: there is none."""
    for block in _items(_fields(message).get("blocks"))[:RICH_MOST_PARTS]:
        if _fields(block).get("type") == "photo":
            return _items(_fields(block).get("photo"))
    return []


class _Flat:
    """A text that is put together, and what is marked in it. Entities count UTF-16 code units."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.entities: list[dict[str, Any]] = []
        self._length = 0
        self._left = RICH_MOST_PARTS
        self._kinds: dict[str, Callable[[Mapping[str, Any], int], None]] = {
            "paragraph": self._paragraph, "footer": self._paragraph, "expandable_blockquote": self._paragraph,
            "pullquote": self._paragraph, "thinking": self._paragraph, "heading": self._heading, "pre": self._pre,
            "mathematical_expression": self._formula, "list": self._list, "table": self._table,
            "divider": lambda _, __: self.write("---"),
        }  # fmt: skip

    def write(self, text: str) -> None:
        """Add words."""
        self.parts.append(text)
        self._length += utf16_length(text)

    def blocks(self, blocks: list[Any], level: int, between: str) -> None:
        """Add blocks; those that say nothing leave no gap."""
        first = True
        for block in blocks:
            if not self._goes_on():
                return
            given = _fields(block)
            length, parts = self._length, len(self.parts)
            if not first:
                self.write(between)
            began = self._length
            self._kinds.get(str(given.get("type")), self._other)(given, level)
            if self._length == began:
                self._length = length
                del self.parts[parts:]
            else:
                first = False

    def _goes_on(self) -> bool:
        """Whether a further part is read. What is left of a message is passed over without being looked at."""
        self._left -= 1
        return self._left >= 0 and self._length < RICH_MAX_LENGTH

    def _other(self, block: Mapping[str, Any], level: int) -> None:
        """A block around others (a quotation, details, a collage), one with a caption, or one that nobody knows."""
        began = self._length
        for name in ("summary", "text"):
            self.text(block.get(name))
        inner = _items(block.get("blocks"))
        if inner:
            self.write("\n" if self._length > began else "")
            self.blocks(inner, level, "\n")
        if (caption := _fields(block.get("caption")).get("text")) is not None:
            self.write("\n" if self._length > began else "")
            self.text(caption)

    def _paragraph(self, block: Mapping[str, Any], _: int) -> None:
        self.text(block.get("text"))

    def _heading(self, block: Mapping[str, Any], _: int) -> None:
        size = block.get("size")
        self.write("#" * (size if type(size) is int and 1 <= size <= _MOST_HEADING else 1) + " ")
        self.text(block.get("text"))

    def _pre(self, block: Mapping[str, Any], _: int) -> None:
        self._marked("pre", block.get("text"), language=block.get("language"))

    def _formula(self, block: Mapping[str, Any], _: int) -> None:
        self.write(f"$${_words(block.get('expression'))}$$")

    def _list(self, block: Mapping[str, Any], level: int) -> None:
        for number, item in enumerate(map(_fields, _items(block.get("items")))):
            if not self._goes_on():
                return
            label = _words(item.get("label"))
            checked = ("[x] " if item.get("is_checked") else "[ ] ") if item.get("has_checkbox") else ""
            mark = label if label.rstrip(".)").isalnum() else "-"
            self.write(("\n" if number else "") + "  " * level + f"{mark} {checked}")
            self.blocks(_items(item.get("blocks")), level + 1, "\n")

    def _table(self, block: Mapping[str, Any], _: int) -> None:
        for number, row in enumerate(map(_items, _items(block.get("cells")))):
            self.write("\n|" if number else "|")
            for cell in map(_fields, row):
                if not self._goes_on():
                    return
                self.write(" ")
                self.text(cell.get("text"))
                self.write(" |")
            if number == 0:
                self.write("\n|" + "---|" * min(len(row), RICH_MOST_PARTS))

    def text(self, value: Any) -> None:
        """Add a `RichText`."""
        if not self._goes_on():
            return
        if isinstance(value, str):
            self.write(value[:RICH_MAX_LENGTH])
        elif isinstance(value, list):
            for part in cast("list[Any]", value)[:RICH_MOST_PARTS]:
                self.text(part)
        elif isinstance(value, dict):
            self._part(cast("dict[str, Any]", value))

    def _part(self, part: Mapping[str, Any]) -> None:
        match kind := part.get("type"):
            case "code":
                self._marked("code", part.get("text"))
            case "url":
                self._marked("text_link", part.get("text"), url=part.get("url"))
            case "mathematical_expression":
                self.write(f"${_words(part.get('expression'))}$")
            case "custom_emoji":
                self.write(_words(part.get("alternative_text")))
            case "button":
                self.text(_fields(part.get("button")).get("text"))
            case str() if kind in _MENTIONS:
                self._marked(kind, part.get("text"), user=part.get("user"))
            case _:
                self.text(part.get("text"))

    def _marked(self, kind: str, text: Any, **more: Any) -> None:
        began = self._length
        self.text(text)
        if len(self.entities) >= MOST_ENTITIES:
            return
        entity = {"type": kind, "offset": began, "length": self._length - began}
        self.entities.append(entity | {name: value for name, value in more.items() if value is not None})


def _fields(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ""
