"""Messages that are neither text nor file: what a model can use of them, or which text says why they are not read.

Of a contact or a place on the map nothing is read at all: both are personal data (`needed.py` leaves them out).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from aiogram.enums import ChatType, ContentType
from aiogram.types import Message

_MOST_PARTS: Final = 100
"""Answers of a poll or tasks of a list that are told; Telegram has fewer."""


def words(message: Mapping[str, Any]) -> str:
    """What a poll, a list of tasks, a venue, a dice or a game says; an empty string where it is none of these."""
    for name, read in _READ.items():
        if isinstance(given := message.get(name), dict):
            return read(cast("dict[str, Any]", given))
    return ""


def _poll(poll: Mapping[str, Any]) -> str:
    return _list(f"[poll] {_said(poll, 'question')}", poll.get("options"))


def _checklist(checklist: Mapping[str, Any]) -> str:
    return _list(f"[checklist] {_said(checklist, 'title')}", checklist.get("tasks"))


def _venue(venue: Mapping[str, Any]) -> str:
    return "[place] " + ", ".join(part for part in (_said(venue, "title"), _said(venue, "address")) if part)


def _dice(dice: Mapping[str, Any]) -> str:
    value = dice.get("value")
    return f"[dice] {_said(dice, 'emoji')} {value}" if type(value) is int else "[dice]"


def _game(game: Mapping[str, Any]) -> str:
    return "[game] " + ": ".join(part for part in (_said(game, "title"), _said(game, "description")) if part)


_READ: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "poll": _poll, "checklist": _checklist, "venue": _venue, "dice": _dice, "game": _game,
}  # fmt: skip


def _list(head: str, parts: Any) -> str:
    given = cast("list[Any]", parts)[:_MOST_PARTS] if isinstance(parts, list) else []
    texts = [_said(cast("dict[str, Any]", part), "text") for part in given if isinstance(part, dict)]
    return "\n".join([head, *(f"- {text}" for text in texts if text)])


def _said(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return value.strip() if isinstance(value, str) else ""


def unread(message: Message) -> str:
    """The name of the text that says why a message is not read; an empty string where nothing of that kind is there."""
    if message.location is not None:
        return "unread-location"
    if message.contact is not None:
        return "unread-contact"
    if message.story is not None:
        return "unread-story"
    others = (message.invoice, message.paid_media, message.giveaway, message.giveaway_winners, message.live_photo)
    if any(other is not None for other in others):
        return "unread-message"
    new = message.chat.type == ChatType.PRIVATE and message.content_type == ContentType.UNKNOWN
    return "unread-message" if new else ""  # of a kind that aiogram does not know yet
