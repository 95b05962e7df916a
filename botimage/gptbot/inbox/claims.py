"""What a worker has of a mailbox: an entry of the line, a claimed turn; and how replies of the store become them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from gptbot.inbox.envelope import Envelope

_DIGITS = 12


class TurnLost(Exception):
    """The turn is another worker's now: nothing more may be sent or written for it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A conversation delivered to this worker and not claimed yet."""

    id: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """A part of the reply that may have been sent: whether it was, nobody heard."""

    part: int
    mark: str
    """What the platform noted before it was sent, for looking for it."""

    def __str__(self) -> str:
        return f"{self.part}:{self.mark}"

    @classmethod
    def read(cls, text: str | None) -> Unsure | None:
        """Of what the store has; None where that is nothing of the kind."""
        part, colon, mark = (text or "").partition(":")
        return cls(int(part), mark) if colon and len(part) < _DIGITS and part.isdecimal() and len(mark) < 64 else None


@dataclass(slots=True)
class Claim:
    """A turn: a conversation's oldest messages, and what is needed to answer them."""

    entry: Entry
    token: int
    messages: list[Envelope]
    context: list[bytes]
    summary: str
    """What was said before the context."""
    sent: dict[int, str]
    """Part number to message id of what earlier tries already sent."""
    reply: str | None
    """The finished reply, when an earlier try got that far."""
    attempts: int
    away: int = 0
    """Tries before this one for which the model was away."""
    aside: bool = False
    """Whether it is for what needs no model, while a turn before it waits for that."""
    unsure: Unsure | None = None
    """What may have been sent besides `sent`."""
    deliveries: int = 1
    """How often the entry was given to a worker: more than once, if workers ended without ending the turn."""
    stop: bool = False
    """Whether somebody asked for the end of the answer."""
    cut: str | None = None
    """Name of the text that tells why `reply` is only what was said until then."""
    settings: dict[str, str] = field(default_factory=dict[str, str])
    """What was chosen in the conversation: persona, language."""
    edits: int = 0
    """How often something that the turn remembers was edited while it was shown, as far as the turn knows of it."""
    deadline: float = 0.0
    """Until when the turn is ours for certain, on the monotonic clock."""
    lost: bool = False
    """Set when a renewal found another owner."""

    @property
    def conversation(self) -> str:
        """Pseudonym of the conversation."""
        return self.entry.conversation


def entries(raw: list[list[bytes | list[bytes]]]) -> list[Entry]:
    """The entries of a reply, without those that were deleted."""
    found: list[Entry] = []
    for identifier, fields in raw:
        if fields:  # a deleted entry comes back without fields
            # What is no text is no conversation's name: a claim finds no mail there, and ends the entry.
            found.append(Entry(bytes(identifier).decode(), bytes(fields[1]).decode(errors="replace")))  # type: ignore[arg-type]
    return found


def readable(mail: list[bytes]) -> list[Envelope]:
    """The messages up to the first that cannot be read."""
    messages: list[Envelope] = []
    for item in mail:
        try:
            messages.append(Envelope.decode(item))
        except ValueError:  # those before it stay
            break
    return messages


def together(messages: list[Envelope], most: int) -> list[Envelope]:
    """The messages at the head that one answer can be for: plain ones of one person, or one of another kind.

    `most`: so many, and then what belongs to the last of them. An answer is a reply to one message: what several people
    asked one after another would be answered in a reply to the last of them.
    """
    head = messages[0]
    end = 1
    if head.plain:
        while end < len(messages) and messages[end].plain and _same_author(messages[end], head):
            album = messages[end].album
            if end >= most and not (album and album == messages[end - 1].album):
                break
            end += 1
    return messages[:end]


def _same_author(one: Envelope, other: Envelope) -> bool:
    return (one.platform, one.user) == (other.platform, other.user)


def pairs(raw: list[bytes]) -> dict[str, str]:
    """A hash, of the names and values that a function returns in turn, without those that are no text."""
    found: dict[str, str] = {}
    for name, value in zip(raw[::2], raw[1::2], strict=False):
        with contextlib.suppress(UnicodeDecodeError):
            found[name.decode()] = value.decode()
    return found


def number(text: str | None, otherwise: int = 0, most: int = 1_000_000) -> int:
    """A whole number from 0 to `most` as the store has it, or `otherwise` where there is none, or another."""
    return int(text) if text and len(text) <= _DIGITS and text.isdecimal() and int(text) <= most else otherwise


def text(value: bytes | None) -> str | None:
    """A text of the store; None when there is none, or what is there is not UTF-8."""
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
