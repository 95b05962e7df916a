"""Hands the streams' new entries to the open pages: one blocking read for all sessions that are open here."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.platforms.web.entries import Entry, decode, position, stream_key
from gptbot.platforms.web.live import LiveMessage

_BLOCK = 15.0
_GATHER = 0.02
"""Seconds between two reads: what comes in meanwhile is read at once."""
PAGES_PER_SESSION = 32


class Subscription:
    """New entries of one session for one page. A later state of a message replaces one that was not taken yet."""

    def __init__(self) -> None:
        self._pending: dict[str, Entry] = {}
        self._ready = asyncio.Event()
        self._closed = False

    def push(self, entry: Entry) -> None:
        """Add an entry, unless a later state is here: what is read anew may be answered after what was waited for."""
        name = entry.message or entry.kind
        known = self._pending.get(name)
        if known is not None and known.position >= entry.position:
            return
        self._pending.pop(name, None)
        self._pending[name] = entry
        self._ready.set()

    def close(self) -> None:
        """No more entries come."""
        self._closed = True
        self._ready.set()

    async def batches(self) -> AsyncIterator[list[Entry]]:
        """What came in since the last time, until `close`."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            batch = list(self._pending.values())
            self._pending.clear()
            if batch:
                yield batch
            if self._closed:
                return


@dataclass(slots=True)
class _Session:
    cursor: str
    pages: set[Subscription] = field(default_factory=set[Subscription])
    live: dict[str, LiveMessage] = field(default_factory=dict[str, LiveMessage])


class Hub:
    """All sessions of one bot that have a page open at this gateway."""

    def __init__(self, store: Store, keys: BotKeys) -> None:
        self._store = store
        self._keys = keys
        self._sessions: dict[str, _Session] = {}
        self._occupied = asyncio.Event()
        self._wake_key = keys.platform("web", f"wake:{secrets.token_hex(8)}")
        self._wake_cursor = "0-0"
        self._running = False

    @property
    def running(self) -> bool:
        """Whether entries are being read."""
        return self._running

    async def run(self) -> None:
        """Read until cancelled. Holds a connection only while a page is open. Closes all pages' events at the end."""
        self._running = True
        try:
            while True:
                await self._occupied.wait()
                try:
                    await self._read()
                except StoreUnavailable:
                    await self._store.wait_available()
                await asyncio.sleep(_GATHER)
        finally:
            self._running = False
            for session in self._sessions.values():
                for page in session.pages:
                    page.close()

    async def _read(self) -> None:
        cursors = {key: session.cursor for key, session in self._sessions.items()}
        reply = await self._store.block(
            "XREAD", "BLOCK", int(_BLOCK * 1000), "STREAMS", self._wake_key, *cursors, self._wake_cursor,
            *cursors.values(), timeout=_BLOCK + 5,
        )  # fmt: skip
        for raw_key, items in reply or ():  # nothing after a timeout
            key = raw_key.decode()
            if key == self._wake_key:
                self._wake_cursor = items[-1][0].decode()
            elif session := self._sessions.get(key):
                session.cursor = items[-1][0].decode()
                for entry in decode(items, self._keys.bot):
                    for page in session.pages:
                        page.push(entry)

    @asynccontextmanager
    async def subscribe(self, session: str, after: str) -> AsyncGenerator[Subscription]:
        """New entries of a session from now on, perhaps some that are not so new; `after` is the last one known.

        Raises StoreUnavailable.
        """
        key = stream_key(self._keys, session)
        with self._registered(key, after) as page:
            # A blocked XREAD does not know the new stream: an entry in the stream made for this ends it.
            await asyncio.gather(
                self._store.command("XADD", self._wake_key, "MAXLEN", "1", "*", "s", ""),
                self._store.command("EXPIRE", self._wake_key, 60),
            )
            yield page

    @contextmanager
    def _registered(self, key: str, after: str) -> Generator[Subscription]:
        session = self._sessions.setdefault(key, _Session(after))
        page = Subscription()
        session.pages.add(page)
        self._occupied.set()
        try:
            yield page
        finally:
            session.pages.discard(page)
            if not session.pages:
                self._sessions.pop(key, None)
            if not self._sessions:
                self._occupied.clear()

    def crowded(self, session: str) -> bool:
        """Whether a session has more pages open here than any person has."""
        found = self._sessions.get(stream_key(self._keys, session))
        return found is not None and len(found.pages) >= PAGES_PER_SESSION

    def live(self, session: str, entry: Entry) -> LiveMessage:
        """The message of an entry as it is shown while it is being written, rendered once for all its pages."""
        messages = self._sessions[stream_key(self._keys, session)].live
        message = messages.setdefault(entry.message, LiveMessage())
        message.update(entry.text)
        return message

    def finished(self, session: str, entry: Entry) -> None:
        """The message is complete: forget how it was written."""
        if found := self._sessions.get(stream_key(self._keys, session)):
            found.live.pop(entry.message, None)

    async def history(self, session: str, after: str = "") -> list[Entry]:
        """What is in a session's stream, after an id. Raises StoreUnavailable."""
        start = f"({after}" if after else "-"
        found = await self._store.command("XRANGE", stream_key(self._keys, session), start, "+")
        return decode(found, self._keys.bot)


def newer(entry: Entry, after: str) -> bool:
    """Whether an entry stands behind `after`."""
    return not after or entry.position > position(after)
