"""What a platform is: a gateway that receives, a sender that answers, and the errors both raise.

A platform is one object with this shape, found by its entry point in the group `gptbot.platforms`. Its `gateway()` may
import anything (aiogram, discord.py); its `sender()` runs in workers and must import nothing heavier than aiohttp.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import aiohttp
    from starlette.routing import BaseRoute

    from gptbot.inbox.keys import BotKeys
    from gptbot.inbox.store import Store
    from gptbot.manifest import BotConfig
    from gptbot_api.base import ApiModel

Address = dict[str, Any]
"""Where an answer goes: plain JSON that only the platform itself reads, kept until the reply is sent."""


PERSON_START, PERSON_END = "\ue000", "\ue001"
"""Private-use characters, which no text means anything with, around the id of a person in a text."""


def person(user_id: str) -> str:
    """How a platform marks another person in a text, by the id that is `Inbound.user` of theirs; never by a name.

    The intake puts the person's pseudonym of that conversation in its place.
    """
    return f"{PERSON_START}{user_id}{PERSON_END}"


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
    quote: str = ""
    """Text of the message replied to, quoted or forwarded; somebody else's, in a group, behind `person()` and `: `."""
    attachments: Sequence[Attachment] = ()
    administrator: Callable[[], Awaitable[bool]] | None = None
    """Asks the platform whether the author administers the group; None: it cannot tell. May take a request.

    Where only the author and the bot are (`direct`), the author is one, and nobody asks.
    """
    sent: float | None = None
    """When it was written, in seconds since 1970, as the platform says. None: just now."""


MAX_COMMAND = 60
"""Characters of a button's command: Telegram takes 64 bytes with it, Discord 100 characters."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button below a message of the bot's. Pressed, it comes in as an `Inbound` whose text is `!command`."""

    label: str
    """What stands on it, in the reader's language."""
    command: str
    """What it does: a command's name and argument, such as `stop`, `persona translator`; up to `MAX_COMMAND` long."""


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

    async def deleted(self, conversation: str, events: Sequence[str]) -> None:
        """Drop messages, named by their `Inbound.event`, that wait for their answers. Raises StoreUnavailable."""
        ...

    async def ready(self) -> None:
        """Return once the store can take messages: at once, as a rule."""
        ...

    async def forget(self, conversation: str) -> None:
        """Forget what was said in a conversation that its people left. Raises StoreUnavailable."""
        ...


class Leases(Protocol):
    """Who of several gateways holds a session."""

    async def run(self, receiver: str, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease of `receiver`, run `work` while it is held, cancel it when it is lost, and so on.

        Returns when `work` returns by itself; raises what `work` raises. The lease is released either way, and on
        cancellation.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentInfo:
    """An argument of a command as menus with typed options show it."""

    name: str
    """Letters, digits and `-`."""
    descriptions: Mapping[str, str]
    """Language to one line; `en` is always there."""
    number: bool = False
    """Whether it is a whole number; else it is a text."""
    required: bool = False
    values: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict[str, Sequence[tuple[str, str]]])
    """Language to labels and values, where there is a fixed set of them."""
    complete: Callable[[str, str | None], Sequence[tuple[str, str]]] | None = None
    """Labels and values, 25 at most, that fit what was typed so far, in a language."""
    least: int | None = None
    most: int | None = None
    """Bounds of a number, or of a text's length."""


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """A command as menus show it."""

    name: str
    descriptions: Mapping[str, str]
    """Language to one line; `en` is always there."""
    arguments: Sequence[ArgumentInfo] = ()
    where: Collection[Literal["private", "group"]] = ("private", "group")
    administrators: bool = False
    """Whether it is for those only who administer a group."""


class Report(Protocol):
    """Tells operators and probes how a platform is doing."""

    def __call__(self, *, connected: bool, message: str = "", receiver: str = "", of: int = 0) -> None:
        """`message` says what is wrong and what to do; no secret, id or text in it.

        `receiver` (the name that its lease has, `PLATFORM:…`): it is about this one `of` so many that gateways share.
        The platform is connected when all of them are; without a receiver, `of` says how many there are to be.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayContext:
    """What a platform's gateway works with."""

    bot: BotConfig
    settings: ApiModel | Mapping[str, Any]
    """What stands under the platform's name in `spec.platforms`."""
    intake: Intake
    leases: Leases
    report: Report
    commands: Sequence[CommandInfo]
    store: Store
    keys: BotKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderContext:
    """What a platform's sender works with."""

    bot: BotConfig
    settings: ApiModel | Mapping[str, Any]
    http: aiohttp.ClientSession
    """Shared by all senders of the process; has no total timeout, so pass one with each request."""
    store: Store
    keys: BotKeys


