"""A live message: typing, the first text, edits as the text grows, the final text, in as many parts as it takes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from gptbot.delivery.pacing import Places
from gptbot.delivery.split import Splitter
from gptbot.inbox.claims import Unsure
from gptbot.platforms.base import Button, Deletes, Drafts, Finds, Sender
from gptbot.platforms.errors import FloodWait, MessageGone, NotSent, OutcomeUnknown, Rejected, SendError, TooLong
from gptbot.platforms.inbound import Address

_FIRST_TEXT_DELAY = 0.3
"""Seconds of text gathered before the first message, so that it says more than a word."""
_TYPING_INTERVAL = 4.5
"""Seconds between two signs of typing: platforms show one for 5 to 10 s."""
_DRAFT_RENEWAL = 0.7
"""A draft of a text that does not grow is shown again after this part of the time that it lasts."""
_EMPTY = "…"
"""What is left of a message that the text does not have any more and that cannot be deleted."""
_TRIES = 4
MAX_WAIT = 30.0
"""Seconds of flood waits, and for a place, that are sat out here; longer ones put the turn off."""


class Journal(Protocol):
    """Where the live message notes what it did, so that another worker can go on."""

    def check(self) -> None:
        """Raise unless the turn is still ours, as far as can be told without asking. Called right before an edit."""
        ...

    async def begin(self, trying: Unsure | None = None) -> None:
        """Raise unless the turn is still ours. Called right before a message is sent.

        `trying`: what is sent, where it can be looked for. It is `unsure` from then on, for whoever takes the turn over
        as well, until it is `sent`, or surely `not_sent`.
        """
        ...

    async def put_off(self) -> None:
        """What was begun waits for its place: nothing of it is sent, whatever becomes of this process meanwhile."""
        ...

    def not_sent(self) -> None:
        """What was begun has surely not arrived."""
        ...

    def unsure(self) -> Unsure | None:
        """What may have been sent, by an earlier try too."""
        ...

    def looked(self, unsure: Unsure) -> None:
        """It was looked for in vain as far as `unsure` says now."""
        ...

    async def last_sent(self) -> str:
        """Id of the last message that any turn of the conversation sent and noted; empty where none is known."""
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


class _NoPlace(Exception):
    """The pace has no place now."""

    def __init__(self, wait: float) -> None:
        super().__init__(wait)
        self.wait = wait
        """Seconds until there may be one."""


class LiveMessage:
    """The reply to one message. Run `show()` as a task while text is fed in, end it, then call `finish()`."""

    def __init__(
        self,
        sender: Sender,
        address: Address,
        nonce: str,
        journal: Journal,
        sent: dict[int, str],
        places: Places | None = None,
        buttons: Sequence[Button] = (),
    ) -> None:
        """`sent`: part to message id of what earlier tries sent. `places`: the pace, where the platform has one.

        `buttons`: those of the message while it is being written.
        """
        self._buttons = tuple(buttons)
        self._places = places
        self._sender = sender
        self._address = address
        self._nonce = nonce
        self._journal = journal
        self._ids = dict(sent)
        """Part to message id, of earlier tries too."""
        self._shown: dict[int, tuple[str, tuple[Button, ...]]] = {}
        """Part to the text and the buttons that the platform has."""
        self._ended: set[int] = set()
        """Those of them after which no edit was to follow."""
        self._text: list[str] = []
        self._hint = ""
        """What is shown while there is no text."""
        self.touched = False
        """Whether it was tried to show anything."""
        self._grown = asyncio.Event()
        self._next_edit = 0.0
        """When the pace allows an interim edit. Platforms let a short burst pass: the final text need not wait."""
        self._most: int | None = None
        """The longest part, once the platform refused a longer one."""
        self._splitter: Splitter | None = None
        self._fades: float | None = None
        """Seconds after which what is shown as a draft is shown again."""
        self._not_before = 0.0
        """When anything may be sent again, after the platform refused."""
        self._give_up: float | None = None
        """Until when places are waited for: set while the text has to get there."""

    def feed(self, text: str) -> None:
        """Add text to the reply."""
        self._text.append(text)
        self._grown.set()

    def keep(self, text: str) -> None:
        """Add text to the reply that nobody may see yet: typing is shown on."""
        self._text.append(text)

    def replace(self, text: str) -> None:
        """Show another text in place of what was fed."""
        self._text[:] = [text]
        self._grown.set()

    def hint(self, text: str) -> None:
        """Show a text that is no part of the reply, until there is some of that."""
        self._hint = text
        self._grown.set()

    @property
    def text(self) -> str:
        """The text fed so far."""
        if len(self._text) > 1:
            self._text[:] = ["".join(self._text)]
        return self._text[0] if self._text else ""

    async def show(self) -> None:
        """Show the growing text until cancelled. Failures are left to `finish`; raises only what the journal raises."""
        await self._type_until_text()
        if not self._ids:
            await asyncio.sleep(_FIRST_TEXT_DELAY)
        while True:
            await self._growth()
            await asyncio.sleep(max(0.0, self._next_edit - time.monotonic(), self._not_before - time.monotonic()))
            self._grown.clear()
            try:
                # A send under way is not cut short: its message id would be lost.
                await _uncut(self._show_all(self.text or self._hint, self._buttons, final=False))
            except _NoPlace as full:
                self._next_edit = time.monotonic() + full.wait
                self._grown.set()
            except FloodWait as wait:
                await self._refused(wait)
            except (NotSent, OutcomeUnknown):
                self._not_before = time.monotonic() + 2 * self._sender.edit_interval

    @asynccontextmanager
    async def typing(self) -> AsyncGenerator[None]:
        """Show that an answer is being made, before there is anything to show."""
        task = asyncio.create_task(self._type_until_text())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def finish(self, text: str, buttons: Sequence[Button] = (), *, final: bool = True) -> None:
        """Show the final text and its buttons, or with `final=False` a text that will be replaced by a later try.

        Raises Postponed, Rejected, or what the journal raises.
        """
        below = tuple(buttons) if final else self._buttons
        failures, give_up = 0, time.monotonic() + MAX_WAIT
        self._give_up = give_up
        while True:
            if self._not_before > give_up:
                raise Postponed(self._not_before - time.monotonic(), "the platform asked to wait")
            await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))
            try:
                return await self._show_all(text, below, final=final)
            except _NoPlace as full:
                raise Postponed(full.wait, "the platform's limits leave no place") from None
            except FloodWait as flood:
                await self._refused(flood)
            except (NotSent, OutcomeUnknown) as error:
                failures += 1
                if failures == _TRIES:
                    raise Postponed(10.0, str(error)) from error
                self._not_before = time.monotonic() + 0.25 * 2**failures

    async def _show_all(self, text: str, buttons: tuple[Button, ...], *, final: bool) -> None:
        while True:
            most = min(self._sender.max_length, self._most or self._sender.max_length)
            try:
                return await self._show_parts(await self._parts(text, most), buttons, final=final)
            except TooLong as error:
                if error.max_length >= most:  # smaller parts would be refused as well
                    raise
                self._most = error.max_length

    async def _parts(self, text: str, most: int) -> list[str]:
        if self._splitter is None or self._splitter.limit != most:
            self._splitter = Splitter(most, self._sender.length)
        return await self._splitter.split(text)

    async def _show_parts(self, parts: list[str], buttons: tuple[Button, ...], *, final: bool) -> None:
        shown = [(number, part) for number, part in enumerate(parts) if part.strip()]
        for number, part in shown:
            last = number == shown[-1][0]
            state = (part, buttons if last else ())
            if self._shown.get(number) == state and (number in self._ended or not (final and last)):
                continue
            self._ended.discard(number)
            if await self._show_part(number, *state, final=final or not last):
                self._shown[number] = state
                if final:
                    self._ended.add(number)
            self._next_edit = time.monotonic() + self._sender.edit_interval
        if shown:
            await self._take_away({number for number, _ in shown})

    async def _take_away(self, kept: set[int]) -> None:
        """Delete the messages of parts that the text does not have: an earlier try had said more. The last goes first.

        What cannot be deleted is emptied.
        """
        if (unsure := self._journal.unsure()) and unsure.part not in kept:
            await self._found(unsure.part)
        for number in sorted(self._ids.keys() - kept, reverse=True):
            if self._shown.get(number) == (_EMPTY, ()):
                continue
            if await self._delete(self._ids[number]):
                del self._ids[number]
                self._shown.pop(number, None)
                self._nonce += "r"  # the old nonce would bring the deleted message back
                continue
            await self._place()
            with contextlib.suppress(MessageGone, Rejected):
                await self._sender.edit(self._address, self._ids[number], _EMPTY, final=True)
            self._shown[number] = (_EMPTY, ())

    async def _delete(self, message_id: str) -> bool:
        """Delete a message, if the platform can."""
        if not isinstance(self._sender, Deletes):
            return False
        await self._place(message=False)
        try:
            await self._sender.delete(self._address, message_id)
        except Rejected:
            return False
        return True

    async def _show_part(self, number: int, text: str, buttons: Sequence[Button], *, final: bool) -> bool:
        """Show a part; False: as a draft, which is to be sent yet."""
        known = self._ids.get(number) or await self._found(number)
        self.touched = True
        if known is not None:
            await self._place()
            try:
                await self._sender.edit(self._address, known, text, final=final, buttons=buttons)
            except MessageGone:
                self._nonce += "r"  # the old nonce would bring the deleted message back
            else:
                return True
        drafted = None if final or known is not None else await self._draft(number, text, buttons)
        if drafted:
            return False
        if drafted is None:
            await self._place(begin=number)
        else:  # what is not shown as a draft after all has its place
            await self._journal.begin(self._trying(number))
            self._journal.check()
        try:
            message_id = await self._sender.send(
                self._address, text, nonce=f"{self._nonce}{number}", first=number == 0, final=final, buttons=buttons
            )
        except OutcomeUnknown:
            raise
        except SendError:
            self._journal.not_sent()
            raise
        self._ids[number] = message_id
        await self._journal.sent(number, message_id)
        return True

    async def _found(self, number: int) -> str | None:
        """The message of a part that was sent, and nobody heard of, where the platform can tell without any effect.

        Each look takes a place, as an edit does. What is found is ours to edit from then on.
        """
        sender, journal = self._sender, self._journal
        if not isinstance(sender, Finds) or (unsure := journal.unsure()) is None or unsure.part != number:
            return None
        for message_id in sender.candidates(self._address, unsure.mark, await journal.last_sent()):
            await self._place()
            ours = await sender.is_ours(self._address, message_id)
            if ours is None:  # it tells nothing
                break
            if ours:
                await journal.sent(number, message_id)
                self._ids[number] = message_id
                return message_id
            journal.looked(Unsure(number, sender.looked(unsure.mark, message_id)))
        journal.not_sent()
        return None

    async def _draft(self, number: int, text: str, buttons: Sequence[Button]) -> bool | None:
        """Show a text that still grows as a draft, where there is such and nothing was sent of this part.

        None: there is no such. False: it cannot be, and the place that it took is left.
        """
        if self._give_up is not None or not isinstance(self._sender, Drafts):
            return None
        await self._place()
        drafted = await self._sender.draft(self._address, text, nonce=f"{self._nonce}{number}", buttons=buttons)
        self._fades = self._sender.draft_lasts * _DRAFT_RENEWAL if drafted else None
        return drafted

    async def _growth(self) -> None:
        """Wait until the text grew, or a draft would fade away."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._fades):
                await self._grown.wait()

    def _trying(self, number: int) -> Unsure | None:
        """A part that is about to be sent, where it can be looked for: as of now, for the ids behind those of now."""
        mark = self._sender.mark(self._address) if isinstance(self._sender, Finds) else None
        return None if mark is None else Unsure(number, mark)

    async def _place(self, *, begin: int | None = None, message: bool = True) -> None:
        """Have a place, and the turn, right before a request: in one round trip, as a rule. Raises _NoPlace.

        `begin`: the part to be sent; the store is asked about the turn, without it only our own notes. `message`:
        whether it is a request that limits of messages are about.
        """
        while True:
            trying = None
            if begin is not None:
                trying = self._trying(begin)
                wait, _ = await asyncio.gather(self._wait_for_place(), self._journal.begin(trying))
            else:
                wait = await (self._wait_for_place() if message else self._wait_for_small_place())
            if wait <= 0:
                break
            if trying is not None:
                await self._journal.put_off()
            if self._give_up is None or time.monotonic() + wait > self._give_up:
                raise _NoPlace(wait)
            await asyncio.sleep(wait)
        self._journal.check()

    async def _wait_for_place(self) -> float:
        if self._places is None:
            return 0.0
        if self._give_up is None:
            return await self._places.take_interim()
        return await self._places.take(max(0.0, self._give_up - time.monotonic()))

    async def _wait_for_small_place(self) -> float:
        """Seconds until there is a place for what is no message, such as a deletion."""
        return 0.0 if self._places is None else await self._places.take_interim(typing=True)

    async def _refused(self, flood: FloodWait) -> None:
        self._not_before = time.monotonic() + flood.retry_after
        if self._places is not None:
            await self._places.refused(flood)

    async def _type_until_text(self) -> None:
        while not self._grown.is_set():
            if self._places is None or not await self._places.take_interim(typing=True):
                try:
                    await self._sender.typing(self._address)
                except FloodWait as flood:  # in force for the answer as well
                    await self._refused(flood)
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
