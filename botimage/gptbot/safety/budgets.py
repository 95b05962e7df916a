"""The budgets of a day: tokens and cost, of the bot and of each user, shared by all workers through the store.

What an answer may use is reserved before the model is asked, and replaced by what it did use when that is known. A
reservation lapses when its time is over, as that of a worker which died; another try of the same turn takes its place.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.safety.limits import LimitName, millionths
from gptbot.telemetry import metrics
from gptbot_api import policy
from gptbot_api.store_functions import function

_RESERVE, _SPEND = function("reserve"), function("spend")

DAY = 86_400
WARN_AT = 0.8
"""Part of a budget from which on its owner is warned."""
LONGEST_HOLD = 86_400.0
"""Seconds that a reservation is kept at most."""


@dataclass(frozen=True, slots=True)
class Amount:
    """What was used of the model."""

    tokens: int = 0
    cost: int = 0
    """In millionths of the currency."""

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.tokens + other.tokens, self.cost + other.cost)

    def __bool__(self) -> bool:
        return bool(self.tokens or self.cost)


NOTHING = Amount()


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays, and what for: names a reservation."""

    hold: str
    """Of one name there is one reservation; a further try of the same work takes the place of the one before."""
    token: str
    """Of whoever made the reservation: nobody else lets it go."""
    users: tuple[str, ...] = ()
    """Pseudonyms of those on whose accounts it goes, in equal parts, besides the bot's."""
    conversation: str = ""
    """The reservation is made only while this conversation's turn has the fencing token `token`. Empty: not fenced."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be reserved."""

    question: Amount
    longest: int
    """Tokens of the longest answer. Less is granted where less is left."""
    least: int
    """Tokens of the shortest answer worth beginning."""
    price: float
    """Cost of a token of the answer, in millionths of the currency."""
    lasts: float
    """Seconds after which the reservation lapses."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What came of a wish to reserve."""

    tokens: int
    """Of the answer, reserved with the question."""
    refused: LimitName | Literal["lost", ""] = ""
    """The limit in the way; `lost`: the turn is another worker's."""
    passes: bool = False
    """Whether it would fit but for the reservations of others, which may turn out to be too large."""


class Budgets:
    """The budgets of one bot."""

    def __init__(self, store: Store, keys: BotKeys, spec: Callable[[], policy.Limits]) -> None:
        """`spec` gives `spec.limits` as it is now: it may change while the bot runs."""
        self._store = store
        self._keys = keys
        self._spec = spec
        self._today = (0, NOTHING)
        """A day, and what the bot had used on it as far as this process knows."""
        for name in ("tokens", "cost"):
            ratio = metrics.BUDGET_USED.labels(bot=keys.bot, budget=name)
            ratio.set_function(lambda name=name: self.ratios().get(name, 0.0))

    @property
    def limited(self) -> bool:
        """Whether there is any."""
        spec = self._spec()
        return bool(
            spec.tokens_per_day or spec.tokens_per_user_per_day or spec.cost_per_day or spec.cost_per_user_per_day
        )

    async def reserve(self, account: Account, wanted: Wanted, spent: Amount = NOTHING) -> Grant:
        """Reserve what an answer may use, and count what tries before it `spent`. Raises StoreUnavailable."""
        spec = self._spec()
        granted, refused, passes, tokens, cost = await self._store.run(
            _RESERVE, [self._keys.owner, *self._accounts(account.users)],
            account.conversation, account.token, account.hold, int(min(wanted.lasts, LONGEST_HOLD) * 1000),
            wanted.question.tokens, wanted.question.cost, wanted.longest, min(wanted.least, wanted.longest),
            repr(float(wanted.price)), spent.tokens, spent.cost,
            spec.tokens_per_day, spec.tokens_per_user_per_day,
            millionths(spec.cost_per_day), millionths(spec.cost_per_user_per_day),
        )  # fmt: skip
        self._note(tokens, cost)
        return Grant(int(granted), refused.decode(), bool(passes))

    async def spend(self, spent: Amount, account: Account | None = None, users: Sequence[str] = ()) -> Amount:
        """Count what was used, and let the reservation of `account` go; today's sum of the bot (UTC).

        Without an account it goes on those of `users`, in equal parts. Raises StoreUnavailable.
        """
        hold, token, payers = ("", "", users) if account is None else (account.hold, account.token, account.users)
        found = await self._store.run(_SPEND, self._accounts(payers), token, hold, spent.tokens, spent.cost)
        return self._note(*found)

    def ratios(self) -> dict[str, float]:
        """What part of each of the bot's budgets was used today, as far as this process knows."""
        spec, (day, used) = self._spec(), self._today
        if day != time.time() // DAY:
            return {}
        budgets = {
            "tokens": (used.tokens, spec.tokens_per_day), "cost": (used.cost, millionths(spec.cost_per_day)),
        }  # fmt: skip
        return {name: spent / most for name, (spent, most) in budgets.items() if most}

    @property
    def warning(self) -> int | None:
        """The percentage that was used of the budget which is nearest to its end, where the owner should know."""
        most = max(self.ratios().values(), default=0.0)
        return math.floor(most * 100) if most >= WARN_AT else None

    def _accounts(self, users: Sequence[str]) -> list[str]:
        return [self._keys.tokens, *map(self._keys.tokens_of, dict.fromkeys(users))]

    def _note(self, tokens: bytes, cost: bytes) -> Amount:
        used = Amount(int(tokens), int(cost))
        self._today = (int(time.time() // DAY), used)
        return used


def until_tomorrow() -> float:
    """Seconds until budgets are new: midnight UTC."""
    return DAY - time.time() % DAY