class PlatformGateway(Protocol):
    """The receiving half."""

    async def run(self) -> None:
        """Receive until cancelled, reporting what happens. Returns when there is nothing (more) to be done.

        Trouble with the platform is retried inside. Raises Misconfigured when only a person can help.
        """
        ...

    def routes(self) -> Sequence[BaseRoute]:
        """HTTP routes of the platform: the web page, webhooks. Served by every gateway replica."""
        ...


class Sender(Protocol):
    """The answering half. Text is Markdown; the sender renders it for its platform."""

    @property
    def edit_interval(self) -> float:
        """Seconds between two edits of a message that grows, at least; the final text may follow sooner."""
        ...

    @property
    def max_length(self) -> int:
        """The longest text of one message, in units of `length`; what is learnt of the platform may change it."""
        ...

    def length(self, text: str) -> int:
        """Length of a text as the platform counts it."""
        ...

    async def typing(self, address: Address) -> None:
        """Show that an answer is being made. Raises nothing: it does not matter."""
        ...

    async def send(
        self, address: Address, text: str, *, nonce: str, first: bool, final: bool, buttons: Sequence[Button] = ()
    ) -> str:
        """Send a message and return its id. The same `nonce` again is the same message, where the platform can tell.

        `first`: the first message of a reply, to be shown as an answer to the question where the platform can.
        `final`: no edit follows. `buttons`: shown below it, where the platform has such. Raises SendError.
        """
        ...

    async def edit(
        self, address: Address, message_id: str, text: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Replace the text and the buttons of a message of our own. Raises SendError; the same again is no error."""
        ...


@runtime_checkable
class Forgets(Protocol):
    """A sender whose platform keeps messages in our own store: it deletes them when the user asks to be forgotten."""

    async def forget(self, address: Address) -> None:
        """Delete what the platform's keys hold of the conversation. Raises SendError; again is no error."""
        ...


@runtime_checkable
class Drafts(Protocol):
    """A sender whose platform shows a text that grows as a draft, which is no message: a real send must follow."""

    draft_lasts: float
    """Seconds that a draft is shown when nothing follows."""

    async def draft(self, address: Address, text: str, *, nonce: str, buttons: Sequence[Button] = ()) -> bool:
        """Show a text as a draft; the same `nonce` again is the same draft. It is gone once a message is sent.

        False: not to this address, or not now; send a message instead. Raises SendError.
        """
        ...


@runtime_checkable
class Fetches(Protocol):
    """A sender whose platform has attachments to fetch."""

    async def fetch(self, address: Address, reference: Mapping[str, Any], limit: int) -> bytes:
        """The content of an attachment, by its `Attachment.reference`, of at most `limit` bytes.

        Raises TooLarge when it is more, else SendError.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a conversation's past."""

    author: str
    """Id of the author, as in `Inbound.user`. Empty for what the bot itself said."""
    text: str
    """What was said, with marks for the people mentioned (`person`); neither normalised nor redacted."""
    sent: float
    """When, in seconds since 1970."""


@runtime_checkable
class Remembers(Protocol):
    """A sender whose platform lets bots read what was said before."""

    def conversation(self, address: Address) -> str:
        """Id of the conversation of an address, as in `Inbound.conversation`: names of people are made with it."""
        ...

    def history(self, address: Address, since: float) -> AsyncGenerator[Said, None]:
        """What people and the bot said before the message of the address, newest first, back to `since`.

        Read piece by piece as it is asked for, at the pace that the platform allows. `since`: seconds since 1970.
        Raises HistoryClosed, else SendError.
        """
        ...


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


class Platform(Protocol):
    """A platform, as its entry point names it."""

    name: str

    def gateway(self, context: GatewayContext) -> PlatformGateway:
        """Make the receiving half. Called in gateways only."""
        ...

    def sender(self, context: SenderContext) -> Sender:
        """Make the answering half. Called in workers, and in gateways that answer."""
        ...


class PlatformError(Exception):
    """Base of what platforms raise. The text is safe to log: no token, id or message text."""


class Misconfigured(PlatformError):
    """Only a person can help: a refused token, a missing intent. The text says what to do."""


class SendError(PlatformError):
    """A message was not sent or edited."""


@dataclass(eq=False)
class FloodWait(SendError):
    """The platform asks to wait."""

    retry_after: float = field()
    """Seconds, as the platform said."""
    scope: Literal["all", "chat", "request"] = "chat"
    """What has to wait: all that the bot sends, what goes to this chat, or only requests of this kind from here."""

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
