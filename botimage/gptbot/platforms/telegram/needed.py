"""What is read of the Bot API's answers, and no more: a field that is new, unknown or missing elsewhere fails nothing.

aiogram asks for every field that its version of the Bot API says is always there; a server may be older or newer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from aiogram.types import User, WebhookInfo

from gptbot.platforms.telegram.contents import words
from gptbot.platforms.telegram.limits import MOST_ENTITIES
from gptbot.platforms.telegram.rich import flat, photo


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is read of an object."""

    needs: tuple[str, ...] = ()
    """Without one of these it is as if the object were not there."""
    reads: tuple[str, ...] = ()
    """Fields that are taken as they are."""
    within: Mapping[str, _Shape] = field(default_factory=dict[str, "_Shape"])
    """Fields that are objects, or lists of them."""
    unread: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What stands for fields that nothing depends on and that aiogram asks for."""


_USER = _Shape(("id",), ("is_bot", "username", "language_code"), unread={"is_bot": False, "first_name": ""})
_CHAT = _Shape(("id", "type"), ("username",))
_SENDER_CHAT = _Shape(("id",), ("username",), unread={"type": "channel"})
_ENTITIES = _Shape(("type", "offset", "length"), ("url", "language"), within={"user": _USER})
_UNREAD_OF_FILES = {
    "file_unique_id": "", "width": 0, "height": 0, "length": 0, "duration": 0, "type": "regular", "is_animated": False,
    "is_video": False,
}  # fmt: skip
_FILE = _Shape(
    ("file_id",), ("file_size", "width", "height", "duration", "mime_type", "file_name"), unread=_UNREAD_OF_FILES
)
_FILES = ("photo", "voice", "audio", "animation", "video_note", "video", "sticker", "document")
_PRESENCE_ALONE = {
    "location": {"latitude": 0, "longitude": 0},
    "contact": {"phone_number": "", "first_name": ""},
    "story": {"chat": {"id": 0, "type": "private"}, "id": 0},
    "invoice": {"title": "", "description": "", "start_parameter": "", "currency": "", "total_amount": 0},
    "paid_media": {"star_count": 0, "paid_media": []},
    "giveaway": {"chats": [], "winners_selection_date": 0, "winner_count": 0},
    "giveaway_winners": {
        "chat": {"id": 0, "type": "private"}, "giveaway_message_id": 0, "winners_selection_date": 0, "winner_count": 0,
        "winners": [],
    },
    "live_photo": {"file_id": "", **_UNREAD_OF_FILES},
}  # fmt: skip
"""Of these it is read that they are there, and nothing of what they say."""
_SAID = _Shape(
    ("message_id", "chat"), ("date", "text", "caption"),
    {
        "chat": _CHAT, "from": _USER, "sender_chat": _SENDER_CHAT, "entities": _ENTITIES, "caption_entities": _ENTITIES,
        "forum_topic_created": _Shape(unread={"name": "", "icon_color": 0}), **dict.fromkeys(_FILES, _FILE),
        **{name: _Shape(unread=unread) for name, unread in _PRESENCE_ALONE.items()},
    },
)  # fmt: skip
_MESSAGE = _Shape(
    _SAID.needs,
    (*_SAID.reads, "message_thread_id", "is_topic_message", "media_group_id", "is_automatic_forward"),
    {
        **_SAID.within, "reply_to_message": _SAID, "via_bot": _USER, "new_chat_members": _USER,
        "quote": _Shape(("text",), within={"entities": _ENTITIES}, unread={"position": 0}),
        # That it was forwarded, and not by whom.
        "forward_origin": _Shape(unread={"type": "hidden_user", "date": 0, "sender_user_name": ""}),
    },
)  # fmt: skip
_KINDS = {
    "message": _MESSAGE,
    "edited_message": _MESSAGE,
    "callback_query": _Shape(
        ("id", "from"), ("data",), {"from": _USER, "message": _MESSAGE}, unread={"chat_instance": ""}
    ),
    "stopped_message_generation": _Shape(
        ("chat",), ("message_thread_id",), {"chat": _CHAT}, unread={"draft_id": 0}
    ),
}  # fmt: skip


def of_update(update: Mapping[str, Any]) -> dict[str, Any]:
    """What is read of an update. Raises ValueError where that does not tell who said what, or where."""
    needed: dict[str, Any] = {"update_id": update.get("update_id")}
    for kind, shape in _KINDS.items():
        if (found := update.get(kind)) is not None:
            needed[kind] = _picked(found, shape)
            if needed[kind] is None:
                raise ValueError(f"{kind} lacks one of: {', '.join(shape.needs)}")
    return needed


def _picked(value: Any, shape: _Shape) -> dict[str, Any] | None:
    """What is read of an object; None where it cannot be."""
    if not isinstance(value, dict):
        return None
    given = cast("dict[str, Any]", value)
    found = dict(shape.unread)
    if shape is _SAID or shape is _MESSAGE:
        found |= {"date": int(time.time())}
        given = _in_words(given)
    found |= {name: given[name] for name in (*shape.needs, *shape.reads) if given.get(name) is not None}
    for name, inner in shape.within.items():
        if (each := given.get(name)) is None:
            continue
        if isinstance(each, list):
            items = (_picked(item, inner) for item in cast("list[Any]", each)[:MOST_ENTITIES])
            found[name] = [item for item in items if item is not None]
        elif (picked := _picked(each, inner)) is not None:
            found[name] = picked
        else:
            found.pop(name, None)
    return None if any(name not in found for name in shape.needs) else found


def _in_words(message: dict[str, Any]) -> dict[str, Any]:
    """A message whose words do not stand in its text or caption, with the text that they amount to."""
    if message.get("text") or message.get("caption"):
        return message
    if (rich := message.get("rich_message")) is not None:
        text, entities = flat(rich)
        pictures = photo(rich)
        return message | {"text": text, "entities": entities} | ({"photo": pictures} if pictures else {})
    return message | ({"text": said} if (said := words(message)) else {})


def me(answer: Any) -> User:
    """The bot, of the answer to `getMe`. Raises ValueError where that does not tell its id."""
    given = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    if type(given.get("id")) is not int:
        raise ValueError("getMe does not tell the bot's id")
    reads = {name: given[name] for name in ("username", "can_read_all_group_messages") if name in given}
    return User.model_validate({"id": given["id"], "is_bot": True, "first_name": "", **reads})


def webhook(answer: Any) -> WebhookInfo:
    """The webhook that is set, of the answer to `getWebhookInfo`. Raises ValueError where that tells no address."""
    given = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    if not isinstance(given.get("url"), str):
        raise ValueError("getWebhookInfo tells no address")
    reads = {name: given[name] for name in ("url", "last_error_date", "last_error_message") if name in given}
    return WebhookInfo.model_validate({"has_custom_certificate": False, "pending_update_count": 0, **reads})


def administrators(answer: Any) -> set[str]:
    """Ids of people, of the answer to `getChatAdministrators`."""
    users = [member.get("user") for member in _objects(answer)]
    return {str(user["id"]) for user in _objects(users) if type(user.get("id")) is int}


def _objects(value: Any) -> list[dict[str, Any]]:
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]
