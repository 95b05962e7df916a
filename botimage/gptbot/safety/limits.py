"""Limits of `spec.limits`, shared by all gateways and workers through the store: messages in a window, tokens a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Script, Store
from gptbot_api import policy
from gptbot_api.base import seconds

_LIMIT = Script.load("limit")
_SPEND = Script.load("spend")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that came over a limit."""

    limit: Literal["user", "chat", "tokens"]
    """Which one: messages of the user, messages in the chat, tokens of the bot today."""
    retry_after: float
    """Seconds until a message may come again."""
    notify: bool
    """Whether to say so to the user: true once a window at most."""


class Limits:
    """The limits of one bot."""

    def __init__(self, store: Store, keys: BotKeys, spec: Callable[[], policy.Limits]) -> None:
        """`spec` gives `spec.limits` as it is now: it may change while the bot runs."""
        self._store = store
        self._keys = keys
        self._spec = spec

    async def check(self, user: str, conversation: str, event: str = "") -> Refusal | None:
        """Count a message of a user in a conversation (all three pseudonyms), or refuse it.

        Not counted: a message refused, and one whose `event` the mailbox has already seen. Raises StoreUnavailable.
        """
        spec, keys = self._spec(), self._keys
        limit, wait, notify = await self._store.run(
            _LIMIT,
            [
                keys.rate("user", user), keys.rate("chat", conversation), keys.tokens,
                keys.told("user", user), keys.told("chat", conversation), keys.told("tokens", conversation),
                keys.seen(event),
            ],
            spec.per_user.messages, seconds(spec.per_user.per) * 1000,
            spec.per_chat.messages, seconds(spec.per_chat.per) * 1000,
            spec.tokens_per_day,
        )  # fmt: skip
        return Refusal(limit.decode(), wait / 1000, bool(notify)) if limit else None

    async def spend(self, tokens: int) -> int:
        """Count tokens that the model used; returns today's sum (UTC). Raises StoreUnavailable."""
        return int(await self._store.run(_SPEND, [self._keys.tokens], tokens))
