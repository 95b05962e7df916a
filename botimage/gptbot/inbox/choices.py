"""What was chosen in a conversation, as gateways need it for every message: read once in a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from gptbot.inbox.claims import text
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store

LASTS = 3.0
"""Seconds that a gateway goes by what it has read; a change made in the same process counts at once."""
_FIELDS = ("answer_in", "language", "summary_buffer")
MOST = 20_000
"""Conversations that a process knows of, about 4 MB."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of the settings decides what becomes of a message."""

    answer_in: str | None = None
    """When to answer here, instead of what `spec.answerIn` says."""
    language: str | None = None
    """Of all texts here, instead of the one that the platform names."""
    summary_buffer: str | None = None
    """`on`: what is said here is kept for `!summary`."""


class Choices:
    """The settings of one bot's conversations."""

    def __init__(self, store: Store, keys: BotKeys, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._store = store
        self._keys = keys
        self._clock = clock
        self._known: dict[str, tuple[float, Chosen]] = {}

    def known(self, conversation: str) -> Chosen | None:
        """What this process knows without asking the store."""
        known = self._known.get(conversation)
        return known[1] if known is not None and self._clock() < known[0] else None

    async def get(self, conversation: str) -> Chosen:
        """What was chosen in a conversation. Raises StoreUnavailable."""
        if (known := self.known(conversation)) is not None:
            return known
        until = self._clock() + LASTS
        found = await self._store.command("HMGET", self._keys.settings(conversation), *_FIELDS)
        chosen = Chosen(*map(text, found))
        self._known.pop(conversation, None)
        self._known[conversation] = (until, chosen)
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]
        return chosen

    def changed(self, conversation: str) -> None:
        """What was read of a conversation holds no more."""
        self._known.pop(conversation, None)
