"""A live message: typing, the first text, edits as the text grows, the final text, in as many parts as it takes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from typing import Protocol

from gptbot.delivery.split import split
from gptbot.platforms.base import Address, FloodWait, MessageGone, NotSent, OutcomeUnknown, Sender

_FIRST_TEXT_DELAY = 0.3
"""Seconds of text gathered before the first message, so that it says more than a word."""
_TYPING_INTERVAL = 4.5
"""Seconds between two signs of typing: platforms show one for 5 to 10 s."""
_TRIES = 4
MAX_WAIT = 30.0
"""Seconds of flood waits that are sat out here, all in all; a longer one puts the turn off."""


class Journal(Protocol):
    """Where the live message notes what it did, so that another worker can go on."""

    def check(self) -> None:
        """Raise unless the turn is still ours, as far as can be told without asking. Called right before an edit."""
        ...

    async def begin(self) -> None:
        """Raise unless the turn is still ours. Called right before a message is sent."""
        ...

    async def sent(self, part: int, message_id: str) -> None:
        """Note the id of a message sent. Raises unless the turn is still ours."""
        ...


class Postponed(Exception):
    """The platform cannot take the final text now."""

    def __init__(self, delay: float, reason: str) -> None:
        super().__init__(reason)
        self.delay = delay
        """Seconds to wait before the next try."""


class LiveMessage:
    """The reply to one message. Run `show()` as a task while text is fed in, end it, then call `finish()`."""

    def __init__(self, sender: Sender, address: Address, nonce: str, journal: Journal, sent: dict[int, str]) -> None:
        self._sender = sender
        self._address = address
        self._nonce = nonce
        self._journal = journal
        self._ids = dict(sent)
        """Part to message id, of earlier tries too."""
        self._shown: dict[int, str] = {}
        """Part to the text that the platform has."""
        self._text: list[str] = []
        self._grown = asyncio.Event()
        self._next_edit = 0.0
        """When the pace allows an interim edit. Platforms let a short burst pass: the final text need not wait."""
        self._not_before = 0.0
        """When anything may be sent again, after the platform refused."""

    def feed(self, text: str) -> None:
        """Add text to the reply."""
        self._text.append(text)
        self._grown.set()

    @property
    def text(self) -> str:
        """The text fed so far."""
        return "".join(self._text)

    async def show(self) -> None:
        """Show the growing text until cancelled. Failures are left to `finish`; raises only what the journal raises."""
        await self._type_until_text()
        if not self._ids:
            await asyncio.sleep(_FIRST_TEXT_DELAY)
        while True:
            await self._grown.wait()
            await asyncio.sleep(max(0.0, self._next_edit - time.monotonic(), self._not_before - time.monotonic()))
            self._grown.clear()
            try:
                # A send under way is not cut short: its message id would be lost.
                await _uncut(self._show_parts(self._split(self.text), final=False))
            except FloodWait as wait:
                self._not_before = time.monotonic() + wait.retry_after
            except (NotSent, OutcomeUnknown):
                self._not_before = time.monotonic() + 2 * self._sender.edit_interval

    async def finish(self, text: str, *, final: bool = True) -> None:
        """Show the final text, or with `final=False` one that will be replaced by a later try.

        Raises Postponed, Rejected, or what the journal raises.
        """
        failures, give_up = 0, time.monotonic() + MAX_WAIT
        while True:
            if self._not_before > give_up:
                raise Postponed(self._not_before - time.monotonic(), "the platform asked to wait")
            await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))
            try:
                return await self._show_parts(self._split(text), final=final)
            except FloodWait as flood:
                self._not_before = time.monotonic() + flood.retry_after
            except (NotSent, OutcomeUnknown) as error:
                failures += 1
                if failures == _TRIES:
                    raise Postponed(10.0, str(error)) from error
                self._not_before = time.monotonic() + 0.25 * 2**failures

    def _split(self, text: str) -> list[str]:
        return split(text, self._sender.max_length, self._sender.length)

    async def _show_parts(self, parts: list[str], *, final: bool) -> None:
        for number, part in enumerate(parts):
            if not part.strip():
                continue
            last = number == len(parts) - 1
            if self._shown.get(number) == part and not (final and last):
                continue
            await self._show_part(number, part, final=final or not last)
            self._shown[number] = part
            self._next_edit = time.monotonic() + self._sender.edit_interval

    async def _show_part(self, number: int, text: str, *, final: bool) -> None:
        known = self._ids.get(number)
        if known is not None:
            self._journal.check()
            try:
                return await self._sender.edit(self._address, known, text, final=final)
            except MessageGone:
                self._nonce += "r"  # the old nonce would bring the deleted message back
        await self._journal.begin()
        message_id = await self._sender.send(
            self._address, text, nonce=f"{self._nonce}{number}", first=number == 0, final=final
        )
        self._ids[number] = message_id
        await self._journal.sent(number, message_id)
        return None

    async def _type_until_text(self) -> None:
        while not self._grown.is_set():
            await self._sender.typing(self._address)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TYPING_INTERVAL):
                    await self._grown.wait()


async def _uncut(work: Coroutine[object, object, None]) -> None:
    """Run to the end even when cancelled meanwhile; the cancellation is raised afterwards."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):
            await task
        raise
