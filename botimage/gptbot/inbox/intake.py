"""The gateway's door: who may speak, what is for the bot, limits, redaction, and then the mailbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from gptbot.inbox.envelope import Envelope
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.stops import COMMAND as STOP
from gptbot.inbox.stops import Stops
from gptbot.manifest import BotConfig
from gptbot.platforms.base import Inbound
from gptbot.safety.access import allowed
from gptbot.safety.limits import Limits
from gptbot.safety.redaction import Redactor
from gptbot.telemetry import metrics


class BotIntake:
    """Takes in the messages of one bot from one platform. See `platforms.base.Intake`."""

    def __init__(
        self,
        config: Callable[[], BotConfig],
        platform: str,
        mailbox: Mailbox,
        limits: Limits,
        commands: Collection[str],
    ) -> None:
        self._config = config
        self._platform = platform
        self._mailbox = mailbox
        self._limits = limits
        self._commands = commands
        self._stops = Stops(mailbox.store, mailbox.keys)

    async def ready(self) -> None:
        """Return once the store can take messages."""
        await self._mailbox.store.wait_available()

    async def forget(self, conversation: str) -> None:
        """Forget the context of a conversation. Raises StoreUnavailable."""
        await self._mailbox.forget(self._mailbox.keys.pseudonym(self._platform, "conversation", conversation))

    async def accept(self, message: Inbound) -> bool:
        """Take a message, or find that it is not for the bot. Raises StoreUnavailable: keep it and try again."""
        config, keys, platform = self._config(), self._mailbox.keys, self._platform
        spec = config.bot.spec
        command, text = parse_command(message.text, self._commands)
        when = spec.answer_in.direct if message.direct else spec.answer_in.groups
        meant = message.addressed or message.direct
        wanted = command is not None or when == "always" or (when == "mentioned" and meant)
        if not wanted or (not text.strip() and command is None):
            return self._count("not_addressed")
        if not allowed(message.principals, spec.access, platform):
            return self._count("denied")
        user = keys.pseudonym(platform, "user", message.user)
        conversation = keys.pseudonym(platform, "conversation", message.conversation)
        event = keys.pseudonym(platform, "event", message.event)
        if command == STOP and await self._stop(message, user, conversation, event):
            self._count("stop")
            return True
        refusal = await self._limits.check(user, conversation, event)
        if refusal is not None and not refusal.notify:
            return self._count("limited")
        envelope = Envelope(
            event=event, platform=platform, user=user,
            text="" if refusal else Redactor(spec.privacy.redact).redact(text), address=message.address,
            direct=message.direct, received=time.time(), language=message.language,
            command=None if refusal else command,
            notice=f"limit-{refusal.limit}" if refusal else None,
            values={"seconds": round(refusal.retry_after)} if refusal else None,
        )  # fmt: skip
        new = await self._mailbox.enqueue(conversation, envelope)
        self._count("limited" if refusal else "enqueued" if new else "duplicate")
        return refusal is None

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
