"""One turn: a claimed message is answered by a command or by the model, shown as a live message, and finished.

However it ends, it ends in the store with one of done, retry or bury; if it cannot, its lease runs out and another
worker takes it over.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from contextlib import AsyncExitStack

from gptbot.bot import Bot
from gptbot.conversation import commands, context, continuing
from gptbot.conversation.answering import FLAGGED_ANSWER, FLAGGED_QUESTION, OVER_LIMIT, Answering
from gptbot.conversation.commands.base import Reply
from gptbot.conversation.folding import Measure
from gptbot.conversation.insisting import insist
from gptbot.conversation.reading import release
from gptbot.conversation.system import system_prompt
from gptbot.delivery.live import LiveMessage, Postponed
from gptbot.delivery.split import close_fence_at_leisure
from gptbot.inbox.albums import questions as whole_questions
from gptbot.inbox.asked import Asked
from gptbot.inbox.claims import Claim, TurnLost, Unsure
from gptbot.inbox.envelope import CONTINUE, RETRY
from gptbot.inbox.expiry import notify_late
from gptbot.inbox.mailbox import Away
from gptbot.inbox.mending import count
from gptbot.inbox.stops import COMMAND as STOP
from gptbot.inbox.store import StoreUnavailable
from gptbot.llm.errors import BudgetSpent, ModelError, TookTooLong
from gptbot.locales import Texts, texts
from gptbot.platforms.base import Button, HasCommands
from gptbot.platforms.errors import Rejected
from gptbot.safety.budgets import until_tomorrow
from gptbot.telemetry import metrics
from gptbot.telemetry.logs import get_logger
from gptbot_api.base import seconds

log = get_logger("turn")

MAX_ATTEMPTS = 6
"""Tries of one turn before it is given up: with the delays between them, about a minute. Where the model is away, it is
tried further until `answerIn.maxAge` is over."""
MAX_DELIVERIES = 3 * MAX_ATTEMPTS
"""Times that a turn is taken over from workers that ended with it, before it is given up: it may be what ends them."""
_BASE_DELAY = 2.0
_MAX_DELAY = 120.0
_AWAY_KINDS = frozenset({"unreachable", "timeout", "overloaded", "quota", "unauthorized", "not_found", "moderation"})
"""Model errors that say nothing of the question: it is answered once the model is back."""
_FINAL_KINDS = frozenset({"refused", "context_too_long", "no_text"})
"""Model errors that another try would only repeat."""


class _Journal:
    """Notes what the live message did in the turn's hash."""

    def __init__(self, bot: Bot, claim: Claim) -> None:
        self._bot = bot
        self._claim = claim

    def check(self) -> None:
        self._bot.mailbox.check(self._claim)

    async def begin(self, trying: Unsure | None = None) -> None:
        await insist(self._bot, lambda: self._bot.mailbox.begin(self._claim, trying))

    async def put_off(self) -> None:
        await insist(self._bot, lambda: self._bot.mailbox.put_off(self._claim))

    def not_sent(self) -> None:
        self._claim.unsure = None

    def unsure(self) -> Unsure | None:
        return self._claim.unsure

    def looked(self, unsure: Unsure) -> None:
        self._claim.unsure = unsure

    async def last_sent(self) -> str:
        found = list[str]()

        async def look() -> None:
            found.append(await self._bot.mailbox.last_sent(self._claim.conversation))

        await insist(self._bot, look)
        return found[-1]

    async def sent(self, part: int, message_id: str) -> None:
        await insist(self._bot, lambda: self._bot.mailbox.sent(self._claim, part, message_id))


