"""What waited longer than `privacy.retention` goes, workers or none: a mailbox has no time to live.

A key that expired by itself would leave its conversation in line. So a gateway looks through the line now and then, and
drops what is too old as if its author had deleted it: silently, for then there is nobody who could tell them. A worker
that comes upon it first does tell them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Final

from gptbot.inbox.changes import Changes
from gptbot.inbox.claims import Claim
from gptbot.inbox.envelope import FORGET, Envelope
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import StoreUnavailable
from gptbot.telemetry.logs import get_logger

log = get_logger("expiry")

TOO_OLD: Final = "message-too-old"
"""Name of the text that people are told where a worker comes too late."""
_MOST_PAUSE = 600.0
_FIRST_PAUSE = 60.0
"""Workers that come back together with this gateway get so long to tell people themselves that it is too late."""
_AT_ONCE = 200
"""Conversations that are looked at in one step, about."""


class Expiry:
    """Of one bot."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._changes = Changes(mailbox)

    async def run(self) -> None:
        """Sweep until cancelled: a message outlasts the retention by a tenth of it or ten minutes, at most."""
        bot, pause = self._mailbox.keys.bot, _FIRST_PAUSE
        while True:
            await asyncio.sleep(min(pause, self._mailbox.retention() / 10))
            pause = _MOST_PAUSE
            try:
                if gone := await self.sweep(time.time() - self._mailbox.retention()):
                    log.warning("messages waited too long and were dropped", messages=gone, bot=bot)
            except StoreUnavailable:
                await self._mailbox.store.wait_available()
                pause = _FIRST_PAUSE
            except Exception as error:
                log.exception("messages that waited too long cannot be dropped; tried again", exc_info=error, bot=bot)

    async def sweep(self, oldest: float) -> int:
        """Drop what was taken in, or given up, before a time (seconds since 1970); how many waited.

        Raises StoreUnavailable. What goes wrong in one conversation is raised once all others are done.
        """
        store, keys = self._mailbox.store, self._mailbox.keys
        await store.command("XTRIM", keys.dead, "MINID", int(oldest * 1000))
        gone, cursor, trouble = 0, b"0", list[BaseException]()
        while True:
            cursor, fields = await store.command("HSCAN", keys.line, cursor, "COUNT", _AT_ONCE)
            names = [name.decode() for name in fields[::2] if name[:1] not in (b"@", b"#")]
            drops = (self._drop(name, oldest) for name in names)
            for dropped in await asyncio.gather(*drops, return_exceptions=True):
                if isinstance(dropped, BaseException):
                    trouble.append(dropped)
                else:
                    gone += dropped
            if cursor == b"0" or any(isinstance(error, StoreUnavailable) for error in trouble):
                break
        if trouble:
            raise next((error for error in trouble if isinstance(error, StoreUnavailable)), trouble[0])
        return gone

    async def _drop(self, conversation: str, oldest: float) -> int:
        store, keys = self._mailbox.store, self._mailbox.keys
        lists = [keys.mail(conversation), keys.aside(conversation)]
        found = await asyncio.gather(*(store.command("LRANGE", each, 0, -1) for each in lists))
        late = [each.event for items in found for each in _read(items) if each.received < oldest]
        return await self._changes.delete(conversation, late)


def notify_late(claim: Claim, oldest: float) -> bool:
    """Whether a claimed turn is for what was taken in before a time: then it is only to say that it was too late.

    An answer that is finished still goes out, and so does the word that somebody was forgotten: they were, at once.
    """
    late = list(takewhile(lambda message: message.received < oldest, claim.messages))
    if not late or claim.reply is not None or late[0].command == FORGET:
        return False
    claim.messages = [
        replace(message, text="", quote="", attachments=(), command=None, notice=TOO_OLD) for message in late
    ]
    return True


def _read(mail: list[bytes]) -> Iterator[Envelope]:
    """The messages that can be read. Others, of another version, are given up by the next worker that meets one."""
    for item in mail:
        with contextlib.suppress(ValueError):
            yield Envelope.decode(item)
