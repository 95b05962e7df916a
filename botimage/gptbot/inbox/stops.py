"""Stopping an answer that is being made: asked for past the mailbox, whose head it is, and heard by the worker.

The turn's hash keeps the wish for a worker that claims the turn later; a short stream tells the one that has it now.
"""

from __future__ import annotations

from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import MOST_STOPS, SEEN_TTL, STOP_TTL, TURN_TTL
from gptbot.inbox.store import Store
from gptbot_api.store_functions import function

COMMAND = "stop"
"""Name of the command that asks for it."""
_STOP = function("stop")


class Stops:
    """The stops of one bot."""

    def __init__(self, store: Store, keys: BotKeys) -> None:
        self._store = store
        self._keys = keys
        self._last = "-"

    async def ask(self, conversation: str, event: str, answer: Envelope | None = None) -> bool:
        """End the answer being made in a conversation, or about to be. False: there is none.

        `event` takes effect once. `answer` is put into the mailbox then. Raises StoreUnavailable.
        """
        keys = self._keys
        names = (
            keys.seen(event), keys.mail(conversation), keys.turn(conversation), keys.owner, keys.later, keys.stops,
            keys.aside(conversation),
        )  # fmt: skip
        return bool(await self._store.run(
            _STOP, names, int(SEEN_TTL * 1000), conversation, int(TURN_TTL * 1000), int(STOP_TTL * 1000), MOST_STOPS,
            *([answer.encode()] if answer else []),
        ))  # fmt: skip

    async def heard(self) -> list[int]:
        """Fencing tokens of the turns to stop, those told since the last call. Raises StoreUnavailable."""
        entries = await self._store.command("XRANGE", self._keys.stops, self._last, "+", "COUNT", MOST_STOPS)
        if entries:
            self._last = "(" + entries[-1][0].decode()
        tokens = (fields[1].decode(errors="replace") for _, fields in entries)
        return [int(token) for token in tokens if len(token) < 20 and token.isdecimal() and token.isascii()]
