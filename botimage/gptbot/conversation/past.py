"""What was said before in a conversation, from where it can be had: the platform, what was kept of it, the context."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from gptbot.conversation.arguments import Period
from gptbot.conversation.commands.base import CommandContext
from gptbot.conversation.context import remembered
from gptbot.conversation.retelling import BOT, NOTES, PERSON, Line
from gptbot.inbox.claims import text as text_of
from gptbot.inbox.overheard import MOST_CHARACTERS, ON, SETTING, OverheardMessages, lasts
from gptbot.platforms.base import Remembers
from gptbot.safety.normalize import normalize
from gptbot.safety.pseudonyms import Pseudonyms
from gptbot.safety.redaction import Redactor

MOST = 1000
"""Messages that are retold, at most."""
USUAL = 50
"""Messages that are retold where the caller's last one does not say where to begin."""
_MOST_SOUGHT = 300
"""Messages among which the caller's last one is looked for."""
_SPEAKER = re.compile(r"(user-\w{4}):\s+")


@dataclass(frozen=True, slots=True)
class Past:
    """A part of what was said."""

    lines: list[Line]
    """Oldest first."""
    part: Literal["mine", "last", "own"]
    """Since the caller's last message; a number of messages or a time; or what the bot itself remembers."""


async def past(context: CommandContext, period: Period) -> Past:
    """That part of the conversation. Raises SendError and StoreUnavailable; HistoryClosed when it may not be read."""
    sender = context.sender
    if isinstance(sender, Remembers):
        return await _chosen(_history(context, sender, period.since or 0.0), context, period)
    if not context.direct and context.settings.get(SETTING) == ON:
        return await _chosen(_overheard(context, period.since or 0.0), context, period)
    return await _remembered(context, period)


async def _chosen(newest_first: AsyncGenerator[Line, None], context: CommandContext, period: Period) -> Past:
    most = _MOST_SOUGHT if period.mine else min(period.messages or MOST, MOST)
    found: list[Line] = []
    mine = others = False
    async with aclosing(newest_first):
        async for line in newest_first:
            if not _is_callers(line, context):
                others = others or line.speaker != BOT
            elif period.mine and others:  # what was asked of the bot since, and its answers, the caller knows
                mine = True
                break
            found.append(line)
            if len(found) >= most:
                break
    if period.mine and not mine:
        found = found[:USUAL]
    return Past(found[::-1], "mine" if mine else "last")


def _is_callers(line: Line, context: CommandContext) -> bool:
    return line.speaker != BOT if context.direct else line.speaker == context.speaker


async def _history(context: CommandContext, sender: Remembers, since: float) -> AsyncGenerator[Line, None]:
    """What the platform knows, read as far as it is wanted; made plain and redacted as messages are that come in."""
    names = Pseudonyms(context.bot.keys, context.platform, sender.conversation(context.address))
    redactor = Redactor(context.config.bot.spec.privacy.redact)
    async with aclosing(sender.history(context.address, since)) as history:
        async for said in history:
            text = normalize(names.put_in(said.text[:MOST_CHARACTERS])).strip()
            if text:
                yield Line(names.of(said.author) if said.author else BOT, await redactor.redact_any(text), said.sent)
            await asyncio.sleep(0)  # a page of them takes a while, and others wait for their answers


async def _overheard(context: CommandContext, since: float) -> AsyncGenerator[Line, None]:
    """What the conversation had kept."""
    kept = OverheardMessages(context.bot.store, context.bot.keys)
    for message in await kept.read(context.conversation, MOST, since, lasts(context.config.bot.spec)):
        yield Line(message.speaker, message.text, message.sent)


async def _remembered(context: CommandContext, period: Period) -> Past:
    """What the bot was asked and answered, and its notes on what was before that; when it was, nobody noted."""
    store, keys = context.bot.store, context.bot.keys
    said, before = await asyncio.gather(
        store.command("LRANGE", keys.context(context.conversation), 0, -1),
        store.command("GET", keys.summary(context.conversation)),
    )
    lines: list[Line] = []
    for message in remembered(said):
        speaker = BOT if message["role"] == "assistant" else PERSON
        text = message["content"]
        if speaker == PERSON and (found := _SPEAKER.match(text)):
            speaker, text = found[1], text[found.end() :]
        lines.append(Line(speaker, text[:MOST_CHARACTERS], None))
    if period.messages:
        return Past(lines[-period.messages :], "own")
    notes = [Line(NOTES, told, None)] if (told := text_of(before)) else []
    return Past([*notes, *lines], "own")
