"""The gateway's door: who may speak, what is for the bot, limits, redaction, and then the mailbox."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gptbot.files.limits import readable
from gptbot.inbox.albums import ALBUM_TTL
from gptbot.inbox.changes import Changes, Edit
from gptbot.inbox.choices import Chosen
from gptbot.inbox.envelope import CONTINUE, FORGET, ONCE, PRESSED, Envelope
from gptbot.inbox.invocations import Commands, bot_named, command_like, parse_command, pressed
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.overheard import ON, Overheard, OverheardMessages
from gptbot.inbox.people import People
from gptbot.inbox.stops import COMMAND as STOP
from gptbot.inbox.stops import Stops
from gptbot.manifest import BotConfig
from gptbot.platforms.inbound import Address, Hears, Inbound, Verdict
from gptbot.safety.access import administers, allowed
from gptbot.safety.limits import Limits
from gptbot.safety.limits import Refusal as LimitRefusal
from gptbot.safety.normalize import MOST_CHARACTERS, normalize
from gptbot.safety.pseudonyms import Pseudonyms
from gptbot.safety.redaction import Redactor
from gptbot.telemetry import metrics
from gptbot_api import GptBotSpec
from gptbot_api.base import seconds

_EDITED_ANEW = 24 * 3600.0
"""Seconds in which an edit may turn a message into a question: older answers are forgotten to have been given."""
_FORGET_AGAIN = 3.0
"""Seconds after which somebody over a limit may ask to be forgotten again."""
_DENIED_AGAIN = 24 * 3600.0
"""Seconds after which somebody the bot is not for is told so again."""

_MOST_QUOTED = 2000
"""Characters of what a message replies to: enough for what is meant to be clear."""
_SPARE = 500
"""Characters beyond that are redacted with the rest: no half of a number is left at the end."""
_MOST_NAMED = 64
"""Characters in which a command is named."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Why a message is not taken."""

    text: str
    """Name of a text of the locales."""
    tell: bool
    """Whether its author is told of it in a message. Where the platform waits for a word, it gets one in any case."""
    outcome: str
    """For the metrics."""
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Values of the text."""


_TOO_LONG = Notice("message-too-long", tell=True, outcome="too_long", values={"most": MOST_CHARACTERS})


class BotIntake:
    """Takes in the messages of one bot from one platform. See `platforms.inbound.Intake`."""

    def __init__(
        self,
        config: Callable[[], BotConfig],
        platform: str,
        mailbox: Mailbox,
        limits: Limits,
        commands: Commands,
        spoken: Callable[[GptBotSpec, str], tuple[str, str] | None] | None = None,
        erase: Callable[[str, Envelope], Awaitable[Mapping[str, int]]] | None = None,
    ) -> None:
        """`spoken`: the command, and its argument, that plain words amount to.

        `erase`: erases what a `forget` in a conversation asks for, and says how much there was of what.
        """
        self._spoken = spoken
        self._erase = erase
        self._config = config
        self._platform = platform
        self._mailbox = mailbox
        self._limits = limits
        self._commands = commands
        self._stops = Stops(mailbox.store, mailbox.keys)
        self._changes = Changes(mailbox)
        self._overheard = OverheardMessages(mailbox.store, mailbox.keys)
        self._people = People(mailbox.store, mailbox.keys)

    async def ready(self) -> None:
        """Return once the store can take messages."""
        await self._mailbox.store.wait_available()

    async def forget(self, conversation: str) -> None:
        """Forget the context of a conversation. Raises StoreUnavailable."""
        await self._mailbox.forget(self._mailbox.keys.pseudonym(self._platform, "conversation", conversation))

    async def accept(self, message: Inbound, hears: Hears | None = None) -> bool:
        """Take a message, or find that it is not for the bot. Raises StoreUnavailable: keep it and try again."""
        if message.original_at is not None and not await self._may_edit(message):
            return self._count("limited")
        if not message.direct and (message.speaker or message.people):
            await self._see(message)
        taken = await self._take(message, hears)
        if not message.direct and self._config().bot.spec.context.summary_buffer:
            await self._overhear(message)
        return taken

    def barred(self, conversation: str, user: str, principals: Sequence[str]) -> Verdict | None:
        """See `platforms.inbound.Intake`."""
        keys, platform = self._mailbox.keys, self._platform
        if not allowed(principals, self._config().bot.spec.access, platform):
            self._count("denied")
            return Verdict("access-denied", private=True)
        known = self._limits.refused(
            keys.pseudonym(platform, "user", user), keys.pseudonym(platform, "conversation", conversation)
        )  # fmt: skip
        if known is None:
            return None
        self._count("limited")
        over = self._over(known)
        return Verdict(over.text, over.values, private=True)

    async def _may_edit(self, message: Inbound) -> bool:
        """Whether somebody the bot is for may edit once more: an edit is as much work as a message, and no new one."""
        keys, platform, spec = self._mailbox.keys, self._platform, self._config().bot.spec
        if not allowed(message.principals, spec.access, platform):
            return True  # it goes no further than that
        user = keys.pseudonym(platform, "user", message.user)
        conversation = keys.pseudonym(platform, "conversation", message.conversation)
        if (known := self._limits.refused(user, conversation)) is not None and known.limit == "mute":
            self._over(known)
            return False
        return await self._limits.check_edit(user, conversation)

    async def _see(self, message: Inbound) -> None:
        """Note who is in a group, for mentions that may be of somebody and may as well be any word."""
        keys, platform, spec = self._mailbox.keys, self._platform, self._config().bot.spec
        conversation = keys.pseudonym(platform, "conversation", message.conversation)
        if not self._listens_to(message, conversation):
            return
        names = Pseudonyms(keys, platform, message.conversation)
        people = {names.of(each) for each in (message.speaker or message.user, *message.people)}
        await self._people.saw(conversation, people, seconds(spec.privacy.retention))

    def _listens_to(self, message: Inbound, conversation: str) -> bool:
        """Whether the bot is for the author of a message in a group, who is not refused at the moment."""
        user = self._mailbox.keys.pseudonym(self._platform, "user", message.user)
        access = self._config().bot.spec.access
        return not self._limits.refused(user, conversation) and allowed(message.principals, access, self._platform)

    async def _overhear(self, message: Inbound) -> None:
        """Keep what was said in a group, for the bot or not, where the group wants that for `!summary`."""
        keys, platform, spec = self._mailbox.keys, self._platform, self._config().bot.spec
        conversation = keys.pseudonym(platform, "conversation", message.conversation)
        if not self._listens_to(message, conversation):
            return
        if (await self._mailbox.choices.get(conversation)).summary_buffer != ON:
            return
        names = Pseudonyms(keys, platform, message.conversation)
        said = message.text[:MOST_CHARACTERS]
        known = await self._people.known(conversation, names.perhaps(said))
        text = normalize(names.put_in(said, known)).strip()
        if text and parse_command(text, self._commands)[0] is None and command_like(text) is None:
            said = Overheard(
                names.of(message.speaker or message.user), await Redactor(spec.privacy.redact).redact_any(text),
                message.sent or time.time(),
            )  # fmt: skip
            event, edited = keys.pseudonym(platform, "event", message.event), message.original_at is not None
            user = keys.pseudonym(platform, "user", message.user)
            await self._overheard.keep(conversation, event, user, said, spec, edited=edited)

    async def _take(self, message: Inbound, hears: Hears | None) -> bool:
        config, keys, platform = self._config(), self._mailbox.keys, self._platform
        spec = config.bot.spec
        edited = message.original_at is not None
        if message.sent is not None and not edited and time.time() - message.sent > seconds(spec.answer_in.max_age):
            return self._count("too_old")
        conversation = keys.pseudonym(platform, "conversation", message.conversation)
        user = keys.pseudonym(platform, "user", message.user)
        event = keys.pseudonym(platform, "event", message.event)
        if not allowed(message.principals, spec.access, platform):
            told = Notice("access-denied", await self._tells_denied(message, user, hears), "denied")
            return await self._refuse(told, message, user, conversation, event, hears)
        known = self._limits.refused(user, conversation)
        if known is not None and not edited and (message.direct or message.addressed):
            passes = (FORGET,) if known.limit == "mute" else (FORGET, STOP)
            if self._elsewhere(normalize(message.text[:_MOST_NAMED]), message):
                return self._count("not_addressed")
            if self._named(message.text) not in passes:
                return await self._refuse(
                    await self._told(known, conversation), message, user, conversation, event, hears
                )
        names = Pseudonyms(keys, platform, message.conversation)
        said, quote = message.text[:MOST_CHARACTERS], message.quote[:MOST_CHARACTERS]
        people = await self._people.known(conversation, names.perhaps(said, quote))
        said, quote = normalize(names.put_in(said, people)), normalize(names.put_in(quote, people)).strip()
        # What is forwarded was said to somebody else: it is no command to this bot.
        command, text = (None, said) if message.forwarded else parse_command(said, self._commands)
        when = spec.answer_in.direct if message.direct else spec.answer_in.groups
        album = keys.pseudonym(platform, "album", message.conversation, message.album) if message.album else ""
        meant = message.addressed or message.direct or await self._begun(album)
        unknown = None if command or message.forwarded else command_like(text)
        if self._elsewhere(said, message) or (unknown is not None and not meant):
            command, unknown, text, quote = None, None, "", ""  # a command of another bot
            message = replace(message, attachments=())
        files = tuple(file for file in message.attachments if meant or readable(file, spec.llm))
        said = text.strip() or quote or ("[file]" if files else "") or (message.unread if meant else "")
        wanted = command is not None or unknown is not None or _wanted(when, said, meant)
        chosen = self._mailbox.choices.known(conversation)
        if command is None and not message.direct:
            if chosen is None and (edited or (not wanted and said)):
                chosen = await self._mailbox.choices.get(conversation)
            if chosen is not None:
                wanted = unknown is not None or _wanted(chosen.answer_in or when, said, meant)
        if not wanted and not edited:
            return self._count("not_addressed")
        if command is None and wanted and meant and not files and not message.forwarded and self._spoken is not None:
            command, text = self._spoken(spec, text) or (None, text)
        forgets = command == FORGET and not edited
        if known is not None and known.limit == "mute" and not forgets:
            return await self._refuse(await self._told(known, conversation), message, user, conversation, event, hears)
        if edited and not await self._edit(message, text if wanted and unknown is None else None, command):
            return self._count("edited")
        if not wanted:
            return self._count("not_addressed")
        private = command is not None and self._commands.private(spec, command, text)
        if command == STOP and hears is not None:
            message = replace(message, address=await hears(Verdict(private=private, files=False)) or message.address)
        if command == STOP and await self._stop(message, user, conversation, event):
            self._count("stop")
            return True
        refusal, chosen = known, chosen or Chosen()
        if known is None:  # both in one round trip
            check = self._limits.check(user, conversation, album or event)
            refusal, chosen = await asyncio.gather(check, self._mailbox.choices.get(conversation))
        message = replace(message, language=chosen.language or message.language)
        plain = command is None and unknown is None
        if plain and not message.direct and not _wanted(chosen.answer_in or when, said, meant):
            return self._count("not_addressed")
        if refusal is not None and not (forgets and await self._limits.tell(FORGET, user, _FORGET_AGAIN)):
            return await self._refuse(
                await self._told(refusal, conversation), message, user, conversation, event, hears
            )
        if len(message.text) > MOST_CHARACTERS:
            return await self._refuse(_TOO_LONG, message, user, conversation, event, hears)
        if message.unread and plain:
            notice = Notice(message.unread, tell=meant, outcome="unread")
            return await self._refuse(notice, message, user, conversation, event, hears)
        if unknown is not None:
            return await self._refuse(self._no_command(unknown), message, user, conversation, event, hears)
        address: Address | None = message.address
        if hears is not None:
            address = await hears(Verdict(private=private, files=plain))
        below = pressed(text) if command == CONTINUE else None
        if below is not None:  # the button's own name in place of the press's: pressed twice, it is one
            event, text = keys.pseudonym(platform, CONTINUE, conversation, text), ""
        redactor = Redactor(spec.privacy.redact)
        envelope = Envelope(
            event=event, platform=platform, user=user, text=await redactor.redact_any(text),
            address=address or message.address, direct=message.direct, received=time.time(),
            language=message.language, command=command,
            administrator=await self._administrator(message, command, spec),
            speaker="" if message.direct else names.of(message.speaker or message.user),
            quote=_shortened(await redactor.redact_any(quote[: _MOST_QUOTED + _SPARE])) if plain else "",
            attachments=files if plain else (), album=album if plain else "", forwarded=plain and message.forwarded,
            values=None if below is None else {PRESSED: below},
        )  # fmt: skip
        if message.pressed and command in ONCE:  # whoever presses it, and however often
            event = keys.pseudonym(platform, "pressed", message.conversation, message.pressed, command)
            envelope = replace(envelope, event=event)
        if forgets and self._erase is not None:
            envelope = replace(envelope, values=dict(await self._erase(conversation, envelope)))
        if envelope.album:
            await self._mailbox.store.command("SET", keys.seen(album), "1", "EX", ALBUM_TTL)
        debounce = spec.context.debounce if spec.context.merge_bursts else 0.0
        new = await self._mailbox.enqueue(conversation, envelope, debounce)
        self._count("enqueued" if new else "duplicate")
        return True

    def _named(self, text: str) -> str | None:
        """The command that a text begins with: all that is looked at of somebody who is refused."""
        return parse_command(normalize(text[:_MOST_NAMED]), self._commands)[0]

    @staticmethod
    def _elsewhere(text: str, message: Inbound) -> bool:
        """Whether a text is a command that names another bot."""
        named = None if message.forwarded or not message.names else bot_named(text)
        return named is not None and named.casefold() not in {name.casefold() for name in message.names}

    async def _begun(self, album: str) -> bool:
        """Whether another part of an album was taken: then this one is for the bot, and counted, as well."""
        return bool(album and await self._mailbox.store.command("EXISTS", self._mailbox.keys.seen(album)))

    async def _refuse(
        self, notice: Notice, message: Inbound, user: str, conversation: str, event: str, hears: Hears | None
    ) -> bool:
        """Do not take a message, and tell its author why: at once where the platform waits for a word."""
        address: Address | None = message.address
        if hears is not None:
            chosen = self._mailbox.choices.known(conversation) or Chosen()
            address = await hears(Verdict(notice.text, notice.values, private=True, language=chosen.language))
        if address is not None and notice.tell:
            await self._mailbox.enqueue(conversation, Envelope(
                event=event, platform=self._platform, user=user, text="", address=address, direct=message.direct,
                received=time.time(), language=message.language, notice=notice.text, values=dict(notice.values) or None,
            ))  # fmt: skip
        return self._count(notice.outcome)

    def _no_command(self, name: str) -> Notice:
        near = self._commands.nearest(name)
        text = "command-unknown" if near is None else "command-unknown-near"
        return Notice(text, tell=True, outcome="unknown_command", values={} if near is None else {"near": near})

    async def _administrator(self, message: Inbound, command: str | None, spec: GptBotSpec) -> bool:
        """Whether a message is from an administrator, if its command has to know: that may cost a request.

        One that is no command: whether it is in private from somebody in `access.administrators`.
        """
        if command is None:  # the bot's own are warned of its budget, below an answer that nobody else sees
            return message.direct and administers(message.principals, spec.access, self._platform)
        if not self._commands.asks_administrator(command):
            return False
        if message.direct or administers(message.principals, spec.access, self._platform):
            return True
        return message.administrator is not None and await message.administrator()

    def _over(self, refusal: LimitRefusal) -> Notice:
        metrics.MESSAGES_LIMITED.labels(
            bot=self._mailbox.keys.bot, platform=self._platform, limit=refusal.limit
        ).inc()  # fmt: skip
        values = {"seconds": math.ceil(refusal.retry_after)}
        return Notice(f"limit-{refusal.limit}", refusal.notify, "limited", values)

    async def _told(self, refusal: LimitRefusal, conversation: str) -> Notice:
        """What is said of a refusal; of a store without room, once in a while."""
        if refusal.limit == "store" and refusal.notify:
            refusal = replace(refusal, notify=await self._limits.notify_full(conversation))
        return self._over(refusal)

    async def _tells_denied(self, message: Inbound, user: str, hears: Hears | None) -> bool:
        """Whether somebody the bot is not for is told so: in a private chat, and seldom. In groups it is silent."""
        return message.direct and hears is None and await self._limits.tell("denied", user, _DENIED_AGAIN)

    async def deleted(self, conversation: str, events: Sequence[str]) -> None:
        """Drop messages that wait for their answers. Raises StoreUnavailable."""
        keys, platform = self._mailbox.keys, self._platform
        names = [keys.pseudonym(platform, "event", event) for event in events]
        there = keys.pseudonym(platform, "conversation", conversation)
        if (await self._mailbox.choices.get(there)).summary_buffer == ON:
            await self._overheard.drop(there, names)
        if await self._changes.delete(there, names):
            self._count("deleted")

    async def _edit(self, message: Inbound, text: str | None, command: str | None) -> bool:
        """Put an edited message in the place of the original; `text` None: it is not for the bot any more.

        True: the bot has not been asked before, and is now.
        """
        keys, platform = self._mailbox.keys, self._platform
        conversation = keys.pseudonym(platform, "conversation", message.conversation)
        event = keys.pseudonym(platform, "event", message.event)
        if text is None:
            await self._changes.delete(conversation, [event])
            return False
        redactor = Redactor(self._config().bot.spec.privacy.redact)
        found = await self._changes.edit(conversation, event, lambda: redactor.redact_any(text), command)
        return found is Edit.UNKNOWN and time.time() - (message.original_at or 0.0) < _EDITED_ANEW

    async def _stop(self, message: Inbound, user: str, conversation: str, event: str) -> bool:
        """End the answer being made, past the mailbox and the limits: it costs nothing and saves an answer."""
        answer = None
        if message.answer_due:
            answer = Envelope(
                event=event, platform=self._platform, user=user, text="", address=message.address,
                direct=message.direct, received=time.time(), language=message.language, notice="stop-done",
            )  # fmt: skip
        return await self._stops.ask(conversation, event, answer)

    def _count(self, outcome: str) -> bool:
        metrics.MESSAGES_RECEIVED.labels(bot=self._mailbox.keys.bot, platform=self._platform, outcome=outcome).inc()
        return False


def _wanted(when: str, text: str, meant: bool) -> bool:
    """Whether a message that is no command is to be answered."""
    return bool(text.strip()) and (when == "always" or (when == "mentioned" and meant))


def _shortened(quote: str) -> str:
    return quote if len(quote) <= _MOST_QUOTED else f"{quote[:_MOST_QUOTED].rstrip()} […]"
