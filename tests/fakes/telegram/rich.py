"""Rich messages and drafts: what came with Bot API 10.1, and the Stop button of drafts of 10.3.

Limits are those of the Bot API's "Rich message limits". The public source of the server ends before these methods, so
where no refusal of the real one is known its words are made up here; what matters is that it refuses.
"""

from __future__ import annotations

import re
import time
from typing import Any, cast

from tests.fakes.telegram.state import ApiError, Chat, Draft, Json, bad_request

MAX_RICH = 32768
MAX_BLOCKS = 500
DRAFT_LASTS = 30.0
_CODE = re.compile(
    r"^( {0,3})(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\2[`~]*[ \t]*$|\Z)|(`+)[^`].*?\3", re.MULTILINE | re.DOTALL
)
_ESCAPE = re.compile(r"\\[!-/:-@\[-`{-~]")
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)(?:\s[^<>]*)?/?>")
_AUTOLINK = re.compile(r"<[a-z][a-z0-9+.-]*:[^<>\s]*>", re.IGNORECASE)
_TAGS = frozenset({"b", "strong", "i", "em", "u", "ins", "s", "del", "code", "pre", "a", "br", "sub", "sup", "details"})
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s", re.MULTILINE)


def read_rich(value: Any) -> str:
    """The Markdown of an `InputRichMessage`. Raises ApiError."""
    if not isinstance(value, dict):
        raise bad_request("object expected as rich message")
    message = cast(Json, value)
    given = [name for name in ("html", "markdown", "blocks") if message.get(name) is not None]
    if len(given) != 1:
        raise bad_request("RICH_MESSAGE_CONTENT_REQUIRED")
    if given != ["markdown"]:
        raise ApiError(501, "This server stands in for Telegram with rich messages in Markdown only")
    markdown = str(message["markdown"]).strip()
    if not markdown:
        raise bad_request("RICH_MESSAGE_CONTENT_REQUIRED")
    if len(markdown) > MAX_RICH:
        raise bad_request("RICH_MESSAGE_TOO_LONG")
    words = _AUTOLINK.sub("", _ESCAPE.sub("", _CODE.sub("", markdown)))
    for tag in _TAG.finditer(words):
        if tag[1].lower() not in _TAGS:
            raise bad_request(f'can\'t parse rich message: Unsupported start tag "{tag[1]}"')
    if len(_ITEM.findall(words)) + len(re.findall(r"\n\s*\n", markdown)) + 1 > MAX_BLOCKS:
        raise bad_request("RICH_MESSAGE_BLOCKS_TOO_MUCH")
    return markdown


def blocks(markdown: str) -> list[Json]:
    """The content as `RichMessage` shows it: headings, fenced code, and paragraphs with code, links and bold text."""
    return [_block(text) for text in re.split(r"\n\s*\n", markdown)]


def _block(text: str) -> Json:
    if heading := re.fullmatch(r"(#{1,6}) (.*)", text):
        return {"type": "heading", "size": len(heading[1]), "text": _inline(heading[2])}
    if fence := re.fullmatch(r"```(\w*)\n(.*?)\n?```", text, re.DOTALL):
        return {"type": "pre", "text": fence[2], **({"language": fence[1]} if fence[1] else {})}
    return {"type": "paragraph", "text": _inline(text)}


def _inline(text: str) -> Any:
    found: list[Any] = []
    at = 0
    for mark in re.finditer(r"`([^`]+)`|\[([^\]]+)\]\((https?://[^)]+)\)|\*\*([^*]+)\*\*", text):
        found += [text[at : mark.start()]] if mark.start() > at else []
        if mark[1]:
            found.append({"type": "code", "text": mark[1]})
        elif mark[2]:
            found.append({"type": "url", "text": mark[2], "url": mark[3]})
        else:
            found.append({"type": "bold", "text": mark[4]})
        at = mark.end()
    return [*found, text[at:]] if found else text


def show_draft(chat: Chat, given: Json, text: str, *, rich: bool, stops: bool) -> None:
    """Show a draft in a chat. Raises ApiError."""
    if chat.type != "private":
        raise bad_request("TEXTDRAFT_PEER_INVALID")
    try:
        number = int(given.get("draft_id", 0))
    except (TypeError, ValueError):
        number = 0
    if not number:
        raise bad_request("draft_id must be non-zero")
    chat.drafts.append(
        Draft(
            number, text, time.time(), rich=rich, topic=given.get("message_thread_id"),
            can_stop=stops and bool(given.get("can_stop")), keep_on_stop=stops and bool(given.get("keep_on_stop")),
        )
    )  # fmt: skip
    chat.draft_shown = True


def shown_draft(chat: Chat) -> Draft | None:
    """The draft that the person sees now."""
    draft = chat.drafts[-1] if chat.draft_shown else None
    return draft if draft is not None and time.time() - draft.at < DRAFT_LASTS else None
