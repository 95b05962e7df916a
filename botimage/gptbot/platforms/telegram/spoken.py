"""What was said, without ids or names of anyone.

Telegram tells no id of who is mentioned by `@username`: people who have one are marked by it.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiogram.enums import MessageEntityType
from aiogram.types import Chat, Message, MessageEntity, User

from gptbot.platforms.inbound import person

_LEFT_BY_A_MENTION = " \t,:;"
_CODING = "utf-16-le"
"""Entities count UTF-16 code units, of two bytes each."""


def speaker(message: Message) -> str:
    """What marks the author of a message; somebody who writes in the name of a chat is that chat."""
    author = message.sender_chat or message.from_user
    return "" if author is None else _who(author)


def to_bot(text: str, entities: Sequence[MessageEntity], me: User) -> tuple[str, bool]:
    """The text without mentions of the bot, and whether there were any; others are marked. `/do@bot` becomes `/do`."""
    units = text.encode(_CODING)
    mentioned = False
    for entity in sorted(entities, key=lambda entity: entity.offset, reverse=True):
        start, end = entity.offset * 2, (entity.offset + entity.length) * 2
        covered = units[start:end].decode(_CODING, "replace")
        own = (me.username or "").lower()
        match entity.type:
            case MessageEntityType.MENTION if covered[1:].lower() == own:
                pass
            case MessageEntityType.TEXT_MENTION if entity.user is not None and entity.user.id == me.id:
                pass
            case MessageEntityType.BOT_COMMAND if entity.offset == 0 and "@" in covered:
                units = covered.partition("@")[0].encode(_CODING) + units[end:]
                continue
            case MessageEntityType.MENTION | MessageEntityType.TEXT_MENTION:
                units = units[:start] + _mark(covered, entity).encode(_CODING) + units[end:]
                continue
            case _:
                continue
        mentioned = True
        before = units[:start].decode(_CODING, "replace")
        after = units[end:].decode(_CODING, "replace")
        if not before.strip():
            after = after.lstrip(_LEFT_BY_A_MENTION)
        elif before[-1:].isspace() and after[:1].isspace():
            after = after[1:]
        units = (before + after).encode(_CODING, "surrogatepass")
    return units.decode(_CODING, "replace").strip(), mentioned


def quoted(message: Message, me: User, direct: bool) -> str:
    """What a message replies to: the part that its author chose, else the whole; of somebody else's behind that person.

    Where only the author and the bot are (`direct`), nobody is named.
    """
    to = message.reply_to_message
    if message.quote is not None:
        text, _ = to_bot(message.quote.text, message.quote.entities or [], me)
    elif to is not None:
        text, _ = to_bot(to.text or to.caption or "", to.entities or to.caption_entities or [], me)
    else:
        return ""
    if not text or direct or to is None or (to.from_user is not None and to.from_user.id == me.id):
        return text
    who = speaker(to)
    return f"{person(who)}: {text}" if who else text


def _mark(covered: str, entity: MessageEntity) -> str:
    return person(covered.lower() if entity.user is None else _who(entity.user))


def _who(somebody: User | Chat) -> str:
    return f"@{somebody.username.lower()}" if somebody.username else str(somebody.id)
