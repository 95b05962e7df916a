"""What a command is, and what it works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gptbot.inbox.mailbox import Mailbox
from gptbot.locales import Texts
from gptbot.manifest import BotConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandContext:
    """What a command works with."""

    config: BotConfig
    mailbox: Mailbox
    conversation: str
    """Pseudonym of the conversation."""
    persona: str
    """Name of the persona in force."""
    argument: str
    direct: bool
    texts: Texts
    forget: Callable[[], Awaitable[None]]
    """Deletes the conversation's context and settings, and what its platform keeps of it in the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: its reply is Markdown."""

    name: str
    run: Callable[[CommandContext], Awaitable[str]]
    argument: bool = False
    """Whether it takes one; its name is the text `command-NAME-argument`."""
    order: int = 100
    """Place in help, lowest first."""
