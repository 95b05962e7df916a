"""Runs a command: whether it may run here, its arguments, and what it works with."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from gptbot.bot import Bot
from gptbot.conversation import commands
from gptbot.conversation.arguments import WrongArgument, parse
from gptbot.conversation.commands.base import Command, CommandContext, Question, Reply
from gptbot.conversation.persona import in_force
from gptbot.conversation.spending import Spending
from gptbot.delivery.live import LiveMessage
from gptbot.inbox.claims import Claim
from gptbot.llm.types import Message
from gptbot.locales import Texts
from gptbot.platforms.base import Forgets
from gptbot.safety.budgets import Account
from gptbot.telemetry import metrics
from gptbot_api.base import seconds


async def call(bot: Bot, claim: Claim, said: Texts, live: LiveMessage, account: Account) -> Reply | Question:
    """What the command of a claim answers; one line when it may not run, or its arguments are wrong.

    What it asks the model goes on `account`. Raises ModelError.
    """
    envelope, spec = claim.messages[0], bot.config.bot.spec
    assert envelope.command is not None  # an envelope is plain, a notice or a command
    metrics.COMMANDS.labels(bot=bot.key, platform=envelope.platform, command=envelope.command).inc()
    command = commands.command(envelope.command)
    administrator = envelope.direct or envelope.administrator
    if (refusal := refused(command, bot, direct=envelope.direct, administrator=administrator)) is not None:
        return Reply(said(refusal, name=command.name))
    try:
        arguments = parse(command, envelope.text, spec, said)
    except WrongArgument as wrong:
        return Reply(str(wrong))

    async def forget(choices: Sequence[str]) -> None:
        sender = bot.sender(envelope.platform)
        if isinstance(sender, Forgets):
            await sender.forget(claim.conversation)
        await bot.mailbox.forget(claim.conversation, choices)

    async def choose(choices: Mapping[str, str]) -> None:
        kept = {name: value or None for name, value in choices.items()}
        await bot.mailbox.choose(claim.conversation, kept, seconds(spec.privacy.retention))

    numbers = itertools.count(1)

    async def ask(messages: Sequence[Message]) -> str:
        part = dataclasses.replace(account, hold=f"{account.hold}:{next(numbers)}")
        spending = Spending(bot, part)
        async with spending.counted():
            return (await spending.ask(messages, lambda _: None)).text

    async with _progress(live) as progress:
        return await command.run(
            CommandContext(
                config=bot.config,
                mailbox=bot.mailbox,
                bot=bot,
                platform=envelope.platform,
                event=envelope.event,
                conversation=claim.conversation,
                user=envelope.user,
                speaker=envelope.speaker,
                language=claim.settings.get("language") or envelope.language,
                settings=claim.settings,
                persona=in_force(spec, claim.settings).name,
                noted=envelope.values or {},
                argument=envelope.text,
                arguments=arguments,
                direct=envelope.direct,
                received=envelope.received,
                administrator=administrator,
                texts=said,
                sender=bot.sender(envelope.platform),
                address=envelope.address,
                progress=progress,
                choose=choose,
                ask=ask,
                forget=forget,
            )
        )


def refused(command: Command, bot: Bot, *, direct: bool, administrator: bool) -> str | None:
    """Why a command may not run: the name of a text. None: it may."""
    if not command.offered(bot.config.bot.spec):
        return "command-not-offered"
    if "private" not in command.where and direct:
        return "command-groups-only"
    if "group" not in command.where and not direct:
        return "command-private-only"
    return "command-administrators-only" if command.administrators and not administrator else None


@contextlib.asynccontextmanager
async def _progress(live: LiveMessage) -> AsyncGenerator[Callable[[str], None]]:
    """Shows texts as the growing reply, from the first one on."""
    showing: list[asyncio.Task[None]] = []

    def progress(text: str) -> None:
        live.replace(text)
        if not showing:
            showing.append(asyncio.create_task(live.show(), name="live message"))

    try:
        yield progress
    finally:
        for task in showing:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.result()  # raises why the turn cannot go on
