"""How many connections there may be, how slow, and how large a request's head: uvicorn has few bounds of its own."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import resource
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from gptbot.telemetry.logs import get_logger

# Its warnings are about requests that strangers make up; errors of ours stay.
logging.getLogger("uvicorn.error").setLevel(logging.ERROR)

MOST_HEAD = 16 * 1024
"""Bytes of a request's head, and of each line of a chunked body."""
_PIECE = 4096
"""Bytes that are parsed at once, so that no head is seen whole that is too large."""
_LONGEST = 0.01
"""Seconds of parsing before others get their turn: chunks of one byte are 40,000 in what is read at once."""
_MOST_UNSENT = 64 * 1024

_SILENCE = 60.0
"""Seconds between two warnings that there are too many connections."""
_CROWDED = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 20\r\n"
    b"Content-Type: text/plain\r\n\r\nToo many connections"
)
_LATE = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 19\r\nContent-Type: text/plain\r\n\r\n"
    b"The request is late"
)
log = get_logger("http")

Awaited = Literal["head", "body", "rest"]
"""What the peer has to send: a request's head, its body, or what is left of a body that is answered already."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the connections of one server may take. Times are in seconds."""

    connections: int = 2048
    """Of all addresses; fewer where the process may not open as many files."""
    connections_per_address: int | None = 256
    """As of an IPv4 address, or of an IPv6 network of 64 bits. None: no limit; behind a proxy all have its address."""
    head: float = 10.0
    """For the head of a request, from the connection on, or from the end of the answer before; also for the rest of a
    body that was answered before its end."""
    body_window: float = 10.0
    body_bytes: int = 10_000
    """What each window of a body brings at least, unless it ends in it."""
    idle: int = 5
    """For the next request."""
    unread: float = 30.0
    """For a peer to read something of an answer of which 64 KiB wait for it, or the end of the last."""


class Connections(ServerState):
    """Those that are open, counted by address."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.limits = limits
        self.most = limits.connections
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if files != resource.RLIM_INFINITY:  # some are left to the store, the platforms and the model
            self.most = max(1, min(self.most, files * 3 // 4))
        each = limits.connections_per_address
        self.most_of_one = self.most if each is None else min(each, max(1, self.most // 2))
        self._by_address: Counter[str] = Counter()
        self._silent_until = 0.0

    def enter(self, address: str) -> bool:
        """Count one more of an address, if there may be one."""
        if self._by_address.total() >= self.most or self._by_address[address] >= self.most_of_one:
            self._tell()
            return False
        self._by_address[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Count one less."""
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def _tell(self) -> None:
        if time.monotonic() >= self._silent_until:
            self._silent_until = time.monotonic() + _SILENCE
            log.warning(
                "too many connections: more are refused until some end",
                open=self._by_address.total(), most=self.most, most_of_an_address=self.most_of_one,
            )  # fmt: skip


class BoundedProtocol(H11Protocol):
    """A connection: uvicorn's, with deadlines for what the peer has to do next.

    What is sent before the answer to the last request is complete, beyond some bytes, is dropped, and the connection
    ends with that answer: so no more than one head is in memory, and none that is too large.
    """

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None
    ) -> None:  # fmt: skip
        super().__init__(config, server_state, app_state, _loop)
        assert isinstance(server_state, Connections)
        self._open = server_state
        self._limits = server_state.limits
        self._address: str | None = None
        self._awaited: Awaited | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._unsent = 0
        self._rest = b""
        """What was read and is not parsed."""
        self._going_on: asyncio.Handle | None = None
        self._brought = 0
        self._lost = False
        self._held_up = False
        """Whether we did not read at the beginning of this window of a body."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it where there are too many."""
        transport.set_write_buffer_limits(high=_MOST_UNSENT)
        bounded = cast(asyncio.Transport, _EndsUnread(transport, self._wait_until_read))
        peer = transport.get_extra_info("peername")
        address = network(peer[0]) if isinstance(peer, tuple) else ""
        if not self._open.enter(address):
            self.transport = bounded
            bounded.write(_CROWDED)
            bounded.close()
            return
        self._address = address
        super().connection_made(bounded)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._address is not None:
            self._open.leave(self._address)
            self._address = None
        self._lost = True
        for timer in (self._deadline, self._unread, self._going_on):
            if timer is not None:
                timer.cancel()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, in pieces: a head that is too large is not taken because it came at once."""
        if self._address is None:
            return
        self._brought += len(data)
        self._rest += data
        if self._going_on is None:
            self._parse()

    def _parse(self) -> None:
        self._going_on = None
        started = time.monotonic()
        while self._rest and not self.transport.is_closing():
            if self._answering() and self.conn.their_state in (h11.DONE, h11.MUST_CLOSE):
                self.cycle.keep_alive, self._rest = False, b""
                break
            piece, self._rest = self._rest[:_PIECE], self._rest[_PIECE:]
            super().data_received(piece)
            if time.monotonic() - started > _LONGEST and not self.transport.is_closing():
                self.transport.pause_reading()
                self._going_on = self.loop.call_soon(self._parse)
                return
        if not self.transport.is_closing() and not self.flow.read_paused:
            self.transport.resume_reading()
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Wait until the peer has read, for so long."""
        super().pause_writing()
        self._wait_until_read()

    def resume_writing(self) -> None:
        """The peer has read."""
        if self._unread is not None and not self.transport.is_closing():
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def _wait_until_read(self) -> None:
        if self._unread is None and not self._lost:
            self._unsent = self.transport.get_write_buffer_size()
            self._unread = self.loop.call_later(self._limits.unread, self._still_unread)

    def _still_unread(self) -> None:
        self._unread = None
        if self.transport.get_write_buffer_size() < self._unsent:
            self._wait_until_read()
        else:
            self.transport.abort()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    def _watch(self) -> None:
        """Set the deadline for what is awaited of the peer; it runs on while that is the same."""
        awaited = None if self.transport.is_closing() else self._awaits()
        if awaited == self._awaited:
            return
        self._awaited = awaited
        self._arm()

    def _awaits(self) -> Awaited | None:
        if self.conn.their_state is h11.IDLE:
            return "head"
        if self.conn.their_state is h11.SEND_BODY:
            return "body" if self._answering() else "rest"
        return None

    def _arm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._awaited is not None:
            seconds = self._limits.body_window if self._awaited == "body" else self._limits.head
            self._brought, self._held_up = 0, self.flow.read_paused
            self._deadline = self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        held_up = self._held_up or self.flow.read_paused
        if self._awaited == "body" and (held_up or self._brought >= self._limits.body_bytes):
            self._arm()
            return
        if self._awaited == "rest" or (self._answering() and self.cycle.response_started):
            self.transport.abort()
            return
        self.transport.write(_LATE)
        self.transport.close()
        if self._answering():
            self.cycle.disconnected = True
            self.cycle.message_event.set()


class _EndsUnread:
    """A transport that, once it is closed, does not wait for ever until the peer has read what is left."""

    def __init__(self, transport: asyncio.Transport, closing: Callable[[], None]) -> None:
        self._transport = transport
        self._closing = closing

    def close(self) -> None:
        self._transport.close()
        self._closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def network(host: str) -> str:
    """Whose connections are counted together: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, 64), strict=False))
        address = address.ipv4_mapped
    return str(address)
