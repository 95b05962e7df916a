"""The gateway's door: who may speak, what is for the bot, limits, redaction, and then the mailbox."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gptbot.inbox.changes import Changes, Edit
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.stops import COMMAND as STOP
from gptbot.inbox.stops import Stops
from gptbot.manifest import BotConfig
from gptbot.platforms.base import Address, Hears, Inbound, Verdict
from gptbot.safety.access import allowed
from gptbot.safety.limits import Limits
from gptbot.safety.limits import Refusal as LimitRefusal
from gptbot.safety.normalize import MOST_CHARACTERS, normalize
from gptbot.safety.redaction import Redactor
from gptbot.telemetry import metrics
from gptbot_api import GptBotSpec
from gptbot_api.base import seconds

_EDITED_ANEW = 24 * 3600.0
"""Seconds in which an edit may turn a message into a question: older answers are forgotten to have been given."""
_DENIED_AGAIN = 24 * 3600.0
"""Seconds after which somebody the bot is not for is told so again."""


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
    """Takes in the messages of one bot from one platform. See `platforms.base.Intake`."""

    def __init__(
        self,
        config: Callable[[], BotConfig],
        platform: str,
        mailbox: Mailbox,
        limits: Limits,
        commands: Collection[str],
        private: Callable[[GptBotSpec, str, str], bool] | None = None,
    ) -> None:
        """`commands`: names of all. `private`: whether a command's reply to an argument is for its caller alone."""
        self._private = private
        self._config = config
        self._platform = platform
        self._mailbox = mailbox
        self._limits = limits
        self._commands = commands
        self._stops = Stops(mailbox.store, mailbox.keys)
        self._changes = Changes(mailbox)

    async def ready(self) -> None:
        """Return once the store can take messages."""
        await self._mailbox.store.wait_available()

    async def forget(self, conversation: str) -> None:
        """Forget the context of a conversation. Raises StoreUnavailable."""
        await self._mailbox.forget(self._mailbox.keys.pseudonym(self._platform, "conversation", conversation))

    async def accept(self, message: Inbound, hears: Hears | None = None) -> bool:
        """Take a message, or find that it is not for the bot. Raises StoreUnavailable: keep it and try again."""
        config, keys, platform = self._config(), self._mailbox.keys, self._platform
        spec = config.bot.spec
        edited = message.original_at is not None
        if message.sent is not None and not edited and time.time() - message.sent > seconds(spec.answer_in.max_age):
            return self._count("too_old")
        command, text = parse_command(normalize(message.text[:MOST_CHARACTERS]), self._commands)
        when = spec.answer_in.direct if message.direct else spec.answer_in.groups
        meant = message.addressed or message.direct
        wanted = command is not None or (text.strip() and (when == "always" or (when == "mentioned" and meant)))
        if not wanted and not edited:
            return self._count("not_addressed")
        user = keys.pseudonym(platform, "user", message.user)
        conversation = keys.pseudonym(platform, "conversation", message.conversation)
        event = keys.pseudonym(platform, "event", message.event)
        if not allowed(message.principals, spec.access, platform):
            told = Notice("access-denied", await self._tells_denied(message, user, hears), "denied")
            return await self._refuse(told, message, user, conversation, event, hears)
        known = self._limits.refused(user, conversation)
        if known is not None and known.limit == "mute":
            return await self._refuse(self._over(known), message, user, conversation, event, hears)
        if edited and not await self._edit(message, text if wanted else None, command):
            return self._count("edited")
        if not wanted:
            return self._count("not_addressed")
        private = command is not None and self._private is not None and self._private(spec, command, text)
        if command == STOP and hears is not None:
            message = replace(message, address=await hears(Verdict(private=private)) or message.address)
        if command == STOP and await self._stop(message, user, conversation, event):
            self._count("stop")
            return True
        if (refusal := await self._limits.check(user, conversation, event)) is not None:
            return await self._refuse(self._over(refusal), message, user, conversation, event, hears)
        if len(message.text) > MOST_CHARACTERS:
            return await self._refuse(_TOO_LONG, message, user, conversation, event, hears)
        address: Address | None = message.address
        if hears is not None:
            address = await hears(Verdict(private=private))
        envelope = Envelope(
            event=event, platform=platform, user=user, text=Redactor(spec.privacy.redact).redact(text),
            address=address or message.address, direct=message.direct, received=time.time(),
            language=message.language, command=command,
        )  # fmt: skip
        new = await self._mailbox.enqueue(conversation, envelope)
        self._count("enqueued" if new else "duplicate")
        return True

    async def _refuse(
        self, notice: Notice, message: Inbound, user: str, conversation: str, event: str, hears: Hears | None
    ) -> bool:
        """Do not take a message, and tell its author why: at once where the platform waits for a word."""
        address: Address | None = message.address
        if hears is not None:
            address = await hears(Verdict(notice.text, notice.values, private=True))
        if address is not None and notice.tell:
            await self._mailbox.enqueue(conversation, Envelope(
                event=event, platform=self._platform, user=user, text="", address=address, direct=message.direct,
                received=time.time(), language=message.language, notice=notice.text, values=dict(notice.values) or None,
            ))  # fmt: skip
        return self._count(notice.outcome)

    def _over(self, refusal: LimitRefusal) -> Notice:
        metrics.MESSAGES_LIMITED.labels(
            bot=self._mailbox.keys.bot, platform=self._platform, limit=refusal.limit
        ).inc()  # fmt: skip
        values = {"seconds": math.ceil(refusal.retry_after)}
        return Notice(f"limit-{refusal.limit}", refusal.notify, "limited", values)

    async def _tells_denied(self, message: Inbound, user: str, hears: Hears | None) -> bool:
        """Whether somebody the bot is not for is told so: in a private chat, and seldom. In groups it is silent."""
        return message.direct and hears is None and await self._limits.tell("denied", user, _DENIED_AGAIN)

    async def deleted(self, conversation: str, events: Sequence[str]) -> None:
        """Drop messages that wait for their answers. Raises StoreUnavailable."""
        keys, platform = self._mailbox.keys, self._platform
        names = [keys.pseudonym(platform, "event", event) for event in events]
        if await self._changes.delete(keys.pseudonym(platform, "conversation", conversation), names):
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
        redacted = Redactor(self._config().bot.spec.privacy.redact).redact(text)
        found = await self._changes.edit(conversation, event, redacted, command)
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


def parse_command(text: str, commands: Collection[str]) -> tuple[str | None, str]:
    """Split `!name argument` or `/name argument` into name and argument; (None, text) when it is no command of ours."""
    stripped = text.strip()
    if stripped[:1] in ("!", "/"):
        name, _, argument = stripped[1:].partition(" ")
        head, _, more = name.partition("\n")
        if head.lower() in commands:
            return head.lower(), f"{more} {argument}".strip()
    return None, text
