"""`!summary [WHAT]`: retells the chat in short, without names. Nothing of what is read for it is kept."""

from __future__ import annotations

import time
from dataclasses import replace

from gptbot.conversation.arguments import Period
from gptbot.conversation.commands.base import Argument, Command, CommandContext, Question, Reply
from gptbot.conversation.past import Past, past
from gptbot.conversation.retelling import Retelling
from gptbot.inbox.overheard import ON, SETTING
from gptbot.locales import Texts, languages, texts
from gptbot.platforms.base import Remembers
from gptbot.platforms.errors import HistoryClosed, SendError


async def _run(context: CommandContext) -> Reply | Question:
    said, bot = context.texts, context.bot
    context.progress(said("summary-gathering"))
    try:
        found = await past(context, context.arguments.get("period") or Period(mine=True))
    except HistoryClosed as closed:
        return Reply(said(f"summary-no-{closed.lacks}"))
    except SendError:
        return Reply(said("summary-trouble"))
    note = _note(context)
    if not found.lines:
        return Reply("\n\n".join([said("summary-nothing"), *note]))

    def progress(done: int, parts: int) -> None:
        context.progress(said("summary-reading", done=done, parts=parts))

    retelling = Retelling(
        ask=context.ask, window=bot.context_window, language=_language(context), asker=context.speaker,
        count=lambda text: bot.tokens([{"role": "user", "content": text}]),
    )  # fmt: skip
    if bot.config.bot.spec.llm.built_in and len(newest := retelling.newest(found.lines)) < len(found.lines):
        found = replace(found, lines=list(newest))
        note.append(said("small-newest", count=len(newest)))
    messages = await retelling.question(found.lines, progress)
    return Question(messages, head="\n\n".join([*note, _head(found, said), ""]))


def _head(found: Past, said: Texts) -> str:
    times = [line.sent for line in found.lines if line.sent is not None]
    several = bool(times) and time.gmtime(times[0])[:3] != time.gmtime(times[-1])[:3]
    form = "%d.%m %H:%M" if several else "%H:%M"
    ends = [time.strftime(form, time.gmtime(moment)) for moment in (times[0], times[-1])] if times else ["", ""]
    messages = said("summary-messages", count=len(found.lines))
    return said(f"summary-head-{found.part}", messages=messages, **{"from": ends[0], "to": ends[1]})


def _note(context: CommandContext) -> list[str]:
    """In a group of which nothing else is kept: how that is changed."""
    possible = not context.direct and bool(context.config.bot.spec.context.summary_buffer)
    known = isinstance(context.sender, Remembers) or context.settings.get(SETTING) == ON
    return [context.texts("summary-no-buffer")] if possible and not known else []


def _language(context: CommandContext) -> str:
    """The caller's language, for the model."""
    wanted = (context.language or "").replace("_", "-").split("-")[0].lower()
    if not wanted:
        return "the language that most of the chat is in"
    return texts(wanted)("language-in-english") if wanted in languages() else f"the language with the code {wanted}"


COMMAND = Command(
    name="summary", run=_run, arguments=[Argument(name="period", kind="period")], asks_model=True, private_reply=True,
    examples=3, order=26,
)  # fmt: skip
