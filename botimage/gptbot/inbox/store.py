"""One connection to Redis or Valkey that all of a process shares: commands of one loop tick go out as one pipeline."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis.asyncio as redis
from hiredis import pack_command
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,  # noqa: A004 - redis names it so
    MasterDownError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004 - redis names it so
)

_COMMAND_TIMEOUT = 10.0
_CONNECT_TIMEOUT = 5.0
_BATCH = 512
_AFTER_REFUSAL = 0.3
_BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0)


class StoreUnavailable(Exception):
    """The store did not do what it was asked to; whether it did part of it is unknown. The text says why."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, sent by its hash once the server knows it."""

    text: bytes = field(repr=False)
    sha: str

    @classmethod
    def load(cls, name: str) -> Script:
        """The script in `inbox/lua/NAME.lua`."""
        text = (Path(__file__).parent / "lua" / f"{name}.lua").read_bytes()
        return cls(text, hashlib.sha1(text, usedforsecurity=False).hexdigest())


_REASONS: tuple[tuple[type[RedisError], str], ...] = (
    (AuthenticationError, "refuses the password; check the store's URL"),
    (AuthorizationError, "refuses the user's rights; check the store's ACL"),
    (NoPermissionError, "refuses the user's rights; check the store's ACL"),
    (BusyLoadingError, "is still loading its data"),
    (OutOfMemoryError, "has no memory left; raise its maxmemory or lower retention"),
    (ReadOnlyError, "is a read-only replica; point the URL at the primary"),
    (MasterDownError, "is a replica without its primary"),
    (ClusterDownError, "is a cluster with slots that nobody serves"),
    (TimeoutError, "did not answer in time"),
    (ConnectionError, "cannot be reached"),
)


_CODES = {
    "MISCONF": "cannot write to its disk",
    "NOAUTH": "wants a password; put one into the store's URL",
    "WRONGPASS": "refuses the password; check the store's URL",
    "NOREPLICAS": "has too few replicas to take writes",
    "TRYAGAIN": "is moving slots",
    "BUSY": "is busy with a script",
    "UNBLOCKED": "has changed its role",
}
"""Error replies that redis-py has no class for, by their first word."""


def _unavailable(error: BaseException) -> StoreUnavailable | None:
    if isinstance(error, ConnectionError) and "auth" in str(error).lower():
        return StoreUnavailable("the store refuses the password; check the store's URL")
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return StoreUnavailable(f"the store {reason}")
    if isinstance(error, ResponseError) and (reason := _CODES.get(str(error).partition(" ")[0])):
        return StoreUnavailable(f"the store {reason}")
    if isinstance(error, OSError | asyncio.TimeoutError | EOFError):
        return StoreUnavailable("the store cannot be reached")
    return None


