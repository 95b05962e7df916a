"""What waited longer than `privacy.retention` goes, workers or none: a mailbox has no time to live.

A key that expired by itself would leave its conversation in line. So a gateway looks through the line now and then, and
drops what is too old as if its author had deleted it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from gptbot.inbox.changes import Changes
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import StoreUnavailable
from gptbot.telemetry.logs import get_logger

log = get_logger("expiry")

_MOST_PAUSE = 600.0
_AT_ONCE = 200
"""Conversations that are looked at in one step, about."""


class Expiry:
    """Of one bot."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._changes = Changes(mailbox)

    async def run(self) -> None:
        """Sweep until cancelled: a message outlasts the retention by a tenth of it or ten minutes, at most."""
        while True:
            retention = self._mailbox.retention()
            with contextlib.suppress(StoreUnavailable):
                if gone := await self.sweep(time.time() - retention):
                    log.warning("messages waited too long and were dropped", messages=gone, bot=self._mailbox.keys.bot)
            await asyncio.sleep(min(_MOST_PAUSE, retention / 10))

    async def sweep(self, oldest: float) -> int:
        """Drop what was taken in, or given up, before a time (seconds since 1970); how many waited. May raise
        StoreUnavailable.
        """
        store, keys = self._mailbox.store, self._mailbox.keys
        await store.command("XTRIM", keys.dead, "MINID", int(oldest * 1000))
        gone, cursor = 0, b"0"
        while True:
            cursor, fields = await store.command("HSCAN", keys.line, cursor, "COUNT", _AT_ONCE)
            names = [name.decode() for name in fields[::2] if name[:1] not in (b"@", b"#")]
            gone += sum(await asyncio.gather(*(self._drop(name, oldest) for name in names)))
            if cursor == b"0":
                return gone

    async def _drop(self, conversation: str, oldest: float) -> int:
        waiting = await self._mailbox.waiting(conversation)
        return await self._changes.delete(conversation, [each.event for each in waiting if each.received < oldest])
