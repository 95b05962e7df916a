"""What one answer of the model may cost, and what it cost: reserved before each request, counted when that is known.

An answer that outgrows what is reserved asks for more while it goes on; when there is no more, it ends there.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING

from gptbot.conversation.insisting import insist
from gptbot.inbox.claims import TurnLost
from gptbot.inbox.store import StoreUnavailable
from gptbot.llm import metrics
from gptbot.llm.budget import believed
from gptbot.llm.errors import BudgetSpent
from gptbot.llm.types import Completion, Endpoint, Message, Usage
from gptbot.safety.budgets import NOTHING, Account, Amount, Wanted

if TYPE_CHECKING:
    from gptbot.bot import Bot

PATIENCE = 15.0
"""Seconds that an answer waits for others to give back what they reserved and did not use."""
LEAST = 256
"""Tokens of the shortest answer worth beginning, where the longest is longer."""
HEARD, SAID = 10.0, 5.0
"""Tokens of a second of speech, heard and written down: OpenAI counts one for 100 ms, and few people say four words."""
_PAUSES = (0.1, 0.2, 0.4)
_MARGIN = 0.8
"""Part of what is reserved at which more is asked for."""
_GRACE = 60.0
"""Seconds that a reservation outlasts the longest time of a request."""
_HAND_OVER = 3.0
"""Seconds to count what was spent by work that is given up here."""


class Spending:
    """What an answer costs, over all requests for it. A `Meter` for `Bot.ask`."""

    def __init__(self, bot: Bot, account: Account, *, longest: int | None = None) -> None:
        """`longest`: tokens of an answer that is ended by whoever asks for it."""
        self._bot = bot
        self._account = account
        self._longest = longest
        self._spent = NOTHING
        """Not counted in the store yet."""
        self._held = False
        """Whether there may be a reservation."""
        self._wanted: Wanted | None = None
        self._granted = math.inf
        """Tokens of the answer that are reserved."""
        self._ratio = 1.0
        self._characters = 0
        self._more: asyncio.Task[None] | None = None
        self._no_more = ""

    @property
    def silent(self) -> bool:
        """Whether nothing came of the answer yet, thoughts neither."""
        return self._characters == 0

    async def ask(self, messages: Sequence[Message], on_text: Callable[[str], None]) -> Completion:
        """Have the model answer. Raises ModelError; BudgetSpent has the text so far, where the budget ended in it."""
        try:
            return await self._bot.ask(messages, on_text, self, whole=self._longest is not None)
        finally:
            await self._end_asking_for_more()

    async def before(self, endpoint: Endpoint, messages: Sequence[Message]) -> None:
        """Reserve what a request may cost. Raises BudgetSpent, TurnLost, StoreUnavailable."""
        if not self._bot.budgets.limited:
            return
        await self._end_asking_for_more()
        self._characters, self._ratio = 0, self._bot.budget.ratio(endpoint.model)
        question = self._bot.budget.count(endpoint.model, _seen(endpoint, messages))
        longest = self._longest or _longest(endpoint) or self._bot.reply_reserve
        self._wanted = Wanted(
            question=Amount(question, _cost(endpoint, Usage(question, 0))),
            longest=longest, least=min(longest, LEAST), price=endpoint.prices.output if endpoint.prices else 0.0,
            lasts=endpoint.total_timeout + _GRACE,
        )  # fmt: skip
        await self._reserve_in_time(self._wanted)

    async def before_listening(self, endpoint: Endpoint, seconds: float) -> None:
        """Reserve what it may cost to write a recording down. Raises BudgetSpent, StoreUnavailable."""
        if not self._bot.budgets.limited:
            return
        heard, said = math.ceil(seconds * HEARD), math.ceil(seconds * SAID)
        await self._reserve_in_time(Wanted(
            question=Amount(heard, _cost(endpoint, Usage(heard, 0))), longest=said, least=said,
            price=endpoint.prices.output if endpoint.prices else 0.0, lasts=2 * endpoint.timeout + _GRACE,
        ))  # fmt: skip

    def heard(self, said: int) -> None:
        """So many characters came so far: ask for more in time. Raises BudgetSpent when it is as long as it may be."""
        self._characters = said
        if said > self._granted * self._ratio * _MARGIN:
            self._outgrown()

    def after(self, endpoint: Endpoint, messages: Sequence[Message], usage: Usage | None, said: int) -> None:
        """Note what a request cost: as the API counted, else by the length of question and answer."""
        counted = believed(usage, self._bot.context_window)
        if counted is None:
            budget, model = self._bot.budget, endpoint.model
            counted = Usage(budget.count(model, _seen(endpoint, messages)), math.ceil(said / budget.ratio(model)))
        self.use(endpoint, counted)

    def use(self, endpoint: Endpoint, counted: Usage) -> None:
        """Note what was used of an endpoint."""
        cost = _cost(endpoint, counted)
        self._spent += Amount(counted.prompt + counted.completion, cost)
        if endpoint.prices is not None:
            metrics.COST.labels(endpoint.model, endpoint.prices.currency).inc(cost / 1_000_000)

    @contextlib.asynccontextmanager
    async def counted(self) -> AsyncGenerator[None]:
        """Have what this block spends counted, however it ends."""
        try:
            yield
        except (TurnLost, asyncio.CancelledError):
            with contextlib.suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(_HAND_OVER):
                    await self.settle()
            raise
        except Exception:
            await insist(self._bot, self.settle)
            raise
        await insist(self._bot, self.settle)

    async def settle(self) -> None:
        """Count what was spent and let go of what is reserved. Raises StoreUnavailable: then it is to be done again."""
        spent, held = self._spent, self._held
        if not spent and not held:
            return
        self._spent, self._held = NOTHING, False
        try:
            await self._bot.budgets.spend(spent, self._account)
        except BaseException:
            self._spent, self._held = self._spent + spent, True
            raise

    async def _reserve_in_time(self, wanted: Wanted) -> None:
        """Reserve, as soon as others give back what they do not use. Raises BudgetSpent."""
        give_up, tries = time.monotonic() + PATIENCE, 0
        while (refused := await self._reserve(wanted)) is not None:
            limit, passes = refused
            if not passes or time.monotonic() > give_up:
                raise BudgetSpent(limit)
            await asyncio.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1

    async def _reserve(self, wanted: Wanted) -> tuple[str, bool] | None:
        """The limit in the way and whether that may pass, or None: it is reserved. Raises TurnLost."""
        spent, self._spent, self._held = self._spent, NOTHING, True
        try:
            grant = await self._bot.budgets.reserve(self._account, wanted, spent)
        except BaseException:
            self._spent += spent
            raise
        if grant.refused == "lost":
            raise TurnLost
        if grant.refused:
            return grant.refused, grant.passes
        self._granted = grant.tokens
        return None

    def _outgrown(self) -> None:
        """Ask for more in time. Raises BudgetSpent when the answer is as long as it may be."""
        if self._characters > self._granted * self._ratio and self._no_more:
            raise BudgetSpent(self._no_more)
        if self._more is None or self._more.done():
            self._more = asyncio.create_task(self._ask_for_more(), name="budget")

    async def _ask_for_more(self) -> None:
        """Reserve an answer longer by as much again."""
        assert self._wanted is not None
        longest = int(self._granted) + self._wanted.longest
        least = int(self._granted) + min(LEAST, self._wanted.longest) // 4
        wanted = Wanted(
            question=self._wanted.question, longest=longest, least=least, price=self._wanted.price,
            lasts=self._wanted.lasts,
        )  # fmt: skip
        try:
            refused = await self._reserve(wanted)
        except (StoreUnavailable, TurnLost):
            return  # asked again with the next text
        self._no_more = "" if refused is None else refused[0]

    async def _end_asking_for_more(self) -> None:
        if self._more is not None:
            self._more.cancel()
            await asyncio.gather(self._more, return_exceptions=True)
        self._more, self._no_more, self._granted = None, "", math.inf


def _longest(endpoint: Endpoint) -> int | None:
    """Tokens of an answer, where the request says how many there may be."""
    for name in ("max_completion_tokens", "max_tokens"):
        most = endpoint.fields().get(name)
        if type(most) is int and most > 0:
            return most
    return None


def _seen(endpoint: Endpoint, messages: Sequence[Message]) -> Sequence[Message]:
    """Messages as the endpoint gets them: without images where it sees none."""
    if endpoint.vision or not any("images" in message for message in messages):
        return messages
    return [{"role": message["role"], "content": message["content"]} for message in messages]


def _cost(endpoint: Endpoint, usage: Usage) -> int:
    """Millionths of the currency, rounded up."""
    prices = endpoint.prices
    if prices is None:
        return 0
    fresh = usage.prompt - usage.cached
    return math.ceil(fresh * prices.input + usage.cached * prices.cached + usage.completion * prices.output)
