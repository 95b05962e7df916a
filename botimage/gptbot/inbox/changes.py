"""Messages that were edited or deleted before their answer: the mailbox is put right.

A worker that is at such an answer loses the turn, as it would to another worker, and hears of it as of a stop.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum, auto

from gptbot.inbox.asked import amended
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.mailbox import GROUP, MOST_STOPS, STOP_TTL, Mailbox
from gptbot_api.store_functions import function

_EDIT, _DELETE, _AMEND = function("edit"), function("delete"), function("amend")
_TRIES = 5
"""Looks at a context that changes under an edit; each change is a turn, a fold or another edit of the conversation."""
_RESTARTS = 3
"""How often one answer is begun anew for edits: each time costs a request to the model."""


class Edit(Enum):
    """What became of an edit."""

    REPLACED = auto()
    """The answer will be to the new text."""
    LATE = auto()
    """The answer was there before, or is being shown: what is remembered are the new words."""
    UNKNOWN = auto()
    """The event was never enqueued, or so long ago that it is forgotten."""


class Changes:
    """Edits and deletes in one bot's mailboxes. All methods raise StoreUnavailable."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def edit(
        self, conversation: str, event: str, make: Callable[[], Awaitable[str]], command: str | None
    ) -> Edit:
        """Give a message a new text, in the mailbox or the context; all else of it stays.

        A notice stays what it is, and what is or becomes a command changes nothing once its answer is shown.
        `make` makes the text, which may be much work: it is asked for it only if there is something to change.
        """
        store, keys = self._mailbox.store, self._mailbox.keys
        text: str | None = None
        while True:
            for item in await store.command("LRANGE", keys.mail(conversation), 0, -1):
                if item.startswith(_beginning(event)):
                    break
            else:
                if not await store.command("EXISTS", keys.seen(event)):
                    return Edit.UNKNOWN
                if command is None:
                    await self._amend(conversation, event, make)
                return Edit.LATE
            with contextlib.suppress(ValueError):  # another version's: it can be deleted, not edited
                before = Envelope.decode(item)
                if before.notice is not None:
                    return Edit.REPLACED
                text = await make() if text is None else text
                if (before.text, before.command) == (text, command):
                    return Edit.REPLACED
                after = dataclasses.replace(before, text=text, command=command)
                done = await store.run(_EDIT, self._keys(conversation), *self._told(conversation), item,
                                       after.encode(), _RESTARTS, int(before.plain and after.plain))  # fmt: skip
                if not done:
                    continue  # it was answered, or edited by another gateway
                return Edit.REPLACED if done == 1 else Edit.LATE
            return Edit.LATE

    async def _amend(self, conversation: str, event: str, make: Callable[[], Awaitable[str]]) -> None:
        """Put new words in the place of the old ones in the context, unless they are folded or forgotten."""
        store, keys, marked = self._mailbox.store, self._mailbox.keys, f'"{event}"'.encode()
        places = (keys.context(conversation), keys.owner, keys.turn(conversation))
        text: str | None = None
        for _ in range(_TRIES):
            found = [item for item in await store.command("LRANGE", places[0], 0, -1) if marked in item]
            if not found:
                return
            text = await make() if text is None else text
            after = amended(found[-1], {event: text})
            if after == found[-1] or await store.run(_AMEND, places, conversation, found[-1], after):
                return

    async def delete(self, conversation: str, events: Sequence[str]) -> int:
        """Drop those messages that wait; how many did. An answer being shown ends, if it is for nothing else."""
        if not events:
            return 0
        beginnings = [_beginning(event) for event in events]
        keys, told = self._keys(conversation), self._told(conversation)
        return int(await self._mailbox.store.run(_DELETE, keys, *told, *beginnings))

    def _keys(self, conversation: str) -> tuple[str, ...]:
        keys = self._mailbox.keys
        return *self._mailbox.turn_keys(conversation), keys.later, keys.stops, keys.aside(conversation)

    @staticmethod
    def _told(conversation: str) -> tuple[str, str, int, int]:
        return GROUP, conversation, int(STOP_TTL * 1000), MOST_STOPS


def _beginning(event: str) -> bytes:
    """What a message in the mailbox begins with: envelopes are arrays, and the event comes first."""
    return f'["{event}",'.encode()