class Turn:
    """One turn of one bot. `run` ends it, whatever happens; making one raises nothing."""

    def __init__(self, bot: Bot, claim: Claim) -> None:
        self._bot = bot
        self._claim = claim
        self._spec = bot.config.bot.spec
        self._late = False
        self._envelope = claim.messages[0]
        self._questions: list[Asked] | None = None
        """What the model is asked; None when the turn is not for it."""
        self._replaced = 0
        """Messages at the end of the context that the answer takes the place of."""
        self._before: str | None = None
        """The answer that this one goes on with."""
        self._asked = claim.messages
        self._images: list[list[str]] = []
        """What the model is shown with each question."""
        self._repeatable = True
        """Whether the question can be asked again: not with images, which are not kept, nor if there is none."""
        self.fold_due = False
        """Whether the conversation has grown too long: some of it is to be folded, now that it is answered."""
        self._texts: Texts = texts(None)
        self._answering = Answering(bot, claim, self._texts)

    async def _prepare(self) -> None:
        """See what the turn is for. What this raises ends the turn as what an answer raises does."""
        claim = self._claim
        claim.context, unreadable = context.whole(claim.context)
        if unreadable:
            count(self._bot.key, "ctx", unreadable)
            log.warning("entries of a context cannot be read; answering without them", entries=unreadable,
                        bot=self._bot.key)  # fmt: skip
        self._late = notify_late(claim, time.time() - seconds(self._spec.privacy.retention))
        self._envelope = claim.messages[0]
        self._texts = await self._speaking(claim.settings.get("language") or self._envelope.language)
        self._asked = whole_questions(claim.messages)
        if self._envelope.plain:
            self._questions = [context.question(message, claim.context) for message in self._asked]
        elif self._envelope.command == RETRY and (last := context.last_exchange(claim.context)):
            self._questions, self._replaced = last.asked, last.size
        elif self._envelope.command == CONTINUE:
            self._before = continuing.meant(self._bot.keys, claim)
            self._questions = None if self._before is None else [Asked(continuing.question(self._before))]
        self._answering = Answering(self._bot, claim, self._texts)

    async def _speaking(self, language: str | None) -> Texts:
        """The texts of a language, with commands as they are written where the answer is read."""
        sender, said = self._bot.sender(self._envelope.platform), texts(language)
        return said.showing(await sender.command_form()) if isinstance(sender, HasCommands) else said

    @property
    def _stoppable(self) -> bool:
        """Whether the model makes the reply."""
        name = self._envelope.command
        return self._questions is not None or (name is not None and commands.command(name).asks_model)

    def stop(self) -> None:
        """End the answer with what was said so far. What the model has finished goes out whole."""
        self._answering.stop()

    async def run(self) -> None:
        """Answer and finish the turn. Raises nothing but CancelledError: then it is handed to another worker."""
        platform = self._envelope.platform
        labels = {"bot": self._bot.key, "platform": platform}
        outcome = "lost"
        try:
            if self._claim.deliveries > MAX_DELIVERIES:
                outcome = await self._bury(f"{self._claim.deliveries - 1} workers ended without ending this turn")
                return
            await self._prepare()
            outcome = await self._answer()
            if outcome == "answered":
                metrics.TURN_SECONDS.labels(**labels).observe(max(0.0, time.time() - self._envelope.received))
        except TurnLost:
            log.info("another worker has taken the turn over", **labels)
        except asyncio.CancelledError:
            outcome = "handed_over"
            await self._hand_over()
            raise
        except StoreUnavailable as error:
            outcome = "waited"
            log.warning("a turn waits for the store", reason=str(error), **labels)
            await self._give_back()
        except Exception as error:
            outcome = "failed"
            log.exception("a turn failed; it will be tried again", exc_info=error, **labels)
            await self._fail(error)
        finally:
            metrics.TURNS.labels(outcome=outcome, **labels).inc()

    async def _answer(self) -> str:
        claim, envelope = self._claim, self._envelope
        sender = self._bot.sender(envelope.platform)
        # Named after the first message, which every try has; shown below the last one.
        address = claim.messages[-1].address
        stop = [self._button(STOP)] if self._stoppable else []
        places = self._bot.pacer.places(envelope.platform, sender, address)
        live = LiveMessage(sender, address, envelope.event, _Journal(self._bot, claim), claim.sent, places, stop)
        try:
            if envelope.notice:
                reply = Reply(self._texts(envelope.notice, **(envelope.values or {})))
            elif self._questions is not None:
                said = claim.reply if claim.reply is not None else await self._read_and_ask(live, self._questions)
                again = claim.cut != FLAGGED_QUESTION and self._repeatable and not self._over_limit
                reply = Reply(said, [*self._continue(said), *([self._button(RETRY)] if again else [])])
            else:
                reply = await self._answering.by_command(live)
            await live.finish(f"{await self._told(reply.text)}{await self._budget_note()}", reply.buttons)
        except ModelError as error:
            return await self._model_failed(live, error)
        except Postponed as error:
            log.warning("a reply is put off", reason=str(error), delay=round(error.delay, 1), bot=self._bot.key)
            return await self._put_off(error.delay, "postponed")
        except Rejected as error:
            log.warning("a platform refuses a reply", reason=str(error), platform=envelope.platform, bot=self._bot.key)
            return await self._bury(f"refused by the platform: {error}")
        return await self._done(reply.text)

    def _button(self, command: str) -> Button:
        return Button(self._texts(f"button-{command}"), command)

    def _continue(self, said: str) -> list[Button]:
        """The button that goes on with the answer, where it was cut and is remembered."""
        if self._claim.cut not in continuing.CUTS or not said.strip() or not self._memory[1]:
            return []
        return [self._button_on(self._whole(said))]

    def _button_on(self, answer: str) -> Button:
        """The button that goes on with an answer."""
        return Button(self._texts(f"button-{CONTINUE}"), continuing.command(self._bot.keys, self._claim, answer))

    def _whole(self, said: str) -> str:
        """An answer with what it goes on with."""
        return said if self._before is None else continuing.joined(self._before, said)

    async def _read_and_ask(self, live: LiveMessage, questions: list[Asked]) -> str:
        """Read the files of the questions, if there are any, and ask the model, if anything is left to ask."""
        bot, claim = self._bot, self._claim
        if not self._envelope.plain or not any(message.attachments for message in self._asked):
            return await self._ask(live, questions)
        sender = bot.sender(self._envelope.platform)
        async with AsyncExitStack() as stack:
            told = [question.text for question in questions]
            reading = bot.reader.read(sender, self._asked, told, self._texts, self._failures)
            try:
                async with live.typing():
                    read = await stack.enter_async_context(reading)
            except BudgetSpent as error:
                return await self._answering.over_limit(error)
            with_files = zip(read.places, read.questions, strict=True)
            self._questions = [questions[place].grown(text) for place, text in with_files]
            self._images = read.images
            self._repeatable = bool(read.questions) and not any(read.images)
            if read.questions:
                return await self._ask(live, self._questions, read.unread)
        reply = read.unread or self._texts("trouble-empty")
        await insist(bot, lambda: bot.mailbox.replied(claim, reply))
        return reply

    async def _ask(self, live: LiveMessage, asked: list[Asked], note: str | None = None) -> str:
        """`note`: what the person is told below the answer."""
        bot, claim, questions = self._bot, self._claim, [question.text for question in asked]
        system = system_prompt(bot.config, claim.settings)
        before = claim.context[: len(claim.context) - self._replaced]
        group = not self._envelope.direct
        messages = context.prompt(system, before, questions, summary=claim.summary, group=group)
        for message, images in zip(messages[-len(questions) :], self._images, strict=False):
            if images:
                message["images"] = images
        # A role of the user's own is the user's words too.
        return await self._answering.by_model(live, messages, [*questions, claim.settings.get("act", "")], note=note)

    async def _told(self, reply: str) -> str:
        """The reply as people see it: one that was cut short says so."""
        if self._claim.cut is None:
            return reply
        why = self._texts(self._claim.cut, seconds=until_tomorrow())
        return f"{await close_fence_at_leisure(reply.rstrip())}\n\n{why}".lstrip()

    async def _budget_note(self) -> str:
        """Once a day, below a private answer to somebody who administers the bot: that its budget nears its end."""
        bot, envelope = self._bot, self._envelope
        percent = bot.budgets.warning
        if percent is None or not (envelope.plain and envelope.direct and envelope.administrator):
            return ""
        left = until_tomorrow()
        if not await bot.limits.tell("budget", envelope.user, left):
            return ""
        return f"\n\n{self._texts('budget-warning', percent=percent, seconds=left)}"

    @property
    def _over_limit(self) -> bool:
        """Whether nothing of a budget was left for an answer."""
        return (self._claim.cut or "").startswith(OVER_LIMIT)

    async def _done(self, reply: str) -> str:
        exchange, drop = self._unanswered(), 0
        if self._questions and reply.strip() and self._before is not None:
            exchange, drop = context.remember([("assistant", self._whole(reply))]), 1
        elif self._questions and reply.strip():
            exchange, drop = context.exchange(self._questions, reply), self._replaced
        ttl, keep = self._memory
        if self._claim.settings:
            retention = seconds(self._spec.privacy.retention)
            await insist(self._bot, lambda: self._bot.mailbox.keep_choices(self._claim.conversation, retention))
        await insist(self._bot, lambda: self._bot.mailbox.done(self._claim, exchange, ttl, keep, drop))
        await self._release()
        if self._spec.context.summarize and exchange:
            self.fold_due = Measure.of(self._bot).exceeded([*self._claim.context, *exchange])
        if self._late:
            return "expired"
        if self._claim.cut in (FLAGGED_QUESTION, FLAGGED_ANSWER):
            return "moderated"
        if self._over_limit:
            return "limited"
        return "answered" if self._claim.cut is None else "cut_short"

    @property
    def _memory(self) -> tuple[float, int]:
        """Seconds that the context is kept, and how many messages of it."""
        spec = self._spec
        return min(seconds(spec.context.ttl), seconds(spec.privacy.retention)), context.kept(spec.context)

    def _unanswered(self) -> list[bytes]:
        """What is kept of a question without an answer, to ask it again. A retry leaves what was there."""
        kept = self._envelope.plain and self._claim.cut != FLAGGED_QUESTION
        questions = [question for question in self._questions or () if question.text.strip()]
        return context.unanswered(questions) if kept and questions else []

    async def _model_failed(self, live: LiveMessage, error: ModelError) -> str:
        away = error.kind in _AWAY_KINDS and not error.text and not isinstance(error, TookTooLong)
        left = self._worth_waiting if away else 0.0
        tries = self._claim.attempts + 1 if away else self._failures + 1
        final = error.kind in _FINAL_KINDS or (tries >= MAX_ATTEMPTS and left <= 0)
        log.warning("the model gave no answer", kind=error.kind, reason=str(error), attempt=tries, bot=self._bot.key)
        name = "given-up" if final and error.kind not in _FINAL_KINDS else error.kind
        text = self._texts(f"trouble-{name}") if self._texts.has(f"trouble-{name}") else self._texts("trouble-internal")
        again = name == "given-up" and self._questions is not None
        try:
            if not (away and not final and self._told_before(live)):
                await live.finish(text, [self._again] if again else (), final=final)
        except (Postponed, Rejected) as trouble:
            log.warning("a notice could not be sent", reason=str(trouble), bot=self._bot.key)
        if final:
            return await self._bury(f"model: {error.kind}")
        delay = self._delay(error.retry_after)
        if not away:
            return await self._put_off(delay, "retried")
        if left > 0:  # the last try is made when the time is over, not after it
            delay = max(error.retry_after or 0.0, min(delay, max(left, _BASE_DELAY)))
        return await self._wait_for_model(delay, Away.ASKED_TO_WAIT if error.retry_after else Away.FAILED)

    @property
    def _failures(self) -> int:
        """Tries before this one that failed though the model was there."""
        return max(0, self._claim.attempts - self._claim.away)

    @property
    def _worth_waiting(self) -> float:
        """Seconds until an answer comes too late to be of use: counted for the newest of the questions."""
        asked = max(message.received for message in self._claim.messages)
        return asked + seconds(self._spec.answer_in.max_age) - time.time()

    def _told_before(self, live: LiveMessage) -> bool:
        """Whether people know already that the model is away: an earlier try told them, and this one showed nothing."""
        return self._claim.away > 0 and 0 in self._claim.sent and not live.touched

    async def _wait_for_model(self, delay: float, why: Away) -> str:
        """Come back to the question later, however often that takes."""
        await insist(self._bot, lambda: self._bot.mailbox.retry(self._claim, delay, model=why))
        return "retried"

    @property
    def _again(self) -> Button:
        """The button below an answer that was given up."""
        return self._button(RETRY) if self._before is None else self._button_on(self._before)

    def _delay(self, retry_after: float | None) -> float:
        """Seconds until the next try: growing, spread out, and never sooner than asked for."""
        backoff = min(_MAX_DELAY, _BASE_DELAY * 2 ** min(self._claim.attempts, MAX_DELIVERIES))
        return max(retry_after or 0.0, backoff * random.uniform(0.5, 1.0))

    async def _fail(self, error: Exception) -> None:
        """Try again later, or give the turn up. Where not even that goes, its lease runs out: the tries are counted."""
        try:
            await self._put_off(self._delay(None), "internal", type(error).__name__)
        except (TurnLost, StoreUnavailable) as trouble:
            log.info("a failed turn is left to another worker", reason=type(trouble).__name__, bot=self._bot.key)
        except Exception as trouble:
            log.exception("a failed turn cannot be put off; another worker takes it over", exc_info=trouble,
                          bot=self._bot.key)  # fmt: skip

    async def _put_off(self, delay: float, outcome: str, error: str = "") -> str:
        if self._failures + 1 > MAX_ATTEMPTS and outcome == "internal":
            return await self._bury(f"internal error: {error}")
        await insist(self._bot, lambda: self._bot.mailbox.retry(self._claim, delay))
        return outcome

    async def _bury(self, reason: str) -> str:
        ttl = seconds(self._spec.privacy.retention)
        lost, (memory, keep) = self._unanswered(), self._memory
        await insist(self._bot, lambda: self._bot.mailbox.bury(self._claim, reason, ttl, lost, memory, keep))
        await self._release()
        return "buried"

    async def _release(self) -> None:
        with contextlib.suppress(LookupError):  # the bot is not there any more, or never was: nothing is kept
            await release(self._bot.sender(self._envelope.platform), self._claim.messages)

    async def _give_back(self) -> None:
        """Once the store is back, let any worker try again: nobody failed, so it is no failed try."""
        await self._bot.store.wait_available()
        with contextlib.suppress(TurnLost):
            await insist(self._bot, lambda: self._bot.mailbox.retry(self._claim, 0, attempt=False))

    async def _hand_over(self) -> None:
        try:
            async with asyncio.timeout(3):
                await self._bot.mailbox.retry(self._claim, 0, attempt=False)
        except (StoreUnavailable, TurnLost, TimeoutError):
            pass  # its lease runs out instead
