"""What is done about a pressed button besides handing it in: its progress bar ends, a keyboard that is used up goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from aiogram import Bot

from gptbot.inbox.envelope import USED_UP
from gptbot.platforms.telegram.callbacks import command
from gptbot.platforms.telegram.limits import ANSWER_TIMEOUT
from gptbot.platforms.telegram.session import FAILURES, trouble
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed (Bot API, `CallbackQuery`)."""

    query: str
    chat: int | None
    message: int | None
    said: str | None
    """The `!command`; None when it is no button of ours."""


def press(update: dict[str, Any]) -> Press | None:
    """The press in an update, also in one that means nothing any more."""
    query = _object(update.get("callback_query"))
    if not isinstance(number := query.get("id"), str):
        return None
    message, data = _object(query.get("message")), query.get("data")
    chat, message_id = _object(message.get("chat")).get("id"), message.get("message_id")
    return Press(
        number,
        chat if isinstance(chat, int) else None,
        message_id if isinstance(message_id, int) else None,
        command(data) if isinstance(data, str) else None,
    )


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


async def answer(bot: Bot, pressed: Press) -> None:
    """End the progress bar (Bot API, `answerCallbackQuery`). Trouble does not matter: it ends by itself in a while."""
    try:
        await bot.answer_callback_query(pressed.query, request_timeout=ANSWER_TIMEOUT)
    except FAILURES as error:
        log.info("telegram button press not answered", reason=trouble(error).message)


async def clear(bot: Bot, pressed: Press) -> None:
    """Take the keyboard away when it is used up (Bot API, `editMessageReplyMarkup`). Trouble does not matter."""
    name = (pressed.said or "").removeprefix("!").partition(" ")[0]
    if name not in USED_UP or pressed.chat is None or pressed.message is None:
        return
    try:
        await bot.edit_message_reply_markup(
            chat_id=pressed.chat, message_id=pressed.message, request_timeout=ANSWER_TIMEOUT
        )
    except FAILURES as error:
        log.info("telegram keyboard not taken away", reason=trouble(error).message)
