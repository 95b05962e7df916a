"""What comes in from a platform: a message as its gateway hands it in, and the intake that takes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Address = dict[str, Any]
"""Where an answer goes: plain JSON that only the platform itself reads, kept until the reply is sent."""

PERSON_START, PERSON_END, PERSON_WRITTEN = "\ue000", "\ue001", "\ue002"
"""Private-use characters, which no text means anything with: around the id of a person in a text, and before the words
that stand there."""


def person(user_id: str) -> str:
    """How a platform marks another person in a text, by the id that is `Inbound.user` of theirs; never by a name.

    The intake puts the person's pseudonym of that conversation in its place.
    """
    return f"{PERSON_START}{user_id}{PERSON_END}"


def perhaps_person(user_id: str, written: str) -> str:
    """How a platform marks what may be a person, and may as well be a word such as `@dataclass`: `written`.

    The intake leaves what is written, unless somebody of that id was seen in the conversation (`Inbound.people`).
    """
    return f"{PERSON_START}{user_id}{PERSON_WRITTEN}{written}{PERSON_END}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message. Its name is not kept: people put names of people into those."""

    kind: Literal["image", "audio", "text", "other"]
    mime: str
    """Such as `image/png`; empty when the platform does not tell."""
    size: int | None
    """Bytes, as the platform says."""
    reference: Mapping[str, Any]
    """Where it is: plain JSON that only the platform's sender reads, such as a file's id or a URL."""
    seconds: float | None = None
    """How long a recording is, as the platform says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One message as a platform's gateway hands it in. Ids are the platform's own; they are hashed before storing."""

    event: str
    """Id of the event, unique a platform and bot: a second delivery of the same event has the same id."""
    conversation: str
    """Id of what shares a context: a private chat, group, forum topic, channel, thread or web session."""
    user: str
    """Id of the author."""
    text: str
    """What was said, without the mention of the bot."""
    direct: bool
    """Whether only the author and the bot are there."""
    addressed: bool
    """Whether the bot was meant: mentioned, replied to, or asked by a slash command."""
    address: Address
    """Where the answer goes."""
    language: str | None = None
    """The author's language as the platform tells it, such as `ru` or `en-US`."""
    answer_due: bool = False
    """Whether the platform shows that an answer is on its way until one comes, whatever the message was."""
    principals: Sequence[str] = ()
    """Who and where, for access lists, without the platform's name: `user:1`, `guild:2`, `role:3`, `chat:4`."""
    original_at: float | None = None
    """Set on an edited message, whose `event` is that of the original: when that was written, seconds since 1970."""
    speaker: str = ""
    """How mentions mark the author (`person`), where that is not by `user`."""
    people: Sequence[str] = ()
    """Whom the message shows to be in the group besides its author, as `person` marks them."""
    quote: str = ""
    """Text of the message replied to, quoted or forwarded; somebody else's, in a group, behind `person()` and `: `."""
    forwarded: bool = False
    """Whether the text, or where there is none the quote, is somebody else's that the author forwarded."""
    pressed: str = ""
    """Id of the message that a button was pressed below; empty: it is no button."""
    names: Sequence[str] = ()
    """What the bot is called behind the `@` of a command, where several bots may read it. Empty: nobody else does."""
    attachments: Sequence[Attachment] = ()
    unread: str = ""
    """Why all that was sent cannot be read, such as somebody's contact card: the name of a text of the locales, which
    its author is told in place of an answer. Empty: there is something to read."""
    album: str = ""
    """Id that messages of an author have in common which are one question, such as pictures sent together."""
    administrator: Callable[[], Awaitable[bool]] | None = None
    """Asks the platform whether the author administers the group; None: it cannot tell. May take a request.

    Where only the author and the bot are (`direct`), the author is one, and nobody asks.
    """
    sent: float | None = None
    """When it was written, in seconds since 1970, as the platform says. None: just now."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a message, known before it is stored."""

    refusal: str | None = None
    """Why it is not taken, to be told to its author: the name of a text of the locales. None: it is taken."""
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Values of that text."""
    private: bool = False
    """Whether the answer is for the author alone."""
    language: str | None = None
    """Of the refusal, where one was chosen in the conversation; else the author's, as the platform tells it."""
    files: bool = True
    """Whether the message's files are read: not those of a command."""


Hears = Callable[[Verdict], Awaitable[Address | None]]
"""Hears of a verdict, perhaps more than once, and says where the answer goes. None: a refusal is told already."""


class Intake(Protocol):
    """Takes messages in: access, limits, redaction, enqueue."""

    async def accept(self, message: Inbound, hears: Hears | None = None) -> bool:
        """Take a message. True: it is in the store now, or was before. False: it is not for the bot, or refused.

        `hears` is told what becomes of a message for the bot before anything is stored.
        Either way the platform may be told that it was received. Raises StoreUnavailable: it was not received, keep it.

        An edited message replaces the original if that waits for its answer; one that was not for the bot before, and
        is now, is a new one; else nothing happens.
        """
        ...

    def barred(self, conversation: str, user: str, principals: Sequence[str]) -> Verdict | None:
        """What is known of an author before a message is read: that all of theirs are refused, and why.

        Asks nobody. None: nothing is known, and the message decides. Ids are the platform's own.
        """
        ...

    async def deleted(self, conversation: str, events: Sequence[str]) -> None:
        """Drop messages, named by their `Inbound.event`, that wait for their answers. Raises StoreUnavailable."""
        ...

    async def ready(self) -> None:
        """Return once the store can take messages: at once, as a rule."""
        ...

    async def forget(self, conversation: str) -> None:
        """Forget what was said in a conversation that its people left. Raises StoreUnavailable."""
        ...
