"""What a platform takes in a time, as its sender names it; `delivery/pacing.py` keeps to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from gptbot.platforms.inbound import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a platform takes in a time, from all processes of a bot together."""

    name: str
    """Names its count in the store, such as `all` or `chat`."""
    requests: int
    """So many in any `seconds`."""
    seconds: float
    interim: int
    """How many of them may be interim edits: the rest is kept for texts that have to get there."""
    chat: bool = False
    """Whether it is a limit of each chat, and not of the bot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The limits that an answer is under."""

    chat: str
    """Whom a wait is for that is not for all: the platform's id, hashed before storing."""
    messages: Sequence[Limit]
    """Limits of sending and editing, the slowest first."""
    typing: Sequence[Limit] = ()
    """Limits of showing that an answer is being made."""


@runtime_checkable
class Paced(Protocol):
    """A sender whose platform has limits that hold for all of a bot's processes together. `delivery` keeps them."""

    def pace(self, address: Address) -> Pace:
        """The limits of an answer to this address."""
        ...
