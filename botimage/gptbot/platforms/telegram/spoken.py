"""What was said, without ids or names of anyone.

Telegram tells no id of who is mentioned by `@username`, nor whether anybody is: every such word is a `mention`, in
`@dataclass` too. People who have a user name are marked by it, and a mention as what may be one of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiogram.enums import MessageEntityType
from aiogram.types import Chat, Message, MessageEntity, User

from gptbot.inbox.invocations import command_like
from gptbot.platforms.inbound import perhaps_person, person
from gptbot.platforms.telegram.marking import MARKED, Links, block, code

_LEFT_BY_A_MENTION = " \t\r\n,:;"
_CODING = "utf-16-le"
"""Entities count UTF-16 code units, of two bytes each."""


def speaker(message: Message) -> str:
    """What marks the author of a message; somebody who writes in the name of a chat is that chat."""
    author = message.sender_chat or message.from_user
    return "" if author is None else _who(author)


def people(message: Message) -> list[str]:
    """Whom a message shows to be in the group besides its author: as `speaker` marks them."""
    to = message.reply_to_message
    shown: list[User | Chat | None] = [*(message.new_chat_members or ())]
    shown += [entity.user for entity in message.entities or message.caption_entities or ()]
    shown += [to.sender_chat or to.from_user] if to is not None else []
    return [_who(each) for each in shown if each is not None and not (isinstance(each, User) and each.is_bot)]


def to_bot(text: str, entities: Sequence[MessageEntity], me: User, direct: bool) -> tuple[str, bool]:
    """The text without mentions of the bot, and whether there were any. `/do@bot` becomes `/do`.

    Mentions of others are marked, but not where only the author and the bot are (`direct`). Code and the address behind
    a word are Markdown; not so in a command, whose arguments are plain words.
    """
    plain = _merged(text, entities, me, direct, marked=False)
    if command_like(plain[0]) is not None or not any(entity.type in MARKED for entity in entities):
        return plain
    return _merged(text, entities, me, direct, marked=True)


def _merged(text: str, entities: Sequence[MessageEntity], me: User, direct: bool, *, marked: bool) -> tuple[str, bool]:
    units = text.encode(_CODING, "surrogatepass")
    said, links = _Said(), Links()
    at = 0
    for entity in sorted(entities, key=lambda entity: (entity.offset, -entity.length)):
        start, end = entity.offset * 2, min((entity.offset + entity.length) * 2, len(units))
        if links.end is not None and links.end <= start:
            said.add(_decoded(units[at : links.end]) + links.close())
            at = links.after
        if start < at or end <= start or (links.end is not None and end > links.end):  # within the one before
            continue
        covered = _decoded(units[start:end])
        match entity.type:
            case MessageEntityType.MENTION if covered[1:].lower() == (me.username or "").lower():
                word = None
            case MessageEntityType.TEXT_MENTION if entity.user is not None and entity.user.id == me.id:
                word = None
            case MessageEntityType.BOT_COMMAND if entity.offset == 0 and "@" in covered:
                word = covered.partition("@")[0]
            case MessageEntityType.MENTION | MessageEntityType.TEXT_MENTION if not direct:
                word = _mark(covered, entity)
            case MessageEntityType.CODE if marked:
                word = code(covered)
            case MessageEntityType.PRE if marked:
                word = block(
                    covered, entity.language, before=units[max(start - 2, 0) : start], after=units[end : end + 2]
                )
            case MessageEntityType.TEXT_LINK if marked and links.open(covered, entity.url, end):
                said.add(_decoded(units[at:start]) + "[")
                at = start
                continue
            case _:
                continue
        said.add(_decoded(units[at:start]))
        if word is None:
            said.leave_out()
        else:
            said.add(word)
        at = end
    if links.end is not None:
        said.add(_decoded(units[at : links.end]) + links.close())
        at = links.after
    said.add(_decoded(units[at:]))
    return "".join(said.parts).strip(), said.left_out


def _decoded(units: bytes) -> str:
    return units.decode(_CODING, "replace")


class _Said:
    """A text that is put together from its parts, without the space that a mention leaves where it was."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.left_out = False
        """Whether something was left out."""
        self._blank = True
        """Whether nothing was said so far."""
        self._gap = False
        """Whether something was left out right before what comes next."""

    def leave_out(self) -> None:
        """Leave a mention out."""
        self.left_out = self._gap = True

    def add(self, part: str) -> None:
        """Say something."""
        if self._gap and self._blank:
            part = part.lstrip(_LEFT_BY_A_MENTION)
        elif self._gap and self.parts[-1][-1:].isspace() and part[:1].isspace():
            part = part[1:]
        if part:
            self._gap = False
            self._blank = self._blank and not part.strip()
            self.parts.append(part)


def quoted(message: Message, me: User, direct: bool) -> str:
    """What a message replies to: the part that its author chose, else the whole; of somebody else's behind that person.

    Where only the author and the bot are (`direct`), nobody is named.
    """
    to = message.reply_to_message
    if message.quote is not None:
        text, _ = to_bot(message.quote.text, message.quote.entities or [], me, direct)
    elif to is not None:
        text, _ = to_bot(to.text or to.caption or "", to.entities or to.caption_entities or [], me, direct)
    else:
        return ""
    if not text or direct or to is None or (to.from_user is not None and to.from_user.id == me.id):
        return text
    who = speaker(to)
    return f"{person(who)}: {text}" if who else text


def _mark(covered: str, entity: MessageEntity) -> str:
    return perhaps_person(covered.lower(), covered) if entity.user is None else person(_who(entity.user))


def _who(somebody: User | Chat) -> str:
    return f"@{somebody.username.lower()}" if somebody.username else str(somebody.id)
