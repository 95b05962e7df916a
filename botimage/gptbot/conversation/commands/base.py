"""What a command is, and what it works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from gptbot.inbox.mailbox import Mailbox
from gptbot.locales import Texts
from gptbot.manifest import BotConfig
from gptbot.platforms.base import Button
from gptbot_api import GptBotSpec


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


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command answers."""

    text: str
    """Markdown."""
    buttons: Sequence[Button] = ()
    """Shown below it, where the platform has such."""


def for_all(_spec: GptBotSpec, _argument: str) -> bool:
    """The reply is for everyone in the chat."""
    return False


def for_caller(_spec: GptBotSpec, _argument: str) -> bool:
    """The reply is for the caller alone."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command."""

    name: str
    run: Callable[[CommandContext], Awaitable[Reply]]
    private: Callable[[GptBotSpec, str], bool] = for_all
    """Whether the reply to this argument is shown to the caller only, where the platform can."""
    argument: bool = False
    """Whether it takes one; its name is the text `command-NAME-argument`."""
    order: int = 100
    """Place in help, lowest first."""
