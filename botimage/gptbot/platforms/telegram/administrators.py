"""Whether somebody administers a group (Bot API, `getChatAdministrators`)."""

from __future__ import annotations

from dataclasses import replace

from aiogram import Bot

from gptbot.platforms.inbound import Inbound
from gptbot.platforms.telegram.limits import ANSWER_TIMEOUT
from gptbot.platforms.telegram.needed import administrators
from gptbot.platforms.telegram.session import FAILURES, GetRawAdministrators, trouble
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)


def with_administrator(message: Inbound, bot: Bot | None) -> Inbound:
    """The message, with a way to ask whether its author administers the group.

    The list is asked for, and not `getChatMember`: that "is only guaranteed to work for other users if the bot is an
    administrator in the chat".
    """
    if message.direct or bot is None:
        return message
    chat: int = message.address["chat_id"]

    async def administrator() -> bool:
        if message.user == str(chat):
            return True  # an anonymous administrator writes in the name of the group
        try:
            members = await bot(GetRawAdministrators(chat_id=chat), request_timeout=ANSWER_TIMEOUT)
        except FAILURES as error:
            log.warning("telegram does not say who administers a group", reason=trouble(error).message)
            return False
        return message.user in administrators(members)

    return replace(message, administrator=administrator)
