"""From a message of Telegram, a pressed button or a stopped draft to what the intake takes."""

from __future__ import annotations

from dataclasses import replace

from aiogram.enums import ChatType, MessageEntityType
from aiogram.types import CallbackQuery, Message, MessageEntity, MessageGenerationStopped, Update, User

from gptbot.platforms.inbound import Address, Inbound
from gptbot.platforms.telegram.attachments import attachments
from gptbot.platforms.telegram.callbacks import command as command_of
from gptbot.platforms.telegram.contents import unread
from gptbot.platforms.telegram.spoken import people, quoted, speaker, to_bot

_STOP = "!stop"


def inbound(update: Update, me: User) -> Inbound | None:
    """What an update asks of the bot, or None when it is nothing that the bot could answer."""
    event = str(update.update_id)
    if update.callback_query is not None:
        return _pressed(update.callback_query, me)
    if update.stopped_message_generation is not None:
        return _stopped(event, update.stopped_message_generation)
    if update.edited_message is not None:
        edited = _said(update.edited_message, me)
        if edited is not None and edited.unread:  # somebody's live location goes on, and asks nothing
            return None
        return edited and replace(edited, original_at=update.edited_message.date.timestamp())
    return None if update.message is None else _said(update.message, me)


def _pressed(query: CallbackQuery, me: User) -> Inbound | None:
    """A button pressed below a message of ours. None: it is not ours, or so old that its message is not told."""
    message, said = query.message, command_of(query.data)
    if said is None or not isinstance(message, Message) or message.from_user is None or message.from_user.id != me.id:
        return None
    author, chat, topic = query.from_user.id, message.chat.id, _topic(message)
    direct = message.chat.type == ChatType.PRIVATE
    return Inbound(
        event=f"press:{query.id}",
        conversation=_conversation(chat, topic),
        user=str(author),
        text=said,
        direct=direct,
        addressed=True,
        address={**_address(chat, topic, message.message_id, str(message.chat.type)), "pressed": True},
        language=query.from_user.language_code,
        pressed=str(message.message_id),
        principals=(f"user:{author}", f"chat:{chat}"),
    )


def _stopped(event: str, stopped: MessageGenerationStopped) -> Inbound | None:
    """The Stop button of a draft. Drafts are in private chats only, whose id is that of the person."""
    chat, topic = stopped.chat.id, stopped.message_thread_id
    if stopped.chat.type != ChatType.PRIVATE:
        return None
    return Inbound(
        event=event,
        conversation=_conversation(chat, topic),
        user=str(chat),
        text=_STOP,
        direct=True,
        addressed=True,
        address=_address(chat, topic, 0, str(stopped.chat.type)),
        principals=(f"user:{chat}", f"chat:{chat}"),
    )


def _topic(message: Message) -> int | None:
    return message.message_thread_id if message.is_topic_message else None


def _conversation(chat: int, topic: int | None) -> str:
    return str(chat) if topic is None else f"{chat}:{topic}"


def _address(chat: int, topic: int | None, message: int, chat_type: str) -> Address:
    """`message`: what to reply to in groups."""
    return {"chat_id": chat, "thread_id": topic, "message_id": message, "chat_type": chat_type}


def _said(message: Message, me: User) -> Inbound | None:
    """A message, or None when it is not one that the bot could answer.

    Not answered are: messages of bots (and our own), posts that a channel forwards into its discussion group, commands
    for another bot, and service messages, but for those on who joined.
    """
    text, files = message.text or message.caption or "", attachments(message)
    cannot = "" if text or files else unread(message)
    joined = any(not each.is_bot for each in message.new_chat_members or ())  # asks nothing, but tells who is there
    if not (text or files or joined or cannot) or message.is_automatic_forward:
        return None
    author = _author(message, me)
    if author is None:
        return None
    entities = message.entities or message.caption_entities or []
    direct = message.chat.type == ChatType.PRIVATE
    command = _command_target(text, entities)
    if command and command != (me.username or "").lower():
        return None
    said, mentioned = to_bot(text, entities, me, direct)
    chat, topic = message.chat.id, _topic(message)
    return Inbound(
        event=f"{chat}:{message.message_id}",  # an edit is another update, of the same message
        conversation=_conversation(chat, topic),
        user=str(author),
        text=said,
        direct=direct,
        addressed=direct or mentioned or bool(command) or _answers(message, me),
        address=_address(chat, topic, message.message_id, str(message.chat.type)),
        language=message.from_user.language_code if message.from_user else None,
        principals=(f"user:{author}", f"chat:{chat}"),
        sent=message.date.timestamp(),
        speaker=speaker(message),
        people=() if direct else people(message),
        quote=quoted(message, me, direct),
        forwarded=message.forward_origin is not None,
        names=(me.username,) if me.username else (),
        attachments=files,
        unread=cannot,
        album=message.media_group_id or "",
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
