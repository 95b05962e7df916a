"""From a message of Telegram to what the intake takes."""

from __future__ import annotations

from aiogram.enums import ChatType, MessageEntityType
from aiogram.types import Message, MessageEntity, Update, User

from gptbot.platforms.base import Inbound

_LEFT_BY_A_MENTION = " \t,:;"


def inbound(update: Update, me: User) -> Inbound | None:
    """The message of an update, or None when it is not one that the bot could answer.

    Not answered are: messages of bots (and our own), posts that a channel forwards into its discussion group, commands
    for another bot, and what has no text: service messages, stickers, pictures without a caption.
    """
    message = update.message
    text = None if message is None else message.text or message.caption
    if message is None or text is None or message.is_automatic_forward:
        return None
    author = _author(message, me)
    if author is None:
        return None
    entities = message.entities or message.caption_entities or []
    direct = message.chat.type == ChatType.PRIVATE
    command = _command_target(text, entities)
    if command and command != _name(me):
        return None
    said, mentioned = _without_mention(text, entities, me)
    chat = message.chat.id
    topic = message.message_thread_id if message.is_topic_message else None
    return Inbound(
        event=str(update.update_id),
        conversation=str(chat) if topic is None else f"{chat}:{topic}",
        user=str(author),
        text=said,
        direct=direct,
        addressed=direct or mentioned or bool(command) or _answers(message, me),
        address={
            "chat_id": chat,
            "thread_id": topic,
            "message_id": message.message_id,
            "chat_type": str(message.chat.type),
        },
        language=message.from_user.language_code if message.from_user else None,
        principals=(f"user:{author}", f"chat:{chat}"),
    )


def _author(message: Message, me: User) -> int | None:
    """Who wrote it. Somebody who writes in the name of a chat is that chat; a bot is nobody."""
    sender, chat = message.from_user, message.sender_chat
    if message.via_bot is not None and message.via_bot.id == me.id:
        return None
    if chat is not None:  # an anonymous administrator, or a person writing as their channel; `from` is a stand-in then
        return chat.id
    return None if sender is None or sender.is_bot else sender.id


def _answers(message: Message, me: User) -> bool:
    """Whether it is a reply to the bot. In a topic every message "replies" to the one that made the topic."""
    to = message.reply_to_message
    if to is None or to.from_user is None or to.from_user.id != me.id:
        return False
    return to.forum_topic_created is None


def _command_target(text: str, entities: list[MessageEntity]) -> str:
    """Whom a command that begins the text is for: the name after its `@`, or an empty string."""
    for entity in entities:
        if entity.type == MessageEntityType.BOT_COMMAND and entity.offset == 0:
            return entity.extract_from(text).partition("@")[2].lower()
    return ""


def _name(me: User) -> str:
    return (me.username or "").lower()


def _without_mention(text: str, entities: list[MessageEntity], me: User) -> tuple[str, bool]:
    """The text without mentions of the bot, and whether there were any. `/cmd@bot` becomes `/cmd`."""
    units = text.encode("utf-16-le")  # entities count UTF-16 code units, of two bytes each
    mentioned = False
    for entity in sorted(entities, key=lambda entity: entity.offset, reverse=True):
        start, end = entity.offset * 2, (entity.offset + entity.length) * 2
        covered = units[start:end].decode("utf-16-le", "replace")
        match entity.type:
            case MessageEntityType.MENTION if covered[1:].lower() == _name(me):
                pass
            case MessageEntityType.TEXT_MENTION if entity.user is not None and entity.user.id == me.id:
                pass
            case MessageEntityType.BOT_COMMAND if entity.offset == 0 and "@" in covered:
                units = covered.partition("@")[0].encode("utf-16-le") + units[end:]
                continue
            case _:
                continue
        mentioned = True
        before = units[:start].decode("utf-16-le", "replace")
        after = units[end:].decode("utf-16-le", "replace")
        if not before.strip():
            after = after.lstrip(_LEFT_BY_A_MENTION)
        elif before[-1:].isspace() and after[:1].isspace():
            after = after[1:]
        units = (before + after).encode("utf-16-le", "surrogatepass")
    return units.decode("utf-16-le", "replace").strip(), mentioned
