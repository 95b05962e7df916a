"""Limits of `spec.limits`, shared by all gateways and workers through the store: messages in a window, use of a day.

Messages are asked for here, at the door. What an answer uses of the day is reserved where it is made: `budgets.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.room import LOOKS_EVERY, Room
from gptbot.inbox.store import Store
from gptbot.safety.refused import Refused
from gptbot_api import policy
from gptbot_api.base import seconds
from gptbot_api.store_functions import function

_LIMIT, _LEFT, _TRIES = function("limit"), function("left"), function("tries")

LimitName = Literal["user", "chat", "bot", "tokens", "user-tokens", "cost", "user-cost", "mute", "store"]
"""Messages of the user, in the chat, of the bot; tokens of the bot today, of the user; the same of the cost; a pause
for one who floods; the bot's share of the store is full."""
_FULL_AGAIN = 600.0
"""Seconds after which a conversation is told again that there is no room."""
_OF_THE_USER = frozenset({"user", "user-tokens", "user-cost", "mute"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that came over a limit."""

    limit: LimitName
    """Which one; what its author is told is the text `limit-NAME` of the locales."""
    retry_after: float
    """Seconds until a message may come again."""
    notify: bool
    """Whether to say so: true once a window at most, and once a pause."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is left of messages in a sliding window."""

    left: int
    of: int
    per: str
    """Length of the window, as `spec.limits` has it: `1m`."""


@dataclass(frozen=True, slots=True)
class Use:
    """What was used of the model today (UTC): tokens, or the cost in millionths of the currency."""

    used: int
    of: int
    """0: no limit."""

    @property
    def left(self) -> int | None:
        """None: no limit."""
        return max(0, self.of - self.used) if self.of else None


@dataclass(frozen=True, slots=True)
class Left:
    """What one user in one conversation may still use."""

    user: Window
    chat: Window
    bot: Window | None
    """None: no limit."""
    user_tokens: Use
    bot_tokens: Use
    user_cost: Use
    bot_cost: Use


def millionths(amount: float) -> int:
    """An amount of money as the store counts it; what is above 0 stays above 0."""
    return math.ceil(amount * 1_000_000)


class Limits:
    """The limits of one bot."""

    def __init__(
        self, store: Store, keys: BotKeys, spec: Callable[[], policy.Limits], room: Room | None = None
    ) -> None:
        """`spec` gives `spec.limits` as it is now: it may change while the bot runs. `room`: that in the store."""
        self._room = room
        self._store = store
        self._keys = keys
        self._spec = spec
        self._refused = Refused[LimitName]()
        self._refused_by: policy.Limits | None = None
        self._edits = Refused[None]()
        self._told = Refused[None]()

    async def check(self, user: str, conversation: str, event: str = "") -> Refusal | None:
        """Count a message of a user in a conversation (all three pseudonyms), or refuse it.

        Not counted: a message refused, and one whose `event` the mailbox has already seen. Who was refused is refused
        again without asking the store, until the time that it gave. Raises StoreUnavailable.
        """
        if refusal := self.refused(user, conversation):
            return refusal
        spec, keys = self._spec(), self._keys
        bot = spec.per_bot or policy.Rate(messages=1)
        limit, wait, notify = await self._store.run(
            _LIMIT,
            [
                keys.rate("user", user), keys.rate("chat", conversation), keys.rate("bot", ""), keys.tokens,
                keys.tokens_of(user), keys.floods(user), keys.seen(event),
                keys.told("user", user), keys.told("chat", conversation), keys.told("bot", conversation),
                keys.told("tokens", conversation), keys.told("user-tokens", user),
            ],
            spec.per_user.messages, seconds(spec.per_user.per) * 1000,
            spec.per_chat.messages, seconds(spec.per_chat.per) * 1000,
            bot.messages if spec.per_bot else 0, seconds(bot.per) * 1000,
            spec.tokens_per_day, spec.tokens_per_user_per_day,
            spec.mute.after, seconds(spec.mute.first) * 1000, seconds(spec.mute.longest) * 1000,
            millionths(spec.cost_per_day), millionths(spec.cost_per_user_per_day),
        )  # fmt: skip
        if not limit:
            return None
        refusal = Refusal(limit.decode(), wait / 1000, bool(notify))
        who = user if refusal.limit in _OF_THE_USER else conversation
        self._refused.note(who, refusal.limit, refusal.retry_after)
        return refusal

    async def check_edit(self, user: str, conversation: str) -> bool:
        """Count an edit of a user in a conversation, or refuse it. Raises StoreUnavailable.

        There may be as many as messages, in windows of their own: an edit is no new message, and makes the same work.
        """
        self._begin_anew_if_changed()
        who = f"{user} {conversation}"
        if self._edits.get(who):
            return False
        spec, keys = self._spec(), self._keys
        windows = [
            (keys.rate("edits-user", user), spec.per_user),
            (keys.rate("edits-chat", conversation), spec.per_chat),
            (keys.rate("edits-bot", ""), spec.per_bot),
        ]
        limits = [(key, rate) for key, rate in windows if rate is not None]
        bounds = [bound for _, rate in limits for bound in (rate.messages, seconds(rate.per) * 1000)]
        wait = await self._store.run(_TRIES, [key for key, _ in limits], *bounds)
        if wait:
            self._edits.note(who, None, wait / 1000)
        return not wait

    def refused(self, user: str, conversation: str) -> Refusal | None:
        """What this process knows of without asking the store: a refusal that holds still.

        It was told already, but for that of a full store, of which `notify_full` says whether it was.
        """
        self._begin_anew_if_changed()
        for who in (user, conversation):
            if found := self._refused.get(who):
                return Refusal(found.reason, found.left, notify=False)
        if self._room is not None and self._room.full:
            return Refusal("store", LOOKS_EVERY, notify=True)
        return None

    async def notify_full(self, conversation: str) -> bool:
        """Whether to say in a conversation that the store is full: seldom. Raises StoreUnavailable."""
        return await self.tell("store", conversation, _FULL_AGAIN)

    def _begin_anew_if_changed(self) -> None:
        """Forget refusals by other limits than those of now."""
        spec = self._spec()
        if spec is not self._refused_by:
            self._refused.clear()
            self._edits.clear()
            self._refused_by = spec

    async def left(self, user: str, conversation: str) -> Left:
        """What a user may still use in a conversation. Raises StoreUnavailable."""
        spec, keys = self._spec(), self._keys
        bot = spec.per_bot or policy.Rate(messages=1)
        windows = (spec.per_user, spec.per_chat, bot)
        *messages, bot_tokens, bot_cost, user_tokens, user_cost = await self._store.run(
            _LEFT,
            [
                keys.rate("user", user), keys.rate("chat", conversation), keys.rate("bot", ""),
                keys.tokens, keys.tokens_of(user),
            ],
            *(seconds(rate.per) * 1000 for rate in windows),
        )  # fmt: skip
        in_user, in_chat, in_bot = (
            Window(max(0, rate.messages - used), rate.messages, rate.per)
            for rate, used in zip(windows, messages, strict=True)
        )
        return Left(
            user=in_user, chat=in_chat, bot=in_bot if spec.per_bot else None,
            user_tokens=Use(int(user_tokens), spec.tokens_per_user_per_day),
            bot_tokens=Use(int(bot_tokens), spec.tokens_per_day),
            user_cost=Use(int(user_cost), millionths(spec.cost_per_user_per_day)),
            bot_cost=Use(int(bot_cost), millionths(spec.cost_per_day)),
        )  # fmt: skip

    async def tell(self, what: str, who: str, window: float) -> bool:
        """Whether to tell somebody of something: once in `window` seconds. Raises StoreUnavailable."""
        known = f"{what} {who}"
        if self._told.get(known):
            return False
        self._told.note(known, None, window)
        return bool(await self._store.command("SET", self._keys.told(what, who), "1", "NX", "PX", int(window * 1000)))
