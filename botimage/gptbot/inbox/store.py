"""One connection to Redis or Valkey that all of a process shares: commands of one loop tick go out as one pipeline."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from redis.exceptions import ResponseError

from gptbot.inbox.gathering import Gathering
from gptbot.inbox.mending import is_unreadable, keys_of, mend
from gptbot.inbox.nodes import Nodes
from gptbot.inbox.wire import Refused, Request, StoreUnavailable, Wire, unavailable
from gptbot_api.store_faults import NO_FUNCTIONS
from gptbot_api.store_functions import function, library
from gptbot_api.store_rights import key_prefix
from gptbot_api.store_url import StoreUrl

__all__ = ["Store", "StoreUnavailable"]

_BATCH = 512
_AFTER_REFUSAL = 0.3
_BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0)
_MOVES = 5
_WRONG_SERVER = frozenset({"READONLY", "MASTERDOWN", "CLUSTERDOWN", "UNBLOCKED"})
"""Refusals after which another server may be the right one, also behind the same name."""


_MEND, _RESTORE, _PROBE = function("mend"), function("restore"), function("probe")
_LINE_GROUP = "workers"
_MOST_SLICES = 20_000
"""Of a line that is put right: of some ten million conversations."""


class Store:
    """A shared connection. Make one with `connect`, use it as an async context manager or call `close`."""

    def __init__(self, nodes: Nodes, tag: str) -> None:
        self._nodes = nodes
        self._probe = f"{key_prefix(tag)}probe"
        self._queue: deque[Request] = deque()
        self._wire: Wire | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._flushing: asyncio.Handle | None = None
        self._gathering = Gathering()
        self._free: list[Wire] = []
        """Connections for blocking commands that do none now."""
        self._reason: str | None = None
        self._closed = False
        self._mending = set[asyncio.Task[None]]()
        self._loading: tuple[Wire, asyncio.Future[Any]] | None = None
        """The server that is being given the functions."""
        self.round_trips = 0
        """Pipelines sent so far, for benchmarks."""

    @classmethod
    def connect(cls, url: str, bot: str = "gptbot") -> Store:
        """A store at a URL; nothing is sent before the first command. `bot`: hash tag of the keys, for a cluster.

        Raises ValueError when the URL is none.
        """
        return cls(Nodes(StoreUrl.parse(url), bot), bot)

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def trouble(self) -> str | None:
        """Why the store was last of no use, or None when it is."""
        return self._reason

    def command(self, *args: Any) -> asyncio.Future[Any]:
        """Run one command; its reply is as RESP gives it. Raises StoreUnavailable or redis' ResponseError."""
        return self._put(args)

    def run(self, name: str, keys: Sequence[str], *args: Any) -> asyncio.Future[Any]:
        """Run a function of the store, by its name there. All keys must be of one bot. Raises as `command` does."""
        return self._put(("FCALL", name, len(keys), *keys, *args))

    async def block(self, *args: Any, timeout: float) -> Any:
        """Run a blocking command on a connection of its own; `timeout` (seconds) must exceed the command's own."""
        mended = False
        for _ in range(_MOVES):
            wire: Wire | None = None
            try:
                async with asyncio.timeout(timeout):
                    wire = self._borrow() or await self._nodes.connect()
                    request = Request(args, asyncio.get_running_loop().create_future())
                    wire.send((request,), None)
                    reply = await request.future
            except BaseException as error:
                if isinstance(error, ResponseError) and wire is not None:
                    self._free.append(wire)
                    if not mended and is_unreadable(error) and (keys := keys_of(args)):
                        mended = True
                        await self._put_aside(keys)
                        continue
                    raise
                if wire is not None:
                    wire.abort()  # a late reply must not meet the next command
                if not isinstance(error, StoreUnavailable | TimeoutError):
                    raise
                if isinstance(error, Refused) and wire is not None and self._redirected(error, wire):
                    continue
                raise self._note(unavailable(error)) from error
            self._give_back(wire)
            return reply
        raise self._note(StoreUnavailable("the store keeps moving the bot's slot"))

    async def check(self) -> bool:
        """Whether the store takes writes and has the functions: has it change a key that is never there.

        A full, read-only or broken store refuses that, where it would answer PING.
        """
        try:
            await self.run(_PROBE, (self._probe,))
        except (StoreUnavailable, ResponseError):
            return False
        self._reason = None
        return True

    async def wait_available(self) -> None:
        """Return once the store takes writes; if it has just refused something, after a moment (nobody spins)."""
        if self._reason:
            await asyncio.sleep(_AFTER_REFUSAL)
        for delay in _delays():
            if await self.check():
                return
            await asyncio.sleep(delay)

    async def close(self) -> None:
        """Close the connections; what is still waiting gets StoreUnavailable."""
        self._closed = True
        closed = StoreUnavailable("the store's connection was closed")
        if self._flushing is not None:
            self._flushing.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connecting
        for task in self._mending:
            task.cancel()
        await asyncio.gather(*self._mending, return_exceptions=True)
        self._fail(closed)
        for wire in (self._wire, *self._free):
            if wire is not None:
                wire.abort(closed)
        self._free.clear()

    def _put(self, args: tuple[Any, ...]) -> asyncio.Future[Any]:
        if self._closed:
            raise StoreUnavailable("the store's connection was closed")
        future: asyncio.Future[Any] = asyncio.Future()
        self._queue.append(Request(args, future))
        if self._flushing is None:
            self._schedule()
        return future

    def _schedule(self) -> None:
        """Send what is asked for with all else of this tick of the loop; on a busy connection, of some more."""
        loop = asyncio.get_running_loop()
        due, now = self._gathering.due, loop.time()
        self._flushing = loop.call_at(due, self._flush) if due > now else loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Send what has gathered, over a new connection if there is none."""
        self._flushing = None
        if not self._queue:
            return
        wire = self._wire
        if wire is None or wire.lost:
            if self._connecting is None and not self._closed:
                self._connecting = asyncio.create_task(self._connect(), name="store")
            return
        queue = self._queue
        batch = [queue.popleft() for _ in range(min(len(queue), _BATCH))]
        self.round_trips += 1
        self._gathering.took(len(batch), asyncio.get_running_loop().time())
        wire.send(batch)
        if queue:
            self._flushing = asyncio.get_running_loop().call_soon(self._flush)

    async def _connect(self) -> None:
        try:
            self._wire = await self._nodes.connect(on_refused=self._refused, on_lost=self._lost)
            self._reason = None
        except StoreUnavailable as error:
            self._fail(self._note(error))
        except Exception as error:  # every kind of failure is handed to those who wait
            self._fail(self._note(unavailable(error)))
        finally:
            self._connecting = None
        if self._queue and self._flushing is None:
            self._flush()

    def _refused(self, wire: Wire, request: Request, error: ResponseError | Refused) -> None:
        """A server of the store lacks the functions, cannot read a key, or refuses to work.

        In the last case it may not be the right one.
        """
        if not isinstance(error, Refused):
            self._mend_and_repeat(request, error)
            return
        if error.fault == NO_FUNCTIONS:
            self._load_and_repeat(wire, request, error)
            return
        if not self._redirected(error, wire):
            request.fail(self._note(error))
        elif request.moves >= _MOVES:
            request.fail(self._note(StoreUnavailable("the store keeps moving the bot's slot")))
        else:
            request.moves += 1  # it was not done, so it may be sent again
            self._queue.append(request)
        if wire is self._wire and (error.code in _WRONG_SERVER or not self._nodes.current(wire.address)):
            self._wire = None
            wire.retire()
        if self._queue and self._flushing is None and not self._closed:
            self._schedule()

    def _load_and_repeat(self, wire: Wire, request: Request, error: Refused) -> None:
        """Give a server the functions, if this user may, and do what was asked once more.

        In a store that bots share they may not: the operator has given it the functions, or does so soon.
        """
        if request.moves >= _MOVES or self._closed:
            request.fail(self._note(error))
            return
        request.moves += 1
        if self._loading is None or self._loading[0] is not wire or self._loading[1].done():
            loading = Request(("FUNCTION", "LOAD", library().text), asyncio.get_running_loop().create_future())
            self._loading = wire, loading.future
            wire.send((loading,))

        def loaded(reply: asyncio.Future[Any]) -> None:
            trouble = None if reply.cancelled() else reply.exception()
            if trouble is not None and "already exists" not in str(trouble):
                refused = isinstance(trouble, ResponseError | Refused)
                request.fail(self._note(error if refused else unavailable(trouble)))
            else:
                self._queue.append(request)
                if self._flushing is None and not self._closed:
                    self._schedule()

        self._loading[1].add_done_callback(loaded)

    def _mend_and_repeat(self, request: Request, error: ResponseError) -> None:
        """Have what cannot be read put aside, and do what was asked once more; the functions read before they write."""
        keys = [] if request.mended or self._closed or not is_unreadable(error) else keys_of(request.args)
        if not keys:
            request.fail(error)
            return
        request.mended = True

        async def work() -> None:
            try:
                await self._put_aside(keys)
            except (StoreUnavailable, ResponseError) as trouble:
                request.fail(trouble if isinstance(trouble, StoreUnavailable) else error)
            except BaseException:
                request.fail(StoreUnavailable("the store's connection was closed"))
                raise
            else:
                self._queue.append(request)
                if self._flushing is None and not self._closed:
                    self._schedule()

        task = asyncio.create_task(work(), name="store mends")
        self._mending.add(task)
        task.add_done_callback(self._mending.discard)

    async def _put_aside(self, keys: list[str]) -> None:
        await mend(
            keys,
            lambda places, told: self.run(_MEND, places, *told),
            self._restore,
            self.command,
        )

    async def _restore(self, line: list[str]) -> None:
        """Put the line right, a slice after the other."""
        place = b""
        for _ in range(_MOST_SLICES):
            place, _lost = await self.run(_RESTORE, line, _LINE_GROUP, place)
            if not place:
                return

    def _redirected(self, error: Refused, wire: Wire) -> bool:
        if error.code in _WRONG_SERVER:
            self._nodes.forget()
        return error.code == "MOVED" and self._nodes.moved(error.detail, wire.address)

    def _lost(self, wire: Wire, reason: StoreUnavailable) -> None:
        if wire is self._wire:
            self._wire = None
            self._nodes.forget()
            self._note(reason)

    def _borrow(self) -> Wire | None:
        while self._free:
            wire = self._free.pop()
            if not wire.lost and self._nodes.current(wire.address):
                return wire
            wire.abort()
        return None

    def _give_back(self, wire: Wire) -> None:
        if self._closed:
            wire.abort()
        else:
            self._free.append(wire)

    def _note(self, error: StoreUnavailable) -> StoreUnavailable:
        self._reason = str(error)
        return error

    def _fail(self, reason: StoreUnavailable) -> None:
        while self._queue:
            self._queue.popleft().fail(reason)


def _delays() -> Iterator[float]:
    yield from _BACKOFF
    while True:
        yield _BACKOFF[-1]
