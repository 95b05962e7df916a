"""What platforms raise, by what it means for what was to be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Final, Literal

LONGEST_WAIT: Final = 86_400.0
"""Seconds that a platform is waited for, at most; it was seen to ask for some hours."""


class PlatformError(Exception):
    """Base of what platforms raise. The text is safe to log: no token, id or message text."""


class Misconfigured(PlatformError):
    """Only a person can help: a refused token, a missing intent. The text says what to do."""

    def __init__(self, text: str, reason: str = "Misconfigured") -> None:
        super().__init__(text)
        self.reason = reason
        """The same in one CamelCase word, as in `gptbot.platforms.base.Report`."""


class SendError(PlatformError):
    """A message was not sent or edited."""


@dataclass(eq=False)
class FloodWait(SendError):
    """The platform asks to wait."""

    retry_after: float = field()
    """Seconds, as the platform said."""
    scope: Literal["all", "chat", "request"] = "chat"
    """What has to wait: all that the bot sends, what goes to this chat, or only requests of this kind from here."""

    def __post_init__(self) -> None:
        # A server may say anything: what is no number, or has no end, is a day.
        self.retry_after = min(self.retry_after, LONGEST_WAIT) if isfinite(self.retry_after) else LONGEST_WAIT

    def __str__(self) -> str:
        return f"asked to wait {self.retry_after:g} s"


class NotSent(SendError):
    """It certainly did not arrive (no connection, a 5xx answer that says so); trying again is safe."""


class OutcomeUnknown(SendError):
    """The request went out and no answer came back: it may have arrived."""


@dataclass(eq=False)
class TooLong(SendError):
    """It is too long for one message in the only form that the platform takes it in: split it again."""

    max_length: int
    """What one message may hold, in units of `Sender.length`."""

    def __str__(self) -> str:
        return f"too long for one message, which holds {self.max_length}"


@dataclass(eq=False)
class TooLarge(SendError):
    """An attachment is larger than what is fetched."""

    limit: int
    """Bytes."""

    def __str__(self) -> str:
        return f"an attachment of more than {self.limit} bytes"


@dataclass(eq=False)
class HistoryClosed(SendError):
    """What was said before is not for the bot to read."""

    lacks: Literal["permission", "content"]
    """The right to see it, or (of its texts) the platform's leave for this bot."""

    def __str__(self) -> str:
        return f"the history cannot be read: no {self.lacks}"


class MessageGone(SendError):
    """The message to edit is not there any more."""


class Rejected(SendError):
    """The platform refuses for good: blocked by the user, no right to write, the chat is gone."""
