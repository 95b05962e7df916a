"""The hand of a test in the fake: it makes people and groups, writes in their names, reads, waits, makes trouble."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from tests.fakes.telegram.faults import Fault, FaultKind, Faults
from tests.fakes.telegram.keyboards import buttons
from tests.fakes.telegram.methods import Handler, Methods
from tests.fakes.telegram.rates import RateModel
from tests.fakes.telegram.rich import shown_draft
from tests.fakes.telegram.state import Call, Chat, Draft, Json, Message, User
from tests.fakes.telegram.world import World


class Control:
    """All a test does with the fake, but for starting it. Times are in seconds; chats and users go by their ids.

    Each public coroutine here is served over HTTP as well, as `POST /control/NAME` with its arguments as a JSON object.
    """

    def __init__(self, *, token: str, username: str, webhook_retry: float, rate_limits: bool) -> None:
        bot_id = int(token.partition(":")[0])
        self.token = token
        self.world = World(User(bot_id, "Bot", username, is_bot=True), webhook_retry=webhook_retry)
        self.methods = Methods(self.world)
        self.faults = Faults()
        self.history: list[Call] = []
        self._by_method: dict[str, list[Call]] = {}
        self._ids = itertools.count(1)
        if not rate_limits:
            self.methods.rates = None

    async def add_user(
        self, user_id: int, first_name: str = "Ada", *, username: str | None = None, language_code: str | None = None,
        is_bot: bool = False, started: bool = True,
    ) -> User:  # fmt: skip
        """A person with a private chat of the same id. `started=False`: who never wrote to the bot."""
        user = User(user_id, first_name, username, language_code, is_bot)
        self.world.users[user_id] = user
        self.world.chats.setdefault(user_id, Chat(user_id, "private", first_name, started=started))
        return user

    async def add_group(
        self, chat_id: int, title: str = "Group", *, supergroup: bool = True, forum: bool = False
    ) -> Chat:
        """A group with the bot in it; ids of groups are negative. A forum is always a supergroup."""
        if chat_id >= 0:
            raise ValueError("ids of groups are negative")
        chat = Chat(chat_id, "supergroup" if supergroup or forum else "group", title, is_forum=forum)
        self.world.chats[chat_id] = chat
        return chat

    async def promote(self, chat_id: int, user_id: int) -> None:
        """Make a person an administrator of a group."""
        self.world.chat(chat_id).administrators.add(user_id)

    async def add_topic(self, chat_id: int, name: str = "Topic") -> int:
        """A topic of a forum; gives its id (`message_thread_id`)."""
        chat = self.world.chat(chat_id)
        if not chat.is_forum:
            raise ValueError("only a forum has topics")
        message = self.world.store(
            chat, self.world.me, "", [], extra={"forum_topic_created": {"name": name, "icon_color": 7322096}}
        )
        chat.topics[message.id] = name
        return message.id

    async def say(
        self, chat_id: int, user_id: int, text: str, *, reply_to: int | None = None, topic: int | None = None,
        entities: list[Json] | None = None, extra: Json | None = None,
    ) -> Message:  # fmt: skip
        """Somebody writes. Mentions and commands are marked as Telegram does, unless `entities` are given.

        `extra` is merged into the message as the Bot API shows it: `{"photo": [...]}` makes the text a caption,
        `{"sender_chat": {...}}` lets somebody write as their channel, and so on.
        """
        chat, user = self.world.chat(chat_id), self.world.users[user_id]
        message, _ = self.world.said(chat, user, text, topic=topic, reply_to=reply_to, entities=entities, extra=extra)
        return message

    async def upload(self, file_id: str, content: bytes) -> Json:
        """Put a file on the server; gives what all objects of files have (Bot API, `File`). In Python only."""
        self.methods.files[file_id] = content
        return {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_size": len(content)}

    async def press(self, chat_id: int, user_id: int, message_id: int, data: str, *, stale: bool = False) -> str:
        """Somebody presses a button of a message; gives the id of the query. Raises LookupError when it is not there.

        `stale`: a button that was there once, below a message too old to be told.
        """
        message, query = self.world.chat(chat_id).messages[message_id], f"query{next(self._ids)}"
        shown = self.world.api(message)
        if stale:
            shown = {"chat": shown["chat"], "message_id": message_id, "date": 0}
        elif data not in [button.get("callback_data") for button in buttons(message)]:
            raise LookupError(f"message {message_id} has no button {data!r}")
        self.methods.queries.begin(query)
        payload = {"id": query, "from": self.world.users[user_id].api(), "message": shown,
                   "chat_instance": str(chat_id), "data": data}  # fmt: skip
        self.world.updates.add("callback_query", payload, chat_id)
        return query

    async def answered(self, query: str) -> bool:
        """Whether the bot answered a pressed button."""
        return query in self.methods.queries.answers

    async def expire_query(self, query: str) -> None:
        """It is too late to answer a pressed button. Raises LookupError."""
        self.methods.queries.expire(query)

    async def drafts(self, chat_id: int) -> list[Draft]:
        """All that drafts in a chat ever said, oldest first."""
        return self.world.chat(chat_id).drafts

    async def draft(self, chat_id: int) -> Draft | None:
        """The draft that the person of a chat sees now."""
        return shown_draft(self.world.chat(chat_id))

    async def stop_draft(self, chat_id: int) -> int | None:
        """The person presses Stop below a draft; gives the id of the update. Raises LookupError when it has none."""
        chat = self.world.chat(chat_id)
        draft = shown_draft(chat)
        if draft is None or not draft.can_stop:
            raise LookupError(f"there is no draft with a Stop button in chat {chat_id}")
        chat.draft_shown = draft.keep_on_stop
        payload: Json = {"chat": chat.api(), "draft_id": draft.id}
        if draft.topic is not None:
            payload["message_thread_id"] = draft.topic
        return self.world.updates.add("stopped_message_generation", payload, chat_id)

    async def set_bot_api(self, major: int, minor: int) -> None:
        """Be a server of another version of the Bot API; it begins as 10.0, the last with public source."""
        self.methods.be(major, minor)

    async def push_update(self, kind: str, payload: Json, chat_id: int = 0) -> int | None:
        """An update as it is; gives its id, or None when the bot did not ask for its kind."""
        return self.world.updates.add(kind, payload, chat_id)

    async def redeliver(self, update_id: int) -> None:
        """An update that waits now is delivered once more after the bot confirmed it. Raises LookupError."""
        self.world.updates.redeliver(update_id)

    async def edit(self, chat_id: int, message_id: int, text: str) -> int | None:
        """A person edits what they wrote; gives the id of the update, or None when the bot is not told."""
        return self.world.rewritten(self.world.chat(chat_id).messages[message_id], text)

    async def delete(self, chat_id: int, message_id: int) -> None:
        """Somebody deletes a message. The Bot API tells no bot of it."""
        message = self.world.chat(chat_id).messages[message_id]
        message.deleted_at = message.versions[-1].at
        self.world.changed()

    async def age(self, chat_id: int, message_id: int, seconds: float) -> None:
        """Let a message be so much older."""
        for version in self.world.chat(chat_id).messages[message_id].versions:
            version.at -= seconds

    async def set_chat(
        self, chat_id: int, *, blocked: bool | None = None, member: bool | None = None, closed_topic: int | None = None
    ) -> None:
        """The person blocks the bot, the bot is out of the group (False: the opposite); a topic is closed."""
        chat = self.world.chat(chat_id)
        chat.blocked = chat.blocked if blocked is None else blocked
        chat.member = chat.member if member is None else member
        if closed_topic is not None:
            chat.closed_topics.add(closed_topic)

    async def migrate(self, chat_id: int, new_chat_id: int) -> Chat:
        """A group becomes a supergroup with another id. Its messages stay behind."""
        old = self.world.chat(chat_id)
        if old.type != "group":
            raise ValueError("only a basic group becomes a supergroup")
        new = await self.add_group(new_chat_id, old.title)
        old.migrated_to = new_chat_id
        return new

    async def messages(self, chat_id: int, *, from_bot: bool | None = None, after: int = 0) -> list[Message]:
        """Messages of a chat with their history, oldest first. Deleted ones are among them, see `deleted_at`."""
        return [
            message
            for message in self.world.chat(chat_id).messages.values()
            if message.id > after and from_bot in (None, message.from_bot)
        ]

    async def calls(self, method: str | None = None, *, after: int = 0) -> list[Call]:
        """Requests to the Bot API so far, oldest first; `after` is the number of a call."""
        found = self.history if method is None else self._by_method.get(method.lower(), [])
        return [call for call in found if call.number > after]

    async def sent(self) -> dict[str, int]:
        """How often the bot succeeded, by method. Cheap, whatever happened so far."""
        return dict(self.world.sent)

    async def commands(self, scope: str = "default", language_code: str = "") -> list[Json]:
        """A command menu."""
        return self.methods.commands.get((scope, language_code), [])

    async def webhook_info(self) -> Json:
        """As `getWebhookInfo`, with `delivered` and `attempts`."""
        from tests.fakes.telegram.parameters import Parameters

        webhook = self.world.updates.webhook
        counted = {"delivered": webhook.delivered, "attempts": webhook.attempts} if webhook else {}
        return await self.methods.get_webhook_info(Parameters({})) | counted

    async def pending(self) -> int:
        """Updates that the bot did not confirm or take yet."""
        return len(self.world.updates)

    async def inject(
        self, method: str, kind: FaultKind, *, count: int = 1, status: int = 500, body: Any = None,
        headers: dict[str, str] | None = None, seconds: float = 0.0, chat_id: int | None = None,
    ) -> None:  # fmt: skip
        """Let the next calls of a method (`*`: of any) fail. See `faults.Fault` for the kinds."""
        self.faults.add(method, Fault(kind, count, status, body, headers or {}, seconds, chat_id))

    async def clear_faults(self) -> None:
        """Forget the faults that hit nothing yet."""
        self.faults.clear()

    async def set_rate_limits(self, on: bool) -> None:
        """Switch 429 on, with a clean slate, or off."""
        self.methods.rates = RateModel() if on else None

    async def set_privacy_mode(self, on: bool) -> None:
        """What the bot sees of groups: with privacy mode only what is meant for it."""
        self.world.privacy_mode = on

    async def set_token(self, token: str) -> None:
        """The old token is revoked, as with /revoke at @BotFather."""
        self.token = token

    async def wait_for_messages(
        self, chat_id: int, *, count: int = 1, contains: str = "", after: int = 0, timeout: float = 10.0
    ) -> list[Message]:
        """Wait until the bot has that many messages in a chat that say (now) what is wanted. Raises TimeoutError."""

        def found() -> list[Message]:
            return [
                message
                for message in self.world.chat(chat_id).messages.values()
                if message.from_bot and message.id > after and message.deleted_at is None and contains in message.text
            ]

        await self.wait_for(lambda: len(found()) >= count, timeout, f"{count} messages with {contains!r}")
        return found()

    async def wait_for_calls(self, method: str, *, count: int = 1, after: int = 0, timeout: float = 10.0) -> list[Call]:
        """Wait until a method was called that often. Raises TimeoutError."""
        calls: Sequence[Call] = self._by_method.setdefault(method.lower(), [])

        def found() -> list[Call]:
            return [call for call in calls if call.number > after and (call.status or call.fault)]

        await self.wait_for(
            lambda: len(calls) >= count and len(found()) >= count, timeout, f"{count} calls of {method}"
        )
        return found()

    async def wait_for_sent(self, method: str, count: int, *, timeout: float = 10.0) -> int:
        """Wait until the bot succeeded that often in all, cheaply. Raises TimeoutError."""
        await self.wait_for(lambda: self.world.sent[method] >= count, timeout, f"{count} times {method}")
        return self.world.sent[method]

    async def wait_for_confirmed(self, *, timeout: float = 10.0) -> None:
        """Wait until no update is pending. Raises TimeoutError."""
        await self.wait_for(lambda: not len(self.world.updates), timeout, "no pending updates")

    async def wait_for(self, condition: Callable[[], bool], timeout: float = 10.0, what: str = "the condition") -> None:
        """Wait until a condition holds; it is looked at after each change. In Python only. Raises TimeoutError."""
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    await self.world.next_change()
        except TimeoutError:
            raise TimeoutError(f"the fake waited {timeout:g} s in vain for {what}") from None

    def add_method(self, name: str, handler: Handler) -> None:
        """Teach the fake a method that it does not have, such as one of a newer Bot API. In Python only."""
        self.methods.handlers[name.lower()] = handler

    def record(self, method: str, parameters: Json) -> Call:
        """Note a request."""
        call = Call(len(self.history) + 1, method, parameters)
        self.history.append(call)
        self._by_method.setdefault(method.lower(), []).append(call)
        self.world.changed()
        return call
