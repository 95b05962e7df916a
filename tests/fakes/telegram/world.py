"""The chats of the fake: who is there, what was said, and how it reaches the bot."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

from tests.fakes.telegram.rich import blocks
from tests.fakes.telegram.state import ApiError, Chat, Json, Message, User, Version, bad_request
from tests.fakes.telegram.text import covered, found_by_the_server
from tests.fakes.telegram.updates import Updates


class World:
    """Everything but HTTP."""

    def __init__(self, me: User, *, webhook_retry: float = 1.0) -> None:
        self.me = me
        self.users: dict[int, User] = {me.id: me}
        self.chats: dict[int, Chat] = {}
        self.privacy_mode = True
        self.sent: Counter[str] = Counter()
        """What the bot did successfully, by method."""
        self.updates = Updates(self.changed, retry=webhook_retry)
        self._last_id = 0
        self._watchers: set[asyncio.Future[None]] = set()

    def changed(self) -> None:
        """Wake those who wait for something."""
        watchers, self._watchers = self._watchers, set()
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    async def next_change(self) -> None:
        """Return once something changed, a moment later: many changes cost those who wait one look."""
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.add(watcher)
        try:
            await watcher
        finally:
            self._watchers.discard(watcher)
        await asyncio.sleep(0.002)

    def chat(self, chat_id: int) -> Chat:
        """A chat the test made. Raises LookupError."""
        if chat_id not in self.chats:
            raise LookupError(f"there is no chat {chat_id}; make it with add_user or add_group")
        return self.chats[chat_id]

    def writable(self, value: Any) -> Chat:
        """The chat of a request, if the bot may write there. Raises ApiError in the server's words."""
        chat = self.chats.get(_chat_id(value))
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            text = "group chat was upgraded to a supergroup chat"
            raise bad_request(text, migrate_to_chat_id=chat.migrated_to)
        if not chat.member:
            raise ApiError(403, f"Forbidden: bot was kicked from the {chat.type} chat")
        if not chat.started:
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        if chat.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        return chat

    def topic(self, chat: Chat, value: Any) -> int | None:
        """The topic of a request. Raises ApiError when it is not there, or closed."""
        if value is None:
            return None
        topic = int(value)
        if topic not in chat.topics:
            raise bad_request("message thread not found")
        if topic in chat.closed_topics:
            raise bad_request("TOPIC_CLOSED")
        return topic

    def store(
        self,
        chat: Chat,
        sender: User,
        text: str,
        entities: list[Json],
        *,
        topic: int | None = None,
        reply_to: int | None = None,
        extra: Json | None = None,
        rich: bool = False,
    ) -> Message:
        """Put a message into a chat."""
        said = Version(text, entities, time.time(), rich)
        message = Message(
            self._new_id(chat), chat.id, sender.id, sender.id == self.me.id, [said],
            topic=topic, reply_to=reply_to, extra=extra or {},
        )  # fmt: skip
        chat.messages[message.id] = message
        if sender.id == self.me.id:
            chat.draft_shown = False
        self.changed()
        return message

    def _new_id(self, chat: Chat) -> int:
        """Supergroups number their own messages; all other chats of an account share one count."""
        if chat.type == "supergroup":
            chat.last_id += 1
            return chat.last_id
        self._last_id += 1
        return self._last_id

    def api(self, message: Message, *, with_reply: bool = True) -> Json:
        """As `Message` of the Bot API."""
        chat, version = self.chats[message.chat_id], message.versions[-1]
        shown: Json = {
            "message_id": message.id,
            "from": self.users[message.sender_id].api(),
            "chat": chat.api(),
            "date": int(message.versions[0].at),
        }
        if message.edits:
            shown["edit_date"] = int(version.at)
        if message.topic is not None:
            shown |= {"message_thread_id": message.topic, "is_topic_message": True}
        if with_reply and message.reply_to in chat.messages:
            shown["reply_to_message"] = self.api(chat.messages[message.reply_to], with_reply=False)
        if message.markup is not None:
            shown["reply_markup"] = message.markup
        caption = "caption" if _has_media(message.extra) else "text"
        if version.rich:
            shown["rich_message"] = {"blocks": blocks(version.text)}
        elif version.text:
            shown[caption] = version.text
            if version.entities:
                shown["caption_entities" if caption == "caption" else "entities"] = version.entities
        return shown | message.extra

    def said(
        self,
        chat: Chat,
        user: User,
        text: str,
        *,
        topic: int | None,
        reply_to: int | None,
        entities: list[Json] | None,
        extra: Json | None,
    ) -> tuple[Message, int | None]:
        """Somebody writes. Gives the message, and the id of the update if it went to the bot."""
        if entities is None:
            entities = found_by_the_server(text)
        if chat.type == "private":
            chat.started = True
        message = self.store(chat, user, text, entities, topic=topic, reply_to=reply_to, extra=extra)
        if not chat.member or chat.blocked or not self.shown_to_the_bot(chat, message):
            return message, None
        return message, self.updates.add("message", self.api(message), chat.id)

    def rewritten(self, message: Message, text: str) -> int | None:
        """A person edits a message. Gives the id of the update if it went to the bot."""
        if message.from_bot or message.deleted_at is not None:
            raise ValueError("a person edits only what they wrote and did not delete")
        chat = self.chats[message.chat_id]
        message.versions.append(Version(text, found_by_the_server(text), time.time()))
        self.changed()
        if not chat.member or chat.blocked or not self.shown_to_the_bot(chat, message):
            return None
        return self.updates.add("edited_message", self.api(message), chat.id)

    def shown_to_the_bot(self, chat: Chat, message: Message) -> bool:
        """Whether privacy mode lets the bot see it (Bot Features, "Privacy mode")."""
        if chat.type == "private" or not self.privacy_mode:
            return True
        to = chat.messages.get(message.reply_to or 0)
        if to is not None and to.from_bot:
            return True
        if not message.text:
            return not _has_media(message.extra)  # service messages are shown
        name = f"@{self.me.username}".lower()
        for entity in message.entities:
            part = covered(message.text, entity).lower()
            if entity["type"] == "mention" and part == name:
                return True
            if entity["type"] == "text_mention" and entity["user"]["id"] == self.me.id:
                return True
            if entity["type"] == "bot_command" and entity["offset"] == 0 and ("@" not in part or part.endswith(name)):
                return True
        return False


def _chat_id(value: Any) -> int:
    if value is None or value == "":
        raise bad_request("chat_id is empty")
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0  # a @username; the fake has no public chats


_MEDIA = ("photo", "video", "document", "audio", "voice", "animation", "video_note", "sticker")


def _has_media(extra: Json) -> bool:
    return any(kind in extra for kind in _MEDIA)
