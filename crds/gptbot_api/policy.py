"""How a bot behaves: personas, context, limits, access, privacy."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field

from gptbot_api.base import ApiModel, Duration, Form, Rule
from gptbot_api.refs import PromptSource

PersonaName = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
PRINCIPAL = r"^[a-z0-9-]+:[a-z]+:[A-Za-z0-9_-]+$"
"""Form of an entry of an access list."""
_OF_TELEGRAM = r"telegram:(user:[1-9][0-9]*|chat:-?[1-9][0-9]*)"
_OF_DISCORD = r"discord:(user|guild|role|channel):[1-9][0-9]*"
_OF_WEB = "web:page:public"
MATCHES_SOMEBODY = Form(
    rf"{_OF_TELEGRAM}|{_OF_DISCORD}|{_OF_WEB}|(?!(?:telegram|discord|web):)[\s\S]*",
    "matches nobody: write telegram:user:ID or telegram:chat:ID; discord:user:ID, discord:guild:ID, discord:role:ID or "
    "discord:channel:ID; or web:page:public. An ID is a number, not a name",
    cel=f"(!self.startsWith('telegram:') || self.matches(r'^{_OF_TELEGRAM}$'))"
    f" && (!self.startsWith('discord:') || self.matches(r'^{_OF_DISCORD}$'))"
    f" && (!self.startsWith('web:') || self == '{_OF_WEB}')",
    spares_stored=True,
)
Principal = Annotated[str, Field(min_length=3, max_length=128, pattern=PRINCIPAL), MATCHES_SOMEBODY]
When = Literal["always", "mentioned", "commands"]
PersonalData = Literal["email", "phone", "card", "iban", "ip", "passport", "taxid", "secret"]


class AnswerIn(ApiModel):
    """When the bot answers."""

    direct: When = "always"
    """In private chats and on the web page: `always`, when `mentioned`, or to `commands` only."""
    groups: When = "mentioned"
    """In groups, channels and threads. A reply to the bot counts as a mention."""
    max_age: Duration = "1h"
    """Messages older than this are left alone: those that waited at the platform while the bot was away for long.
    So long, too, a question waits for a model that is away."""


class Persona(ApiModel):
    """A role the bot can play."""

    name: PersonaName
    """Short name, used in the command `persona`."""
    title: Annotated[str, Field(max_length=80)] = ""
    """What people see. Empty: the name."""
    prompt: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    """The system prompt."""
    prompt_from: PromptSource | None = None
    """Read the system prompt from a ConfigMap instead."""
    greeting: Annotated[str, Field(max_length=1000)] = ""
    """What it says to the command `start` in this role, as Markdown. Empty: what `spec.greeting` says."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.prompt) != has(self.promptFrom)",
            "exactly one of prompt and promptFrom must be set",
            lambda p: (p.prompt is None) != (p.prompt_from is None),
        ),
    )


class Context(ApiModel):
    """What the bot remembers of a conversation."""

    max_messages: Annotated[int, Field(ge=0, le=1000)] = 40
    """Messages kept, questions and answers together."""
    ttl: Duration = "24h"
    """How long after the last message a conversation is forgotten."""
    merge_bursts: bool = True
    """Answer what one person wrote while an answer was being made together, in one answer."""
    debounce: Annotated[float, Field(ge=0, le=30)] = 1.5
    """Seconds within which what one person sends after another message belongs to it.

    An answer to that one of which nothing is shown yet is begun anew, for both. No answer waits for it. 0: none is
    begun anew. Without effect where `mergeBursts` is false.
    """
    summarize: bool = True
    """Fold older messages into a running summary instead of dropping them."""
    summary_buffer: Annotated[int, Field(ge=0, le=1000)] = 300
    """Messages of a group kept for the command `summary` where the platform lets bots read no history, at most.

    Nothing is kept until an administrator of the group switches it on there. 0: it cannot be.
    """


class Rate(ApiModel):
    """So many messages in a sliding window."""

    messages: Annotated[int, Field(ge=1, le=1_000_000)]
    """Messages allowed in the window."""
    per: Duration = "1m"
    """Length of the window."""


class Mute(ApiModel):
    """A user who comes over their limit again and again is not heard for a while, each time twice as long."""

    after: Annotated[int, Field(ge=0, le=1000)] = 3
    """Floods before the first pause; a flood is a window of `perUser` that messages were refused in. 0: no pauses."""
    first: Duration = "1m"
    """Length of the first pause."""
    longest: Duration = "1h"
    """Length of the longest. Who keeps the limit for as long, and a window more, starts afresh."""


class Limits(ApiModel):
    """What one user, one chat and the whole bot may use. All of a bot's pods count together."""

    has_installation_defaults: ClassVar[bool] = True

    per_user: Rate = Field(default_factory=lambda: Rate(messages=20))
    """Messages of one user, over all chats."""
    per_chat: Rate = Field(default_factory=lambda: Rate(messages=60))
    """Messages of one chat."""
    per_bot: Rate | None = None
    """Messages of all chats together. Absent: no limit."""
    tokens_per_day: Annotated[int, Field(ge=0, le=1_000_000_000_000)] = 2_000_000
    """Model tokens the bot may use in a day, questions and answers together. 0: no limit."""
    tokens_per_user_per_day: Annotated[int, Field(ge=0, le=1_000_000_000_000)] = 0
    """The same of one user, over all chats. 0: no limit."""
    cost_per_day: Annotated[float, Field(ge=0, le=1_000_000_000)] = 0
    """What the model may cost in a day, in the currency of `llm.prices`, which it needs. 0: no limit."""
    cost_per_user_per_day: Annotated[float, Field(ge=0, le=1_000_000_000)] = 0
    """The same of one user, over all chats. 0: no limit."""
    mute: Mute = Field(default_factory=Mute)
    """Pauses for those who keep flooding the bot."""


class Access(ApiModel):
    """Who may talk to the bot. Entries read `PLATFORM:KIND:ID`, such as `discord:guild:2`."""

    allow: Annotated[list[Principal], Field(max_length=1000)] = Field(default_factory=list[str])
    """If not empty, only these may."""
    deny: Annotated[list[Principal], Field(max_length=1000)] = Field(default_factory=list[str])
    """These may not, whatever `allow` says."""
    administrators: Annotated[list[Principal], Field(max_length=1000)] = Field(default_factory=list[str])
    """These count as administrators of every chat, whatever the platform says of them there."""


class Privacy(ApiModel):
    """What is taken out of messages, and how long anything is kept."""

    has_installation_defaults: ClassVar[bool] = True

    redact: Annotated[list[PersonalData], Field(max_length=16)] = Field(
        default_factory=lambda: list[PersonalData](get_args(PersonalData))
    )
    """Personal data replaced by a placeholder before a message is stored or sent to the model.

    `passport` and `taxid` (INN, SNILS) are those of Russia; `secret`: API keys, tokens, passwords, private keys.
    """
    retention: Duration = "24h"
    """The longest time anything of a conversation is kept, whatever `context.ttl` says."""
