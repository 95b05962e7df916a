"""The answering half: `sendChatAction`, `sendMessage`, `editMessageText`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from gptbot.platforms.base import Address, Button, MessageGone, OutcomeUnknown, SendError
from gptbot.platforms.telegram.api import BadRequest, BotApi
from gptbot.platforms.telegram.limits import CHAT_INTERVAL, MAX_LENGTH, TYPING_TIMEOUT, utf16_length
from gptbot.platforms.telegram.rendering import Rendered, plain, render

_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")


class TelegramSender:
    """Sends and edits messages of one bot. See `platforms.base.Sender`."""

    max_length: int = MAX_LENGTH
    edit_interval: float = CHAT_INTERVAL

    def __init__(self, api: BotApi) -> None:
        self._api = api

    def length(self, text: str) -> int:
        """Length of a text in UTF-16 code units. Markdown that grows when it is rendered is sent as it is."""
        return utf16_length(text)

    async def typing(self, address: Address) -> None:
        """Show "typing" for five seconds (Bot API, `sendChatAction`). Raises nothing."""
        with contextlib.suppress(SendError):
            await self._api.call("sendChatAction", {**_chat(address), "action": "typing"}, TYPING_TIMEOUT)

    async def send(
        self, address: Address, text: str, *, nonce: str, first: bool, final: bool, buttons: Sequence[Button] = ()
    ) -> str:
        """Send a message and return its id (Bot API, `sendMessage`).

        Telegram cannot tell that a request is repeated, so the nonce goes nowhere: after OutcomeUnknown, a message that
        is sent again may be there twice. Raises SendError.
        """
        request = _chat(address)
        if first and address["chat_type"] != "private":
            request["reply_parameters"] = {"message_id": address["message_id"], "allow_sending_without_reply": True}
        result = await self._write("sendMessage", request, text)
        message_id: Any = result.get("message_id") if isinstance(result, dict) else None
        if not isinstance(message_id, int):
            raise OutcomeUnknown("the Bot API server's answer to sendMessage names no message")
        return str(message_id)

    async def edit(
        self, address: Address, message_id: str, text: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Replace the text of a message of our own (Bot API, `editMessageText`). Raises SendError."""
        request = {"chat_id": address["chat_id"], "message_id": int(message_id)}
        gone = False
        try:
            await self._write("editMessageText", request, text)
        except BadRequest as error:
            reason = error.description.lower()
            gone = any(phrase in reason for phrase in _GONE)
            if not gone and "message is not modified" not in reason:
                raise
        if gone:
            raise MessageGone("the message to edit is not there any more, or not ours")

    async def _write(self, method: str, request: dict[str, Any], text: str) -> Any:
        """Send a text as it is rendered; plainly, when the server refuses the entities."""
        rendered = render(text)
        try:
            return await self._follow(method, request, rendered)
        except BadRequest as error:
            if not rendered.entities or "entit" not in error.description.lower():
                raise
        return await self._follow(method, request, plain(text))

    async def _follow(self, method: str, request: dict[str, Any], message: Rendered) -> Any:
        """Call, and call again where the chat went when the group became a supergroup."""
        request = {**request, "text": message.text, "link_preview_options": {"is_disabled": True}}
        if message.entities:
            request["entities"] = message.entities
        try:
            return await self._api.call(method, request)
        except BadRequest as error:
            if error.migrate_to_chat_id is None:
                raise
            moved = error.migrate_to_chat_id
        if method == "editMessageText":
            raise MessageGone("the group became a supergroup; its messages have other ids there")
        # What was answered to, and the topic, stayed behind.
        request = {key: value for key, value in request.items() if key not in ("reply_parameters", "message_thread_id")}
        return await self._api.call(method, {**request, "chat_id": moved})


def _chat(address: Address) -> dict[str, Any]:
    """The chat and the forum topic of an address."""
    request: dict[str, Any] = {"chat_id": address["chat_id"]}
    if (thread := address.get("thread_id")) is not None:
        request["message_thread_id"] = thread
    return request
