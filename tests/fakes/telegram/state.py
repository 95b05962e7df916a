"""What the server knows: users, chats, messages with every version of their text. Plain data, fit for JSON."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
ChatType = Literal["private", "group", "supergroup"]


class ApiError(Exception):
    """An answer with `ok: false` (Bot API, "Making requests")."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
        self.parameters = parameters

    def answer(self) -> Json:
        """The answer as the server words it."""
        answer: Json = {"ok": False, "error_code": self.code, "description": self.description}
        return answer | {"parameters": self.parameters} if self.parameters else answer


def bad_request(text: str, **parameters: Any) -> ApiError:
    """A 400."""
    return ApiError(400, f"Bad Request: {text}", **parameters)


@dataclass(slots=True)
class User:
    """A person, or a bot."""

    id: int
    first_name: str
    username: str | None = None
    language_code: str | None = None
    is_bot: bool = False

    def api(self) -> Json:
        """As `User` of the Bot API."""
        shown: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username:
            shown["username"] = self.username
        if self.language_code:
            shown["language_code"] = self.language_code
        return shown


@dataclass(slots=True)
class Version:
    """What a message said from `at` (Unix time, seconds) on."""

    text: str
    entities: list[Json]
    at: float
    rich: bool = False
    """Whether it is a rich message; the text is its Markdown then."""


@dataclass(slots=True)
class Draft:
    """What a draft said from `at` (Unix time, seconds) on."""

    id: int
    text: str
    at: float
    rich: bool
    topic: int | None
    can_stop: bool
    keep_on_stop: bool


@dataclass(slots=True)
class Message:
    """A message and its history."""

    id: int
    chat_id: int
    sender_id: int
    from_bot: bool
    """Whether our bot wrote it."""
    versions: list[Version]
    topic: int | None = None
    reply_to: int | None = None
    deleted_at: float | None = None
    markup: Json | None = None
    link_preview: bool = True
    extra: Json = field(default_factory=dict[str, Any])

    @property
    def text(self) -> str:
        """What it says now."""
        return self.versions[-1].text

    @property
    def entities(self) -> list[Json]:
        """What is bold, code, a link … now."""
        return self.versions[-1].entities

    @property
    def edits(self) -> int:
        """How often it was edited."""
        return len(self.versions) - 1


@dataclass(slots=True)
class Chat:
    """A chat with the bot in it, or not any more."""

    id: int
    type: ChatType
    title: str
    is_forum: bool = False
    messages: dict[int, Message] = field(default_factory=dict[int, Message])
    topics: dict[int, str] = field(default_factory=dict[int, str])
    closed_topics: set[int] = field(default_factory=set[int])
    last_id: int = 0
    """Of a supergroup, which numbers its messages itself."""
    started: bool = True
    """Whether the person of a private chat ever wrote to the bot."""
    blocked: bool = False
    """Whether the person of a private chat blocked the bot."""
    member: bool = True
    """Whether the bot is in the group."""
    administrators: set[int] = field(default_factory=set[int])
    """People who administer the group."""
    migrated_to: int | None = None
    drafts: list[Draft] = field(default_factory=list[Draft])
    """All that drafts ever said, oldest first."""
    draft_shown: bool = False
    """Whether no message came since the last draft, and nobody stopped it."""

    def api(self) -> Json:
        """As `Chat` of the Bot API."""
        name = "first_name" if self.type == "private" else "title"
        shown: Json = {"id": self.id, "type": self.type, name: self.title}
        return shown | {"is_forum": True} if self.is_forum else shown


@dataclass(slots=True)
class Call:
    """One request to the Bot API."""

    number: int
    method: str
    parameters: Json
    at: float = field(default_factory=time.time)
    status: int = 0
    """HTTP status of the answer; 0 while there is none, and when the connection was cut instead."""
    error: str = ""
    """Description of an error."""
    fault: str = ""
    """The fault that was injected, if any."""
    processed: bool = False
    """Whether the method did what it does, whatever the caller learnt of it."""
    heard: bool = False
    """Whether the caller was still there when the answer came. A poll whose caller went is held until its time is over
    or the next one ends it, with a 409 that nobody gets, as the Bot API server does (`HttpConnection.cpp`)."""

    @property
    def chat_id(self) -> int | None:
        """The chat it was about."""
        value = self.parameters.get("chat_id")
        try:
            return None if value is None else int(value)
        except (TypeError, ValueError):
            return None