class Store:
    """A shared connection. Make one with `connect`, use it as an async context manager or call `close`."""

    def __init__(self, pool: redis.ConnectionPool) -> None:
        self._pool = pool
        self._queue: deque[tuple[tuple[Any, ...], asyncio.Future[Any]]] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._reason: str | None = None
        self._closed = False
        self.round_trips = 0
        """Pipelines sent so far, for benchmarks."""

    @classmethod
    def connect(cls, url: str) -> Store:
        """A store at `redis://`, `rediss://` or `unix://`; nothing is sent before the first command.

        Raises ValueError when the URL has no known scheme.
        """
        pool = redis.ConnectionPool.from_url(
            url, socket_connect_timeout=_CONNECT_TIMEOUT, health_check_interval=0, max_connections=1024, retry=None,
            client_name="gptbot", protocol=2,
            # No timeouts of redis' own: ours are around all that waits, its would end a blocking command early, and the
            # asyncio.wait_for behind it can lose a cancellation before Python 3.12 (python/cpython#86296).
            socket_timeout=None,
        )  # fmt: skip
        return cls(pool)

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def trouble(self) -> str | None:
        """Why the last command failed, or None when it did not."""
        return self._reason

    async def command(self, *args: Any) -> Any:
        """Run one command and return its reply as RESP gives it. Raises StoreUnavailable or redis' ResponseError."""
        if self._closed:
            raise StoreUnavailable("the store's connection was closed")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append((args, future))
        if self._task is None:
            self._task = asyncio.create_task(self._serve(), name="store")
        self._wake.set()
        return await future

    async def run(self, script: Script, keys: Sequence[str], *args: Any) -> Any:
        """Run a Lua script. All keys must be of one bot. Raises as `command` does."""
        try:
            return await self.command("EVALSHA", script.sha, len(keys), *keys, *args)
        except NoScriptError:
            return await self.command("EVAL", script.text, len(keys), *keys, *args)

    async def block(self, *args: Any, timeout: float) -> Any:
        """Run a blocking command on a connection of its own; `timeout` (seconds) must exceed the command's own."""
        connection: Any = None
        try:
            async with asyncio.timeout(timeout):
                connection = await self._pool.get_connection()
                await connection.send_command(*args)
                reply = await connection.read_response()
        except BaseException as error:
            if connection is not None:
                await _drop(connection)  # a late reply must not meet the next command
                await self._pool.release(connection)
            if isinstance(error, ResponseError) and _unavailable(error) is None:
                raise
            if unavailable := _unavailable(error):
                raise unavailable from error
            raise
        await self._pool.release(connection)
        return reply

    async def wait_available(self) -> None:
        """Return once the store answers; after a moment, if it has just refused something, so that nobody spins."""
        if self._reason:
            await asyncio.sleep(_AFTER_REFUSAL)
        for delay in _delays():
            try:
                await self.command("PING")
            except (StoreUnavailable, ResponseError):
                await asyncio.sleep(delay)
            else:
                return

    async def close(self) -> None:
        """Close the connections; what is still waiting gets StoreUnavailable."""
        self._closed = True
        self._wake.set()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._fail(StoreUnavailable("the store's connection was closed"))
        await self._pool.aclose()

    async def _serve(self) -> None:
        """Owns the shared connection: sends what has gathered, hands out the replies, connects anew after trouble."""
        connection: Any = None
        try:
            while not self._closed:  # a cancellation alone may get lost in redis-py's timeouts
                await self._wake.wait()
                self._wake.clear()
                while self._queue and not self._closed:
                    batch = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH))]
                    try:
                        if connection is None:
                            async with asyncio.timeout(_CONNECT_TIMEOUT):
                                connection = await self._pool.get_connection()
                        self._reason = await self._exchange(connection, batch)
                    except asyncio.CancelledError:
                        _fail_batch(batch, StoreUnavailable("the store's connection was closed"))
                        raise
                    except Exception as error:  # every kind of failure is handed to those who wait
                        reason = _unavailable(error) or StoreUnavailable(f"the store failed: {type(error).__name__}")
                        self._reason = str(reason)
                        _fail_batch(batch, reason)
                        if connection is not None:
                            await _drop(connection)
                            await self._pool.release(connection)
                            connection = None
        finally:
            if connection is not None:
                await _drop(connection)
                await self._pool.release(connection)

    async def _exchange(self, connection: Any, batch: list[tuple[tuple[Any, ...], asyncio.Future[Any]]]) -> str | None:
        """Send a batch and hand out its replies; what a reply says of a store that cannot do its work."""
        self.round_trips += 1
        trouble: str | None = None
        async with asyncio.timeout(_COMMAND_TIMEOUT):
            # redis-py's own packer takes half of a turn's CPU; this one is C.
            await connection.send_packed_command(b"".join([pack_command(args) for args, _ in batch]))
            for _, future in batch:
                try:
                    reply = await connection.read_response()
                except ResponseError as error:
                    unavailable = _unavailable(error)
                    trouble = str(unavailable) if unavailable else trouble
                    if not future.done():
                        future.set_exception(unavailable or error)
                else:
                    if not future.done():
                        future.set_result(reply)
        return trouble

    def _fail(self, reason: StoreUnavailable) -> None:
        _fail_batch(list(self._queue), reason)
        self._queue.clear()


def _fail_batch(batch: list[tuple[tuple[Any, ...], asyncio.Future[Any]]], reason: StoreUnavailable) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(reason)


async def _drop(connection: Any) -> None:
    with contextlib.suppress(Exception):
        await connection.disconnect()


def _delays() -> Iterator[float]:
    yield from _BACKOFF
    while True:
        yield _BACKOFF[-1]
