"""The methods of the Bot API that the fake has."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import urlsplit

from tests.fakes.telegram import markup
from tests.fakes.telegram.keyboards import Queries, check_keyboard
from tests.fakes.telegram.parameters import Parameters
from tests.fakes.telegram.rates import RateModel
from tests.fakes.telegram.rich import read_rich, show_draft
from tests.fakes.telegram.state import ApiError, Chat, Json, Message, Version, bad_request
from tests.fakes.telegram.text import MAX_TEXT, check_size, fit, read_entities, utf16_length
from tests.fakes.telegram.updates import Webhook
from tests.fakes.telegram.world import World

_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
_ACTIONS = frozenset(
    ["cancel", "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
     "upload_document", "choose_sticker", "pick_up_location", "find_location", "record_video_note", "upload_video_note"]
)  # fmt: skip
_SCOPES = frozenset(
    ["default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat", "chat_administrators",
     "chat_member"]
)  # fmt: skip
_NEWER = {"sendRichMessage": (10, 1), "sendRichMessageDraft": (10, 1), "sendMessageDraft": (9, 5)}
"""Methods to the Bot API that they came with."""

_DELETABLE = 48 * 3600.0
"""Seconds in which a message can be deleted for everyone (Bot API, `deleteMessage`)."""
MAX_DOWNLOAD = 20 << 20
"""Bytes of the largest file that a bot gets (telegram-bot-api, `Client.h`)."""

Handler = Callable[[Parameters], Awaitable[Any]]


class Methods:
    """What the bot can do. `handlers` maps lower-case names: the server does not mind the case."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.rates: RateModel | None = RateModel()
        self.commands: dict[tuple[str, str], list[Json]] = {}
        """(scope, language) to the menu."""
        self.queries = Queries()
        self.files: dict[str, bytes] = {}
        self.local = False
        """Whether webhooks may be plain HTTP, as at a self-hosted server."""
        self.handlers: dict[str, Handler] = {}
        self._all: dict[str, Handler] = {}
        for name in (
            "getMe", "getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo", "sendMessage", "editMessageText",
            "deleteMessage", "sendChatAction", "setMyCommands", "getMyCommands", "deleteMyCommands",
            "answerCallbackQuery", "editMessageReplyMarkup", "editMessageCaption", "getFile",
            "getChatAdministrators", *_NEWER,
        ):  # fmt: skip
            snake = re.sub("[A-Z]", lambda match: "_" + match[0].lower(), name)
            self._all[name.lower()] = getattr(self, snake)
        self.be(10, 0)

    def be(self, major: int, minor: int) -> None:
        """Be a server of a Bot API from 9.4 on: what came later is not there."""
        self.version = (major, minor)
        self.handlers |= self._all
        for name, since in _NEWER.items():
            if self.version < since:
                self.handlers.pop(name.lower(), None)

    async def get_me(self, _: Parameters) -> Json:
        seen = {"can_join_groups": True, "can_read_all_group_messages": not self._world.privacy_mode}
        return self._world.me.api() | seen | {"supports_inline_queries": False}

    async def get_updates(self, given: Parameters) -> list[Json]:
        self._world.updates.allow(given.json("allowed_updates", "allowed_updates"))
        offset = given.integer("offset", 0, -(2**31), 2**31 - 1)
        return await self._world.updates.get(
            offset, given.integer("limit", 100, 1, 100), given.integer("timeout", 0, 0, 50)
        )

    async def set_webhook(self, given: Parameters) -> bool:
        url, secret = given.text("url"), given.text("secret_token")
        if not url:
            return await self.delete_webhook(given)
        if len(secret) > 256:
            raise bad_request("secret token is too long")
        if not re.fullmatch("[A-Za-z0-9_-]*", secret):
            raise bad_request("secret token contains unallowed characters")
        parts = urlsplit(url)
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise bad_request("invalid webhook URL specified")
        if parts.scheme == "http" and not self.local:
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        self._world.updates.allow(given.json("allowed_updates", "allowed_updates"))
        webhook = Webhook(url, secret, given.integer("max_connections", 40, 1, 100))
        await self._world.updates.set_webhook(webhook, drop=given.boolean("drop_pending_updates"))
        return True

    async def delete_webhook(self, given: Parameters) -> bool:
        await self._world.updates.set_webhook(None, drop=given.boolean("drop_pending_updates"))
        return True

    async def get_webhook_info(self, _: Parameters) -> Json:
        updates, webhook = self._world.updates, self._world.updates.webhook
        info: Json = {"url": "", "has_custom_certificate": False, "pending_update_count": len(updates)}
        if webhook is not None:
            info |= {"url": webhook.url, "max_connections": webhook.max_connections}
            if webhook.last_error_at is not None:
                info |= {"last_error_date": int(webhook.last_error_at), "last_error_message": webhook.last_error}
        return info | {"allowed_updates": updates.allowed} if updates.allowed else info

    async def send_message(self, given: Parameters) -> Json:
        text, entities = self._formatted(given)
        return self._send("sendMessage", given, text, entities)

    async def send_rich_message(self, given: Parameters) -> Json:
        text = read_rich(given.json("rich_message", "rich message"))
        return self._send("sendRichMessage", given, text, None)

    def _send(self, method: str, given: Parameters, text: str, entities: list[Json] | None) -> Json:
        """`entities`: None for a rich message."""
        markup_given = check_keyboard(given.json("reply_markup", "reply keyboard markup"))
        reply = given.json("reply_parameters", "reply parameters")
        chat = self._world.writable(given.values.get("chat_id"))
        reply_to = self._replied(chat, cast("Json | None", reply))
        topic = self._world.topic(chat, given.values.get("message_thread_id"))
        rich = entities is None
        if entities is not None:
            text, entities = _checked(text, entities, "message is too long")
        self._pace(chat)
        message = self._world.store(
            chat, self._world.me, text, entities or [], topic=topic, reply_to=reply_to, rich=rich
        )
        message.markup, message.link_preview = markup_given, self._previews(given)
        self._world.sent[method] += 1
        return self._world.api(message)

    async def edit_message_text(self, given: Parameters) -> Json:
        rich = self.version >= (10, 1) and given.values.get("rich_message") is not None
        if rich:
            text, entities = read_rich(given.json("rich_message", "rich message")), list[Json]()
        else:
            text, entities = self._formatted(given)
        markup_given = check_keyboard(given.json("reply_markup", "reply keyboard markup"))
        chat = self._world.writable(given.values.get("chat_id"))
        message = self._own(chat, given, "message to edit not found", "message can't be edited")
        if not rich:
            text, entities = _checked(text, entities, "MESSAGE_TOO_LONG")
        self._pace(chat)
        now = message.versions[-1]
        if (text, entities, rich, markup_given) == (now.text, now.entities, now.rich, message.markup):
            raise bad_request(_NOT_MODIFIED)
        message.versions.append(Version(text, entities, time.time(), rich))
        message.markup, message.link_preview = markup_given, self._previews(given)
        self._world.sent["editMessageText"] += 1
        self._world.changed()
        return self._world.api(message)

    async def edit_message_reply_markup(self, given: Parameters) -> Json:
        markup_given = check_keyboard(given.json("reply_markup", "reply keyboard markup"))
        chat = self._world.writable(given.values.get("chat_id"))
        message = self._own(chat, given, "message to edit not found", "message can't be edited")
        self._pace(chat)
        if markup_given == message.markup:
            raise bad_request(_NOT_MODIFIED)
        message.markup = markup_given
        self._world.sent["editMessageReplyMarkup"] += 1
        self._world.changed()
        return self._world.api(message)

    async def edit_message_caption(self, given: Parameters) -> Json:
        """The bot here sends texts alone, rich ones too, and those have no caption (TDLib, `edit_message_caption`)."""
        chat = self._world.writable(given.values.get("chat_id"))
        self._own(chat, given, "message to edit not found", "message can't be edited")
        self._pace(chat)
        raise bad_request("there is no caption in the message to edit")

    async def send_message_draft(self, given: Parameters) -> bool:
        text, entities = self._formatted(given)
        text, _ = _checked(text, entities, "message is too long")
        return self._draft("sendMessageDraft", given, text, rich=False)

    async def send_rich_message_draft(self, given: Parameters) -> bool:
        text = read_rich(given.json("rich_message", "rich message"))
        return self._draft("sendRichMessageDraft", given, text, rich=True)

    def _draft(self, method: str, given: Parameters, text: str, *, rich: bool) -> bool:
        chat = self._world.writable(given.values.get("chat_id"))
        self._world.topic(chat, given.values.get("message_thread_id"))
        self._pace(chat)
        show_draft(chat, given.values, text, rich=rich, stops=self.version >= (10, 3))
        self._world.sent[method] += 1
        self._world.changed()
        return True

    async def delete_message(self, given: Parameters) -> bool:
        """The bot administers no group here, so that it deletes its own messages only."""
        chat = self._world.writable(given.values.get("chat_id"))
        message = self._own(chat, given, "message to delete not found", "message can't be deleted")
        if time.time() - message.versions[0].at > _DELETABLE:
            raise bad_request("message can't be deleted for everyone")
        message.deleted_at = time.time()
        self._world.sent["deleteMessage"] += 1
        self._world.changed()
        return True

    async def send_chat_action(self, given: Parameters) -> bool:
        chat = self._world.writable(given.values.get("chat_id"))
        self._world.topic(chat, given.values.get("message_thread_id"))
        if given.text("action") not in _ACTIONS:
            raise bad_request("wrong parameter action in request")
        self._world.sent["sendChatAction"] += 1
        return True

    async def set_my_commands(self, given: Parameters) -> bool:
        commands = given.json("commands", "commands")
        if not isinstance(commands, list):
            raise bad_request("expected an Array of BotCommand")
        menu = [cast(Json, command) for command in cast("list[Any]", commands)]
        if len(menu) > 100:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for command in menu:
            if not re.fullmatch("/?[a-z0-9_]{1,32}", str(command.get("command", ""))):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[self._menu(given)] = menu
        self._world.changed()
        return True

    async def get_my_commands(self, given: Parameters) -> list[Json]:
        return self.commands.get(self._menu(given), [])

    async def delete_my_commands(self, given: Parameters) -> bool:
        self.commands.pop(self._menu(given), None)
        return True

    async def answer_callback_query(self, given: Parameters) -> bool:
        self.queries.answer(given.text("callback_query_id"), given.values)
        self._world.changed()
        return True

    async def get_chat_administrators(self, given: Parameters) -> list[Json]:
        chat = self._world.writable(given.values.get("chat_id"))
        if chat.type == "private":
            raise bad_request("there are no administrators in the private chat")
        self._world.sent["getChatAdministrators"] += 1
        return [
            {"status": "creator", "user": self._world.users[user].api(), "is_anonymous": False}
            for user in sorted(chat.administrators)
        ]

    async def get_file(self, given: Parameters) -> Json:
        file_id = given.text("file_id")
        if file_id not in self.files:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if len(self.files[file_id]) > MAX_DOWNLOAD:
            raise bad_request("file is too big")
        return {
            "file_id": file_id,
            "file_unique_id": f"u{file_id}",
            "file_path": file_id,
            "file_size": len(self.files[file_id]),
        }

    def _formatted(self, given: Parameters) -> tuple[str, list[Json]]:
        text, mode = given.text("text"), given.text("parse_mode")
        if not text:
            raise bad_request("message text is empty")
        check_size(text)
        if mode and mode.lower() != "none":
            return markup.parse(text, mode)
        return text, read_entities(given.json("entities", "entities"))

    def _previews(self, given: Parameters) -> bool:
        options = given.json("link_preview_options", "link preview options")
        disabled = isinstance(options, dict) and bool(cast(Json, options).get("is_disabled"))
        return not disabled and not given.boolean("disable_web_page_preview")

    def _replied(self, chat: Chat, reply: Json | None) -> int | None:
        if reply is None or not reply.get("message_id"):
            return None
        to = chat.messages.get(int(reply["message_id"]))
        if to is not None and to.deleted_at is None:
            return to.id
        if reply.get("allow_sending_without_reply"):
            return None
        raise bad_request("message to be replied not found")

    def _own(self, chat: Chat, given: Parameters, missing: str, forbidden: str) -> Message:
        message = chat.messages.get(given.integer("message_id", 0, 0, 2**31 - 1))
        if message is None or message.deleted_at is not None:
            raise bad_request(missing)
        if not message.from_bot:
            raise bad_request(forbidden)
        return message

    def _pace(self, chat: Chat) -> None:
        wait = self.rates.take(chat.id, group=chat.type != "private") if self.rates else 0
        if wait:
            raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)

    def _menu(self, given: Parameters) -> tuple[str, str]:
        scope = cast("Json | None", given.json("scope", "BotCommandScope"))
        kind = str((scope or {}).get("type", "default"))
        if kind not in _SCOPES:
            raise bad_request("can't parse BotCommandScope: unsupported type specified")
        language = given.text("language_code")
        if language and not re.fullmatch("[a-z]{2}", language):
            raise bad_request("invalid language code specified")
        return kind, language


def _checked(text: str, entities: list[Json], too_long: str) -> tuple[str, list[Json]]:
    text, entities = fit(text, entities)
    if not text:
        raise bad_request("text must be non-empty")
    if utf16_length(text) > MAX_TEXT:
        raise bad_request(too_long)
    return text, entities
