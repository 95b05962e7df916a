"""What a platform is: a gateway that receives, a sender that answers, and what each of them works with.

A platform is one object with this shape, found by its entry point in the group `gptbot.platforms`. Its `gateway()` may
import anything (aiogram, discord.py); its `sender()` runs in workers and must import nothing heavier than aiohttp.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from gptbot.locales import CommandForm
from gptbot.platforms.inbound import Address, Intake

if TYPE_CHECKING:
    import aiohttp
    from starlette.routing import BaseRoute

    from gptbot.inbox.keys import BotKeys
    from gptbot.inbox.store import Store
    from gptbot.manifest import BotConfig
    from gptbot_api.base import ApiModel
    from gptbot_api.doubts import Finding

MAX_COMMAND = 60
"""Characters of a button's command: Telegram takes 64 bytes with it, Discord 100 characters."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button below a message of the bot's. Pressed, it comes in as an `Inbound` whose text is `!command`."""

    label: str
    """What stands on it, in the reader's language."""
    command: str
    """What it does: a command's name and argument, such as `stop`, `persona translator`; up to `MAX_COMMAND` long."""


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
    complete: Callable[[str, str | None, Mapping[str, str]], Sequence[tuple[str, str]]] | None = None
    """Labels and values, 25 at most, that fit what was typed so far, in a language; the last are the other arguments
    given, by their names.
    """
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


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is on a platform, for those who look after it."""

    username: str
    """As the platform shows it."""
    invite: str = ""
    """Where people open it or add it to a group; empty: nowhere."""


class Report(Protocol):
    """Tells operators and probes how a platform is doing."""

    def __call__(
        self,
        *,
        connected: bool,
        reason: str = "",
        message: str = "",
        receiver: str = "",
        of: int = 0,
        identity: Identity | None = None,
    ) -> None:
        """`message` says what is wrong and what to do; no secret, id or text in it. `reason`: the same in one
        CamelCase word, as docs/troubleshooting.md lists them. Both go with `connected` too, for what does not work as
        it should.

        `identity`: who the bot is there, once that is known; it stays until another is told.

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
        """Show that an answer is being made. Raises FloodWait, a wait like any other; other trouble does not matter."""
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
class HasCommands(Protocol):
    """A sender whose platform has commands of its own, begun with `/`: there they can be tapped, and always arrive."""

    async def command_form(self) -> CommandForm:
        """How a command is written in a message. Raises nothing."""
        ...

    def delivers(self, alias: str, *, direct: bool) -> bool:
        """Whether a further name of a command arrives too when it is typed: groups tell of some only."""
        ...


@runtime_checkable
class Withholds(Protocol):
    """A sender whose platform may keep from bots what is said in a group and not to them."""

    async def withheld(self, address: Address) -> Literal["privacy", "content"] | None:
        """Why not all messages of a group arrive: the bot is no administrator and its privacy mode is on, or it lacks
        the platform's leave to see texts. None: they do, or nobody can tell. Raises nothing.
        """
        ...


@runtime_checkable
class Deletes(Protocol):
    """A sender whose platform lets a bot delete its own messages. Elsewhere they are emptied instead."""

    async def delete(self, address: Address, message_id: str) -> None:
        """Delete a message of our own; one that is not there any more is no error.

        Raises Rejected where it cannot be deleted (any more), else SendError.
        """
        ...


@runtime_checkable
class Finds(Protocol):
    """A sender whose platform does not know a repeated `send`, but tells, without any effect, which ids are ours.

    So a message whose send had no answer can be looked for, and gone on with by edits.
    """

    def mark(self, address: Address) -> str | None:
        """What to look behind for a message that is sent now; up to 60 characters. None: it cannot be told here."""
        ...

    def candidates(self, address: Address, mark: str, last: str) -> Sequence[str]:
        """Ids that the message may have, the likeliest first. `last`: the last one known to be another's, or empty."""
        ...

    def looked(self, mark: str, message_id: str) -> str:
        """The mark once it is known not to be that id: `candidates` are those behind it."""
        ...

    async def is_ours(self, address: Address, message_id: str) -> bool | None:
        """Whether there is a message of ours with that id; None: the platform does not tell. Raises SendError."""
        ...


@runtime_checkable
class Clears(Protocol):
    """A sender whose platform can take buttons away and leave the text above them as it is."""

    async def clear(self, address: Address) -> None:
        """Take the buttons away from the message below which one was pressed, where the address is that of a press.

        Raises SendError.
        """
        ...


@runtime_checkable
class Forgets(Protocol):
    """A sender whose platform keeps messages in our own store: it deletes them when the user asks to be forgotten."""

    async def forget(self, conversation: str) -> None:
        """Delete what the platform's keys hold of a conversation, named by its pseudonym as all its keys are: nobody
        kept where it is. Raises SendError; again is no error.
        """
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


@runtime_checkable
class Releases(Protocol):
    """A sender whose platform keeps attachments in our own store: it deletes them once nobody fetches them again."""

    async def release(self, address: Address, references: Sequence[Mapping[str, Any]]) -> None:
        """Delete attachments, by their `Attachment.reference`. Raises SendError; again is no error."""
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


@runtime_checkable
class Checks(Protocol):
    """A platform that looks at its settings and Secrets in `gptbot validate`, and in `gptbot run` before bots start."""

    def check(self, bot: BotConfig, settings: ApiModel | Mapping[str, Any]) -> Iterable[Finding]:
        """What is wrong, or likely wrong, with what stands under the platform's name; `BotConfig.peek` reads Secrets.

        Messages say what is wrong and what to do, and repeat no value of a Secret. A Secret that is not there is told
        by others. Nothing may be asked over the network.
        """
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
