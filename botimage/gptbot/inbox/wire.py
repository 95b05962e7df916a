"""One connection to one server of the store: requests go out packed together, replies come back in their order."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

from hiredis import Reader, pack_command
from redis.exceptions import ResponseError

from gptbot_api.store_faults import StoreFault, fault_of_failure, fault_of_reply
from gptbot_api.store_url import Address, StoreUrl

REPLY_TIMEOUT = 10.0
"""Seconds without a byte of a reply that is due, after which a connection counts as dead."""
_HANDSHAKE_TIMEOUT = 3.0


class StoreUnavailable(Exception):
    """The store did not do what it was asked to; whether it did part of it is unknown. The text says why."""


class Refused(StoreUnavailable):
    """An error reply that says that the store cannot work, not that the command is wrong."""

    def __init__(self, fault: StoreFault, text: str) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.code, _, self.detail = text.partition(" ")


def unavailable(error: BaseException) -> StoreUnavailable:
    """What a failed connection is called."""
    if isinstance(error, StoreUnavailable):
        return error
    fault = fault_of_failure(error)
    return StoreUnavailable(str(fault) if fault else f"the store failed: {type(error).__name__}")


def _error_reply(text: str) -> Exception:
    if fault := fault_of_reply(text):
        return Refused(fault, text)
    return ResponseError(text)


class Request:
    """A command that somebody waits for."""

    __slots__ = ("args", "future", "mended", "moves")

    def __init__(self, args: tuple[Any, ...], future: asyncio.Future[Any]) -> None:
        self.args = args
        self.future = future
        self.mended = False
        """Whether it was sent again after what could not be read was put aside."""
        self.moves = 0
        """How often it was sent again, to another server or with the functions there."""

    def fail(self, error: Exception) -> None:
        """Tell who waits."""
        if not self.future.done():
            self.future.set_exception(error)


class Wire(asyncio.Protocol):
    """Made by `open`. `on_refused` decides what becomes of a request that was not tried; `on_lost` is told once."""

    def __init__(
        self,
        on_refused: Callable[[Wire, Request, Refused | ResponseError], None] | None = None,
        on_lost: Callable[[Wire, StoreUnavailable], None] | None = None,
    ) -> None:
        self.on_refused = on_refused
        self.on_lost = on_lost
        self.address: Address | None = None
        self.lost = False
        self._reader = Reader(replyError=_error_reply)
        self._waiting: deque[Request] = deque()
        self._transport: asyncio.Transport | None = None
        self._since = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._reason: StoreUnavailable | None = None
        self._retired = False

    @classmethod
    async def open(
        cls, url: StoreUrl, address: Address | None, context: ssl.SSLContext | None, *, login: bool = True, **told: Any
    ) -> Wire:
        """Connect and greet; `address` is None for a socket, `login` False where another password holds.

        Raises StoreUnavailable. The caller sets a timeout.
        """
        loop = asyncio.get_running_loop()
        wire = cls(**told)
        wire.address = address
        try:
            if address is None:
                await loop.create_unix_connection(lambda: wire, url.path)
            else:
                await loop.create_connection(
                    lambda: wire,
                    *address,
                    ssl=context,
                    server_hostname=address[0] if context else None,
                    ssl_handshake_timeout=_HANDSHAKE_TIMEOUT if context else None,
                )
            if login:
                await wire.greet(url.username, url.password, url.database)
        except OSError as error:
            wire.abort()
            raise unavailable(error) from error
        except BaseException:
            wire.abort()
            raise
        return wire

    async def greet(self, username: str | None, password: str | None, database: int = 0) -> None:
        """Log in and choose the database. Raises StoreUnavailable."""
        greeting: list[tuple[Any, ...]] = [("CLIENT", "SETNAME", "gptbot")]
        if database:
            greeting.insert(0, ("SELECT", database))
        if password is not None:
            greeting.insert(0, ("AUTH", username, password) if username else ("AUTH", password))
        asked = [asyncio.create_task(self.ask(*args)) for args in greeting]
        for reply in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(reply, Refused) and reply.code == "NOPERM":
                continue  # a store may forbid names of clients
            if isinstance(reply, StoreUnavailable):
                raise reply
            if isinstance(reply, ResponseError):
                raise StoreUnavailable(f"the store refuses the greeting ({str(reply).partition(' ')[0]})")

    async def ask(self, *args: Any) -> Any:
        """Send one command and wait for its reply. Raises StoreUnavailable and ResponseError."""
        request = Request(args, asyncio.get_running_loop().create_future())
        self.send((request,))
        return await request.future

    @property
    def idle(self) -> bool:
        """Nothing is waited for."""
        return not self._waiting

    def send(self, requests: Sequence[Request], timeout: float | None = REPLY_TIMEOUT) -> None:
        """Send requests as one pipeline; their futures get the replies. `timeout` None: the caller sets one."""
        if self.lost or self._transport is None:
            for request in requests:
                request.fail(self._reason or unavailable(EOFError()))
            return
        if not self._waiting:
            self._since = asyncio.get_running_loop().time()
        self._waiting.extend(requests)
        self._transport.write(b"".join([pack_command(request.args) for request in requests]))
        if self._watch is None and timeout is not None:
            self._watch = asyncio.get_running_loop().call_later(timeout, self._look, timeout)

    def retire(self) -> None:
        """Close once all that was sent is answered."""
        self._retired = True
        if not self._waiting:
            self.abort()

    def abort(self, reason: StoreUnavailable | None = None) -> None:
        """Close at once: a late reply must not meet the next request."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()
        self._end(unavailable(EOFError()))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop: hand out the replies that are whole."""
        reader, waiting = self._reader, self._waiting
        self._since = asyncio.get_running_loop().time()
        try:
            reader.feed(data)
            while (reply := reader.gets()) is not False:
                request = waiting.popleft()
                if not isinstance(reply, Exception):
                    if not request.future.done():
                        request.future.set_result(reply)
                elif isinstance(reply, Refused | ResponseError) and self.on_refused is not None:
                    self.on_refused(self, request, reply)
                else:
                    request.fail(reply)
        except Exception as error:  # not the protocol of Redis, or a reply to nothing
            self.abort(StoreUnavailable(f"the store does not speak as Redis does ({type(error).__name__})"))
        if self._retired and not waiting:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._end(unavailable(exc or EOFError()))

    def _end(self, reason: StoreUnavailable) -> None:
        if self.lost:
            return
        self.lost = True
        self._reason = self._reason or reason
        if self._watch is not None:
            self._watch.cancel()
        while self._waiting:
            self._waiting.popleft().fail(self._reason)
        if self.on_lost is not None:
            self.on_lost(self, self._reason)

    def _look(self, timeout: float) -> None:
        """Is a reply overdue?"""
        self._watch = None
        if self._waiting:
            loop = asyncio.get_running_loop()
            left = self._since + timeout - loop.time()
            if left <= 0:
                self.abort(unavailable(TimeoutError()))
            else:
                self._watch = loop.call_later(left, self._look, timeout)
