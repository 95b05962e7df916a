"""The answering half: `sendChatAction`, messages, their edits, and drafts of them."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Literal, cast

from gptbot.locales import CommandForm
from gptbot.platforms.base import Button
from gptbot.platforms.errors import FloodWait, MessageGone, OutcomeUnknown, Rejected, SendError
from gptbot.platforms.inbound import Address
from gptbot.platforms.pace import Pace
from gptbot.platforms.telegram.api import BadRequest, BotApi, UnknownMethod
from gptbot.platforms.telegram.callbacks import keyboard
from gptbot.platforms.telegram.features import RICH, RICH_DRAFT, Features
from gptbot.platforms.telegram.files import fetch_file
from gptbot.platforms.telegram.limits import (
    ALL,
    ANSWER_TIMEOUT,
    BEYOND,
    CHAT,
    CHAT_INTERVAL,
    COMMAND_NAME,
    DRAFT_LASTS,
    GROUP,
    LOOKS,
    TYPING_TIMEOUT,
    utf16_length,
)
from gptbot.platforms.telegram.writing import DELETED, DRAFT, EDIT, GONE, NO_CAPTION, NOT_MODIFIED, SEND, Writer

_STOP = "stop"
_MOST_TAKEN = 1000


class TelegramSender:
    """Sends and edits messages of one bot. See `platforms.base.Sender`."""

    edit_interval: float = CHAT_INTERVAL
    draft_lasts: float = DRAFT_LASTS

    def __init__(self, api: BotApi, features: Features) -> None:
        self._api, self._features = api, features
        self._writer = Writer(api, features)
        self._newest = 0
        """The newest id of a message that this process knows of those that private chats number together."""
        self._taken: OrderedDict[int, None] = OrderedDict()
        """Ids of the newest of such messages that people wrote: no lost one has them."""

    @property
    def max_length(self) -> int:
        """The longest text of one message: 32,768 where the server knows rich messages, else 4,096."""
        return self._writer.max_length

    def length(self, text: str) -> int:
        """Length of a text in UTF-16 code units. Markdown that grows when it is rendered is sent as it is."""
        return utf16_length(text)

    def pace(self, address: Address) -> Pace:
        """The Bots FAQ's limits. They tell nothing of chat actions, which keep to waits alone."""
        self._know(address)
        chat = (CHAT,) if address["chat_type"] == "private" else (GROUP, CHAT)
        return Pace(chat=str(address["chat_id"]), messages=(*chat, ALL))

    async def command_form(self) -> CommandForm:
        """A command that can be tapped: plain text (Bot API, `MessageEntity` of the type `bot_command`)."""
        return written

    def delivers(self, alias: str, *, direct: bool) -> bool:
        """In groups, privacy mode lets through what Telegram takes for a command."""
        return direct or re.fullmatch(COMMAND_NAME, alias) is not None

    async def withheld(self, address: Address) -> Literal["privacy", "content"] | None:
        """Privacy mode holds for whoever is no administrator (Bots FAQ, "What messages will my bot get?")."""
        with contextlib.suppress(SendError):
            me: Any = await self._api.call("getMe", {})
            if not isinstance(me, dict) or cast("dict[str, Any]", me).get("can_read_all_group_messages") is not False:
                return None
            mine: Any = cast("dict[str, Any]", me).get("id")
            found: Any = await self._api.call("getChatAdministrators", {"chat_id": address["chat_id"]})
            return None if isinstance(found, list) and mine in map(_user_id, cast("list[Any]", found)) else "privacy"
        return None

    async def typing(self, address: Address) -> None:
        """Show "typing" for five seconds (Bot API, `sendChatAction`). Raises FloodWait: it is for messages too."""
        try:
            await self._api.call("sendChatAction", {**_chat(address), "action": "typing"}, TYPING_TIMEOUT)
        except FloodWait:
            raise
        except SendError:
            pass  # it does not matter

    async def send(
        self, address: Address, text: str, *, nonce: str, first: bool, final: bool, buttons: Sequence[Button] = ()
    ) -> str:
        """Send a message and return its id (Bot API, `sendRichMessage`, else `sendMessage`).

        Telegram cannot tell that a request is repeated, so the nonce goes nowhere: after OutcomeUnknown, a message that
        is sent again may be there twice, unless it is found before (`is_ours`). Raises SendError.
        """
        request = _chat(address)
        if first and address["chat_type"] != "private":
            request["reply_parameters"] = {"message_id": address["message_id"], "allow_sending_without_reply": True}
        if markup := keyboard(buttons):
            request["reply_markup"] = markup
        result = await self._writer.write(SEND, request, text, final=final)
        message_id: Any = result.get("message_id") if isinstance(result, dict) else None
        if not isinstance(message_id, int):
            raise OutcomeUnknown("the Bot API server's answer to sendMessage names no message")
        if _numbered_together(address):  # not taken: the turn may end before it has noted it
            self._newest = max(self._newest, message_id)
        return str(message_id)

    def _know(self, address: Address) -> None:
        """Note the message that is answered."""
        if _numbered_together(address):
            self._newest = max(self._newest, address["message_id"])
            self._taken[address["message_id"]] = None
            while len(self._taken) > _MOST_TAKEN:
                self._taken.popitem(last=False)

    def mark(self, address: Address) -> str | None:
        """The newest id that is known. In private chats without topics only: there, one conversation is the chat."""
        if address["chat_type"] != "private" or address.get("thread_id") is not None:
            return None
        self._know(address)
        return f"{self._newest}/{LOOKS}"

    def candidates(self, address: Address, mark: str, last: str) -> Sequence[str]:
        """The ids behind the newest that was known before the send, but for those of people's messages.

        They end shortly behind the newest that is known now: a message that was sent before has no higher one, unless
        another process has sent more. Each look costs a place that an answer could have.
        """
        newest, left = _mark(mark)
        newest = max(newest, int(last) if last.isdecimal() else 0)
        if not newest:
            return []
        behind = range(newest + 1, max(newest, self._newest) + BEYOND + 1)
        return [str(number) for number in islice((each for each in behind if each not in self._taken), left)]

    def looked(self, mark: str, message_id: str) -> str:
        """The id, and one look less."""
        return f"{message_id}/{max(0, _mark(mark)[1] - 1)}"

    async def is_ours(self, address: Address, message_id: str) -> bool | None:
        """Whether a message is ours, by how the Bot API server refuses to edit the caption of a text.

        `editMessageCaption` changes nothing: a text has no caption, and the bot sends nothing else. What is refused in
        other words tells nothing. The words: telegram-bot-api, `Client.cpp` (`check_message`), and TDLib,
        `MessagesManager.cpp` (`edit_message_caption`).
        """
        request = {"chat_id": address["chat_id"], "message_id": int(message_id)}
        try:
            await self._api.call("editMessageCaption", request)
        except BadRequest as error:
            reason = error.description.lower()
            if NO_CAPTION in reason:
                return True
            return False if any(phrase in reason for phrase in GONE) else None
        except UnknownMethod:
            return None
        return None

    async def clear(self, address: Address) -> None:
        """Take the keyboard away (Bot API, `editMessageReplyMarkup`) below which a button was pressed."""
        if not address.get("pressed"):
            return
        request = {"chat_id": address["chat_id"], "message_id": address["message_id"]}
        with contextlib.suppress(BadRequest):  # it has none any more, or is gone
            await self._api.call("editMessageReplyMarkup", request, ANSWER_TIMEOUT)

    async def edit(
        self, address: Address, message_id: str, text: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Replace the text and the keyboard of a message of our own (Bot API, `editMessageText`). Raises SendError."""
        request: dict[str, Any] = {"chat_id": address["chat_id"], "message_id": int(message_id)}
        if markup := keyboard(buttons):
            request["reply_markup"] = markup
        gone = False
        try:
            await self._writer.write(EDIT, request, text, final=final)
        except BadRequest as error:
            reason = error.description.lower()
            gone = any(phrase in reason for phrase in GONE)
            if not gone and NOT_MODIFIED not in reason:
                raise
        if gone:
            raise MessageGone("the message to edit is not there any more, or not ours")

    async def delete(self, address: Address, message_id: str) -> None:
        """Delete a message of our own (Bot API, `deleteMessage`): it takes those of the last 48 hours.

        Raises SendError, Rejected for an older one.
        """
        try:
            await self._api.call("deleteMessage", {"chat_id": address["chat_id"], "message_id": int(message_id)})
        except BadRequest as error:
            # Of a group that became a supergroup, the messages have other ids, which nobody knows.
            if error.migrate_to_chat_id is None and not any(gone in error.description.lower() for gone in DELETED):
                raise

    async def draft(self, address: Address, text: str, *, nonce: str, buttons: Sequence[Button] = ()) -> bool:
        """Show a text that grows as a draft (Bot API, `sendRichMessageDraft`); in private chats only.

        Telegram draws the Stop button of a draft itself, and reports it as `stopped_message_generation` (Bot API 10.3).
        Servers older than rich messages surely lack it, so they get a message with a keyboard instead of a draft.
        """
        await self._features.look()
        if address["chat_type"] != "private" or not all(map(self._features.known, (RICH, RICH_DRAFT))):
            return False
        request = {**_chat(address), "draft_id": draft_id(nonce)}
        if any(button.command == _STOP for button in buttons):
            request |= {"can_stop": True, "keep_on_stop": True}
        try:
            await self._writer.write(DRAFT, request, text, final=False)
        except Rejected:  # a message will do, or say what is wrong
            return False
        return True

    async def fetch(self, address: Address, reference: Mapping[str, Any], limit: int) -> bytes:
        """A file that somebody sent, by its id. See `platforms.base.Fetches`."""
        return await fetch_file(self._api, reference["file_id"], limit)


def _mark(mark: str) -> tuple[int, int]:
    """The newest id known, and how many looks are left. Of what is none, nothing."""
    newest, _, left = mark.partition("/")
    known = newest.isdecimal() and left.isdecimal()
    return (int(newest), min(int(left), LOOKS)) if known else (0, 0)


def _numbered_together(address: Address) -> bool:
    """Whether it is of the chats that number their messages together, each message higher than those before."""
    return address["chat_type"] in ("private", "group")


def draft_id(nonce: str) -> int:
    """The id of a draft: the same for the same nonce, and never zero."""
    return int.from_bytes(hashlib.sha256(nonce.encode()).digest()[:4]) >> 1 or 1


def _chat(address: Address) -> dict[str, Any]:
    """The chat and the forum topic of an address."""
    request: dict[str, Any] = {"chat_id": address["chat_id"]}
    if (thread := address.get("thread_id")) is not None:
        request["message_thread_id"] = thread
    return request


def written(name: str, argument: str) -> str:
    """A command in Markdown. What Telegram takes for none is typed, and stands in code."""
    if re.fullmatch(COMMAND_NAME, name) is None:
        return f"`/{name} {argument}`" if argument else f"`/{name}`"
    return f"/{name} `{argument}`" if argument else f"/{name}"


def _user_id(member: Any) -> Any:
    """Whose membership an entry of `getChatAdministrators` tells of."""
    user: Any = cast("dict[str, Any]", member).get("user") if isinstance(member, dict) else None
    return cast("dict[str, Any]", user).get("id") if isinstance(user, dict) else None
