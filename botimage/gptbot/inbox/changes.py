"""Messages that were edited or deleted before their answer: the mailbox is put right.

A worker that is at such an answer loses the turn, as it would to another worker, and hears of it as of a stop.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum, auto

from gptbot.inbox.envelope import Envelope
from gptbot.inbox.mailbox import GROUP, MOST_STOPS, STOP_TTL, Mailbox
from gptbot_api.store_functions import function

_EDIT, _DELETE = function("edit"), function("delete")
_RESTARTS = 3
"""How often one answer is begun anew for edits: each time costs a request to the model."""


class Edit(Enum):
    """What became of an edit."""

    REPLACED = auto()
    """The answer will be to the new text."""
    LATE = auto()
    """The answer was there before, or is being shown."""
    UNKNOWN = auto()
    """The event was never enqueued, or so long ago that it is forgotten."""


class Changes:
    """Edits and deletes in one bot's mailboxes. All methods raise StoreUnavailable."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def edit(
        self, conversation: str, event: str, make: Callable[[], Awaitable[str]], command: str | None
    ) -> Edit:
        """Give a message that waits a new text; all else of it stays, and a notice stays what it is.

        `make` makes the text, which may be much work: it is asked for it only if the message waits.
        """
        store, keys = self._mailbox.store, self._mailbox.keys
        text: str | None = None
        while True:
            for item in await store.command("LRANGE", keys.mail(conversation), 0, -1):
                if item.startswith(_beginning(event)):
                    break
            else:
                return Edit.LATE if await store.command("EXISTS", keys.seen(event)) else Edit.UNKNOWN
            with contextlib.suppress(ValueError):  # another version's: it can be deleted, not edited
                before = Envelope.decode(item)
                if before.notice is not None:
                    return Edit.REPLACED
                text = await make() if text is None else text
                if (before.text, before.command) == (text, command):
                    return Edit.REPLACED
                after = dataclasses.replace(before, text=text, command=command)
                done = await store.run(_EDIT, self._keys(conversation), *self._told(conversation), item,
                                       after.encode(), _RESTARTS)  # fmt: skip
                if not done:
                    continue  # it was answered, or edited by another gateway
                return Edit.REPLACED if done == 1 else Edit.LATE
            return Edit.LATE

    async def delete(self, conversation: str, events: Sequence[str]) -> int:
        """Drop those messages that wait; how many did. An answer being shown ends, if it is for nothing else."""
        if not events:
            return 0
        beginnings = [_beginning(event) for event in events]
        keys, told = self._keys(conversation), self._told(conversation)
        return int(await self._mailbox.store.run(_DELETE, keys, *told, *beginnings))

    def _keys(self, conversation: str) -> tuple[str, ...]:
        keys = self._mailbox.keys
        return *self._mailbox.turn_keys(conversation), keys.later, keys.stops

    @staticmethod
    def _told(conversation: str) -> tuple[str, str, int, int]:
        return GROUP, conversation, int(STOP_TTL * 1000), MOST_STOPS


def _beginning(event: str) -> bytes:
    """What a message in the mailbox begins with: envelopes are arrays, and the event comes first."""
    return f'["{event}",'.encode()
