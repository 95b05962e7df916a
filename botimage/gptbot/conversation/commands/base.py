"""What a command is, and what it works with.

A command's texts have names made from its own: `command-NAME` (one line), `command-NAME-long`, `command-NAME-aliases`
(further names in that language, with commas), `command-NAME-argument-ARGUMENT` (one line each), `argument-ARGUMENT`
(the word in the command's form, shared by all commands), `command-NAME-example-1` and so on, and `command-NAME-stores`
(what is kept because of it; nothing where it is missing).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gptbot.inbox.mailbox import Mailbox
from gptbot.llm.types import Message
from gptbot.locales import Texts
from gptbot.manifest import BotConfig
from gptbot.platforms.base import Button, Sender
from gptbot.platforms.inbound import Address
from gptbot_api import GptBotSpec

if TYPE_CHECKING:
    from gptbot.bot import Bot

Place = Literal["private", "group"]
EVERYWHERE: frozenset[Place] = frozenset({"private", "group"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of an argument."""

    value: str
    """What the command gets, and what may be typed."""
    label: str
    """What people see, in their language; it may be typed too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument. A `text` takes the rest of the line, so it comes last."""

    name: str
    """Letters, digits and `-`, up to 32: also its name on platforms with typed options."""
    kind: Literal["choice", "text", "number", "duration", "period"] = "text"
    """What the command finds in `CommandContext.arguments`: `choice` and `text` a str, `number` an int, `duration`
    seconds as a float, `period` a `gptbot.conversation.arguments.Period`."""
    optional: bool = True
    choices: Callable[[GptBotSpec, Texts, Mapping[str, str]], Sequence[Choice]] | None = None
    """The values of a `choice`: asked for each time, so they may follow the bot's settings and the arguments given
    before, by their names."""
    fixed: bool = False
    """Whether the choices are the same for every bot and at all times: menus show them then, else they ask."""
    least: int | None = None
    most: int | None = None
    """Bounds of a number, or of a text's length in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandContext:
    """What a command works with."""

    config: BotConfig
    mailbox: Mailbox
    bot: Bot
    """The bot at work: its store, keys, limits, and `ask` for the model."""
    platform: str
    event: str
    """Pseudonym of the command's own message."""
    conversation: str
    """Pseudonym of the conversation."""
    user: str
    """Pseudonym of the caller, the same in all chats."""
    speaker: str
    """The caller's name in this conversation, as the model is told it; empty in private."""
    language: str | None
    """The caller's language, as chosen in the conversation or as the platform tells it; there may be no texts in it."""
    settings: Mapping[str, str]
    """What was chosen in the conversation. `choose` changes it."""
    persona: str
    """Name of the persona in force."""
    noted: Mapping[str, Any]
    """What the gateway noted with the command (`Envelope.values`)."""
    argument: str
    """All that stood behind the command's name."""
    arguments: Mapping[str, Any]
    """The same by the names of the command's `Argument`s; those that were left out are not in it."""
    direct: bool
    received: float
    """When the command was enqueued, in seconds since 1970."""
    administrator: bool
    """Whether the caller administers the chat (in a private one: always) or the bot. False where it was not asked."""
    texts: Texts
    sender: Sender
    address: Address
    """Where the answer goes; only the platform's sender reads it."""
    progress: Callable[[str], None]
    """Shows a text as the reply that is growing: for what takes long. The `Reply` takes its place."""
    choose: Callable[[Mapping[str, str]], Awaitable[None]]
    """Sets settings of the conversation; an empty value takes one back. Kept for `privacy.retention`."""
    ask: Callable[[Sequence[Message]], Awaitable[str]]
    """Asks the model for a text in one piece, on the caller's account. Raises ModelError."""
    forget: Callable[[Sequence[str]], Awaitable[None]]
    """Deletes the conversation's context and the settings named, and what its platform keeps of it in the store."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a command has the model answer, in place of a reply of its own.

    The answer is shown as it grows, may be stopped, is counted and looked over as every answer of the model is.
    """

    messages: Sequence[Message]
    """All of the request: no context is added, and nothing of it is remembered."""
    head: str = ""
    """Stands above the answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command answers."""

    text: str
    """Markdown."""
    buttons: Sequence[Button] = ()
    """Shown below it, where the platform has such."""


def always(_spec: GptBotSpec) -> bool:
    """Every bot offers the command."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command."""

    name: str
    run: Callable[[CommandContext], Awaitable[Reply | Question]]
    arguments: Sequence[Argument] = ()
    aliases: Sequence[str] = ()
    """Further names in no language of their own; those of a language are in its `command-NAME-aliases`."""
    where: frozenset[Place] = EVERYWHERE
    administrators: bool = False
    """Whether only those who administer the chat, or the bot, may use it."""
    asks_administrator: bool = False
    """Whether it does more for those: the platform is asked then, so that `CommandContext.administrator` is right."""
    private_reply: bool | Callable[[GptBotSpec, str], bool] = False
    """Whether the reply is shown to the caller only, where the platform can; or that for an argument."""
    offered: Callable[[GptBotSpec], bool] = always
    """Whether a bot has the command at all; help and menus leave it out otherwise."""
    asks_model: bool = False
    """Whether it may ask the model, while it runs or with a `Question`: it can be stopped then, as answers can."""
    ignores_argument: bool = False
    """Whether what stands behind its name means nothing; else an argument that it does not have is told to be wrong."""
    examples: int = 1
    """How many texts `command-NAME-example-N` there are."""
    order: int = 100
    """Place in help, lowest first."""

    def private(self, spec: GptBotSpec, argument: str) -> bool:
        """Whether the reply to this argument is for the caller alone."""
        return self.private_reply if isinstance(self.private_reply, bool) else self.private_reply(spec, argument)
