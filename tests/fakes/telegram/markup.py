"""`parse_mode` HTML and MarkdownV2: what is not well formed is refused with "can't parse entities".

The rules are those of the Bot API's "Formatting options"; the errors are TDLib's (`td/telegram/MessageEntity.cpp`).
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from tests.fakes.telegram.state import ApiError, Json, bad_request
from tests.fakes.telegram.text import utf16_length


def parse(text: str, mode: str) -> tuple[str, list[Json]]:
    """The plain text and its entities."""
    match mode.lower():
        case "html":
            return _html(text)
        case "markdownv2":
            return _markdown(text)
        case "markdown":
            raise ApiError(501, "This server stands in for Telegram without the legacy parse_mode Markdown")
        case _:
            raise bad_request("unsupported parse_mode")


def _cannot(reason: str) -> ApiError:
    return bad_request(f"can't parse entities: {reason}")


def _bytes(text: str, place: int) -> int:
    return len(text[:place].encode())


@dataclass(slots=True)
class _Open:
    kind: str
    offset: int
    place: int
    tag: str = ""
    url: str = ""
    language: str = ""

    def closed(self, end: int) -> list[Json]:
        entity: Json = {"type": self.kind, "offset": self.offset, "length": end - self.offset}
        if self.url:
            entity["url"] = self.url
        if self.language:
            entity["language"] = self.language
        return [entity] if end > self.offset and self.kind else []


_TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler", "span": "spoiler",
    "code": "code", "pre": "pre", "a": "text_link", "blockquote": "blockquote", "tg-emoji": "custom_emoji",
}  # fmt: skip
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)((?:\s+[^<>]*)?)>")
_ATTRIBUTE = re.compile(r"""([A-Za-z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_REFERENCE = re.compile(r"&(?:#[0-9]+|#x[0-9A-Fa-f]+|lt|gt|amp|quot);")


def _html(text: str) -> tuple[str, list[Json]]:
    out: list[str] = []
    length = place = 0
    stack: list[_Open] = []
    entities: list[Json] = []

    def write(part: str) -> None:
        nonlocal length
        plain = _REFERENCE.sub(lambda match: html.unescape(match[0]), part)
        out.append(plain)
        length += utf16_length(plain)

    while (bracket := text.find("<", place)) >= 0:
        write(text[place:bracket])
        at = _bytes(text, bracket)
        tag = _TAG.match(text, bracket)
        if tag is None:
            name = re.match(r"</?([A-Za-z0-9-]*)", text[bracket:])
            if ">" in text[bracket:]:
                raise _cannot(f'Unsupported start tag "{name[1] if name else ""}" at byte offset {at}')
            raise _cannot(f"Unclosed start tag at byte offset {at}")
        closing, name, attributes = tag[1], tag[2].lower(), tag[3]
        if closing:
            if not stack:
                raise _cannot(f"Unexpected end tag at byte offset {at}")
            last = stack.pop()
            if last.tag != name:
                raise _cannot(f'Unmatched end tag at byte offset {at}, expected "</{last.tag}>", found "</{name}>"')
            entities += last.closed(length)
        else:
            stack.append(_opened(name, attributes, length, at))
        place = tag.end()
    write(text[place:])
    if stack:
        raise _cannot(f'Can\'t find end tag corresponding to start tag "{stack[-1].tag}"')
    return "".join(out), entities


def _opened(name: str, attributes: str, length: int, at: int) -> _Open:
    if name not in _TAGS:
        raise _cannot(f'Unsupported start tag "{name}" at byte offset {at}')
    values = {match[1].lower(): match[2] or match[3] or match[4] or "" for match in _ATTRIBUTE.finditer(attributes)}
    if name == "span" and values.get("class") != "tg-spoiler":
        raise _cannot(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
    kind = _TAGS[name] if name != "a" or values.get("href") else ""
    return _Open(kind, length, at, tag=name, url=html.unescape(values.get("href", "")) if name == "a" else "")


_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
_MARKS = {
    "*": "bold",
    "_": "italic",
    "__": "underline",
    "~": "strikethrough",
    "||": "spoiler",
    "`": "code",
    "```": "pre",
}
_URL = re.compile(r"\(((?:\\.|[^)\\])*)\)", re.DOTALL)
_NAMES = {"bold": "Bold", "italic": "Italic", "underline": "Underline", "strikethrough": "Strikethrough",
          "spoiler": "Spoiler", "code": "Code", "pre": "Pre", "text_link": "TextUrl"}  # fmt: skip


def _markdown(text: str) -> tuple[str, list[Json]]:
    out: list[str] = []
    length = place = 0
    stack: list[_Open] = []
    entities: list[Json] = []
    quote: int | None = 0 if text.startswith(">") else None
    if quote is not None:
        place = 1

    def write(part: str) -> None:
        nonlocal length
        out.append(part)
        length += utf16_length(part)

    while place < len(text):
        character = text[place]
        top = stack[-1].kind if stack else ""
        in_code = top in ("code", "pre")
        if character == "\\" and 0 < ord(text[place + 1 : place + 2] or "\0") <= 126:
            write(text[place + 1])
            place += 2
            continue
        if character == "\n" and not in_code:
            quoted = text[place + 1 : place + 2] == ">"
            if quote is not None and not quoted:
                if stack:
                    raise _unfinished(stack[-1])
                entities += _Open("blockquote", quote, 0).closed(length)
                quote = None
            write("\n")
            place += 1
            if quoted:
                quote = length if quote is None else quote
                place += 1
            continue
        if character not in _RESERVED or (in_code and character != "`"):
            write(character)
            place += 1
            continue
        mark = _mark(text, place, top)
        if mark is None:
            raise _cannot(f"Character '{character}' is reserved and must be escaped with the preceding '\\'")
        if mark == "]":
            link, place = stack.pop(), place + 1
            if text[place : place + 1] == "(":
                url = _URL.match(text, place)
                if url is None:
                    raise _cannot(f"Can't find end of a URL at byte offset {_bytes(text, place + 1)}")
                link.url, place = re.sub(r"\\(.)", r"\1", url[1]), url.end()
            entities += link.closed(length) if link.url else []
        elif mark == "[":
            stack.append(_Open("text_link", length, _bytes(text, place)))
            place += 1
        elif _MARKS[mark] == top:
            entities += stack.pop().closed(length)
            place += len(mark)
        else:
            opened = _Open(_MARKS[mark], length, _bytes(text, place))
            place += len(mark)
            if mark == "```" and (language := re.match(r"([^\s`]*)\n", text[place:])):
                opened.language, place = language[1], place + language.end()
            stack.append(opened)
    if stack:
        raise _unfinished(stack[-1])
    if quote is not None:
        entities += _Open("blockquote", quote, 0).closed(length)
    return "".join(out), entities


def _mark(text: str, place: int, top: str) -> str | None:
    """The longest mark at this place that makes sense inside `top`; None when the character only needed escaping."""
    if top in ("code", "pre"):
        wanted = "`" if top == "code" else "```"
        return wanted if text.startswith(wanted, place) else None
    if text[place] == "]":
        return "]" if top == "text_link" else None
    for mark in ("```", "__", "||", "*", "_", "~", "`", "["):
        if text.startswith(mark, place):
            return mark
    return None


def _unfinished(entity: _Open) -> ApiError:
    return _cannot(f"Can't find end of {_NAMES[entity.kind]} entity at byte offset {entity.place}")
