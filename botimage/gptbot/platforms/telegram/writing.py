"""How a text is written: as a rich message, as text with entities, or plainly; the best that the server takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gptbot.platforms.errors import MessageGone, TooLong
from gptbot.platforms.markdown import Unrenderable
from gptbot.platforms.telegram.api import BadRequest, BotApi, UnknownMethod
from gptbot.platforms.telegram.features import RICH, RICH_DRAFT, Features
from gptbot.platforms.telegram.limits import MAX_LENGTH, RICH_MAX_LENGTH, utf16_length
from gptbot.platforms.telegram.rendering import Rendered, plain, render, rich

GONE: Final = ("message to edit not found", "message can't be edited", "message_id_invalid")
DELETED: Final = ("message to delete not found", "message_id_invalid")
"""What is said of a message to delete that is not there any more."""
NO_CAPTION: Final = "there is no caption in the message to edit"
"""What is said of a text of our own whose caption is to be edited."""
NOT_MODIFIED: Final = "message is not modified"
_NOT_ABOUT_THE_TEXT: Final = (*GONE, NOT_MODIFIED, "chat not found", "message thread not found", "topic_closed")
_NO_TEXT: Final = "message text is empty"
_MANY: Final = 4096


@dataclass(frozen=True, slots=True)
class Way:
    """A way to show a text: its methods."""

    rich: str
    """The method that takes `rich_message`."""
    text: str
    """The method that takes `text` and `entities`."""
    feature: str
    """What the server has to know for `rich`."""
    previews: bool = True
    """Whether `text` takes `link_preview_options`."""


SEND: Final = Way("sendRichMessage", "sendMessage", RICH)
EDIT: Final = Way("editMessageText", "editMessageText", RICH)
DRAFT: Final = Way("sendRichMessageDraft", "sendMessageDraft", RICH_DRAFT, previews=False)


class Writer:
    """Writes texts of one bot. A message can be edited in any form, whatever it was sent as."""

    def __init__(self, api: BotApi, features: Features) -> None:
        self._api, self._features = api, features
        self._refused: dict[int, None] = {}
        """Chats where a text that still grew was refused as a rich message: its final text is tried again."""

    @property
    def max_length(self) -> int:
        """The longest text of one message, as far as is known of the server."""
        return RICH_MAX_LENGTH if self._features.known(RICH) else MAX_LENGTH

    async def write(self, way: Way, request: dict[str, Any], text: str, *, final: bool) -> Any:
        """Call the method of the best form. Raises TooLong where only a shorter text can be written, or SendError."""
        await self._features.look()
        chat: int = request["chat_id"]
        if text.strip() and self._features.known(RICH) and self._features.known(way.feature):
            if final:
                self._refused.pop(chat, None)
            if chat not in self._refused and (message := _rich(text)) is not None:
                try:
                    return await self._follow(way.rich, request, {"rich_message": message})
                except UnknownMethod:
                    await self._features.lacks(way.feature)
                    if way is DRAFT:  # a server that old has no Stop button for drafts either
                        raise
                except BadRequest as error:
                    await self._not_rich(way, chat, error, final=final)
        if utf16_length(text) > MAX_LENGTH:
            raise TooLong(MAX_LENGTH)
        return await self._text(way, request, text)

    async def _not_rich(self, way: Way, chat: int, error: BadRequest, *, final: bool) -> None:
        """Take note of a refusal. Raises it again when no other form would help."""
        reason = error.description.lower()
        if any(phrase in reason for phrase in _NOT_ABOUT_THE_TEXT):
            raise error
        if way is EDIT and _NO_TEXT in reason:  # it passed over `rich_message`
            await self._features.lacks(RICH)
        elif not final:
            if len(self._refused) >= _MANY:
                self._refused.clear()
            self._refused[chat] = None

    async def _text(self, way: Way, request: dict[str, Any], text: str) -> Any:
        """As text with entities; plainly, when the server refuses those."""
        rendered = render(text)
        try:
            return await self._follow(way.text, request, _parameters(way, rendered))
        except BadRequest as error:
            if not rendered.entities or "entit" not in error.description.lower():
                raise
        return await self._follow(way.text, request, _parameters(way, plain(text)))

    async def _follow(self, method: str, request: dict[str, Any], message: dict[str, Any]) -> Any:
        """Call, and call again where the chat went when the group became a supergroup."""
        request = {**request, **message}
        try:
            return await self._api.call(method, request)
        except BadRequest as error:
            if error.migrate_to_chat_id is None:
                raise
            moved = error.migrate_to_chat_id
        if method == EDIT.text:
            raise MessageGone("the group became a supergroup; its messages have other ids there")
        # What was answered to, and the topic, stayed behind.
        request = {key: value for key, value in request.items() if key not in ("reply_parameters", "message_thread_id")}
        return await self._api.call(method, {**request, "chat_id": moved})


def _rich(text: str) -> dict[str, str] | None:
    """The text as a rich message, where it can be one."""
    try:
        return rich(text)
    except Unrenderable:
        return None


def _parameters(way: Way, message: Rendered) -> dict[str, Any]:
    parameters: dict[str, Any] = {"text": message.text}
    if message.entities:
        parameters["entities"] = message.entities
    if way.previews:
        parameters["link_preview_options"] = {"is_disabled": True}
    return parameters
