"""Has a command or the model answer a turn, until somebody stops it, and notes the reply."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gptbot.bot import Bot
from gptbot.conversation.calls import call
from gptbot.conversation.commands.base import Question, Reply
from gptbot.conversation.insisting import insist
from gptbot.conversation.spending import Spending
from gptbot.delivery.live import LiveMessage
from gptbot.delivery.split import close_fence_at_leisure
from gptbot.inbox.claims import Claim
from gptbot.llm.errors import BudgetSpent, ModelError, TookTooLong
from gptbot.llm.thoughts import without_unopened
from gptbot.llm.types import Message
from gptbot.llm.words import cut_short
from gptbot.locales import Texts
from gptbot.safety.budgets import Account
from gptbot.telemetry import metrics
from gptbot.telemetry.logs import get_logger

log = get_logger("turn")

PATIENCE = 10.0
"""Seconds without any sign of the model after which people hear that it takes longer."""
FLAGGED_QUESTION, FLAGGED_ANSWER = "moderation-input", "moderation-output"
"""Texts told in place of an answer where the moderation endpoint objects."""
CUTS: Final[Mapping[str, str]] = {"length": "cut-length", "filter": "cut-filter", "loop": "cut-loop"}
"""Why a model ended in the middle of its answer, to the text that says so below it."""
TOO_SLOW = "small-slow"
"""Text told in place of an answer that the embedded model did not begin in its time."""
OVER_LIMIT = "limit-"
"""What texts begin with that are told in place of an answer for which nothing is left of a budget."""


class Answering:
    """The answer of one turn."""

    def __init__(self, bot: Bot, claim: Claim, said: Texts) -> None:
        self._bot = bot
        self._claim = claim
        self._texts = said
        authors = dict.fromkeys(message.user for message in claim.messages)
        self._account = Account(claim.conversation, str(claim.token), tuple(authors), claim.conversation)
        self._spending = Spending(bot, self._account)
        self._running: asyncio.Task[Any] | None = None
        """What a stop ends."""

    def stop(self) -> None:
        """End the answer with what was said so far. What the model has finished goes out whole."""
        self._claim.stop = True
        if self._running is not None:
            self._running.cancel()

    async def by_command(self, live: LiveMessage) -> Reply:
        """What the command of the turn answers, or has the model answer. Raises ModelError."""
        claim = self._claim
        if claim.reply is not None:
            return Reply(claim.reply)
        if claim.stop:
            return Reply(await self._cut("", "cut-stopped"))
        try:
            async with asyncio.TaskGroup() as group:
                command = call(self._bot, claim, self._texts, live, self._account)
                self._running = calling = group.create_task(command, name="command")
                await asyncio.wait({calling})
        except BaseExceptionGroup as errors:
            error = errors.exceptions[0]
            if isinstance(error, BudgetSpent):
                return Reply(await self.over_limit(error))
            raise error from None
        if calling.cancelled():
            return Reply(await self._cut("", "cut-stopped"))
        answer = calling.result()
        if isinstance(answer, Question):
            return Reply(await self.by_model(live, list(answer.messages), head=answer.head))
        return answer

    async def by_model(
        self, live: LiveMessage, messages: list[Message], looked_at: Sequence[str] = (), *, head: str = "",
        note: str | None = None,
    ) -> str:  # fmt: skip
        """Have the model answer, below `head`, and note the reply. Raises ModelError.

        `looked_at`: what of it the person wrote. `note`: what the person is told below the answer. What it cost is
        counted, however it ends.
        """
        async with self._spending.counted():
            return await self._by_model(live, messages, looked_at, head, note)

    async def _by_model(
        self, live: LiveMessage, messages: list[Message], looked_at: Sequence[str], head: str, note: str | None
    ) -> str:
        bot, claim, spending = self._bot, self._claim, self._spending
        if claim.stop:
            return await self._cut("", "cut-stopped")
        if looked_at and await bot.moderator.flags_question(looked_at):
            return await self._cut("", FLAGGED_QUESTION)
        if head:
            live.replace(head)
        feed = live.keep if bot.moderator.holds_back else live.feed
        try:
            async with asyncio.TaskGroup() as group:
                show = group.create_task(live.show(), name="live message")
                hint = group.create_task(self._hint(live), name="hint")
                self._running = asking = group.create_task(spending.ask(messages, feed), name="model")
                await asyncio.wait({asking})
                hint.cancel()
                show.cancel()
        except BaseExceptionGroup as errors:
            error = errors.exceptions[0]
            if isinstance(error, ModelError) and claim.stop:
                return await self._cut(head + error.text if error.text else "", "cut-stopped")
            if isinstance(error, BudgetSpent):
                return await self.over_limit(error, head)
            if isinstance(error, TookTooLong) and error.text:
                log.warning("an answer was cut short", reason=str(error), bot=bot.key)
                return await self._cut(head + error.text, "cut-time")
            if isinstance(error, TookTooLong) and bot.config.bot.spec.llm.built_in:  # another try is as slow
                log.warning("the embedded model is too slow", reason=str(error), bot=bot.key)
                return await self._cut("", TOO_SLOW)
            raise error from None
        if asking.cancelled():
            said = without_unopened(live.text.removeprefix(head))
            return await self._cut(head + said if said else "", "cut-stopped")
        completion = asking.result()
        if bot.moderator.holds_back:
            await insist(bot, spending.settle)
            if await bot.moderator.flags_answer(completion.text):
                return await self._cut("", FLAGGED_ANSWER)
        reply = head + completion.text if completion.text.strip() else self._texts("trouble-empty")
        if note is not None:
            reply = f"{await close_fence_at_leisure(reply.rstrip())}\n\n{note}"
        cut = [CUTS[ended]] if (ended := cut_short(completion.finish_reason)) is not None else []
        # Noted first: should this worker die now, the next one sends this very text, not another answer.
        await insist(bot, lambda: asyncio.gather(bot.mailbox.replied(claim, reply, *cut), spending.settle()))
        return reply

    async def _hint(self, live: LiveMessage) -> None:
        """Say that it takes longer, once nothing at all has come of the model for a while."""
        await asyncio.sleep(PATIENCE)
        if self._spending.silent and not self._claim.away:  # else they have heard of it
            live.hint(self._texts("slow-model"))

    async def over_limit(self, error: BudgetSpent, head: str = "") -> str:
        """Say that nothing is left today, in place of the answer or of the rest of it, and note that as the reply."""
        bot, said = self._bot, error.text
        metrics.MESSAGES_LIMITED.labels(
            bot=bot.key, platform=self._claim.messages[0].platform, limit=error.limit
        ).inc()  # fmt: skip
        return await self._cut(head + said if said else "", "cut-budget" if said else f"{OVER_LIMIT}{error.limit}")

    async def _cut(self, said: str, why: str) -> str:
        """Take what was said as the reply."""
        await insist(self._bot, self._spending.settle)
        if said and await self._bot.moderator.flags_answer(said):
            said, why = "", FLAGGED_ANSWER
        await insist(self._bot, lambda: self._bot.mailbox.replied(self._claim, said, why))
        return said
