"""A server in a child process: started, awaited, started again when it dies, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gptbot.embedded.errors import EmbeddedError

_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with(parent: int) -> None:
    """Make the calling process get a SIGTERM when the process `parent`, which started it, ends (Linux: prctl(2))."""
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the call
        os.kill(os.getpid(), signal.SIGTERM)


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens at right now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as probe:
        return probe.getsockname()[1]


@dataclass(slots=True)
class ChildServer:
    """Runs one server. Its output is not shown; the last lines of it become part of the error when it fails."""

    name: str
    """How errors call it."""
    command: Sequence[str]
    ready: Callable[[], Awaitable[bool]]
    """Whether the server answers; asked until it does. Raises nothing."""
    stdin: bytes = b""
    """Given to the process on its standard input, where no other user can read it, as could be with its arguments."""
    environment: Mapping[str, str] | None = None
    pass_fds: Sequence[int] = ()
    start_timeout: float = 60.0
    """Seconds it may take to answer."""
    stop_timeout: float = 10.0
    """Seconds it may take to end after SIGTERM; then it is killed."""
    restarts: int = 5
    """Starts in a row, each within `settled` seconds of the one before, after which it is given up."""
    settled: float = 60.0
    starts: int = field(default=0, init=False)
    """How often it was started."""
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _tail: deque[str] = field(default_factory=lambda: deque[str](maxlen=12), init=False)
    _output: asyncio.Task[None] | None = field(default=None, init=False)
    _keeper: asyncio.Task[None] | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Start it and return when it answers. Raises EmbeddedError when it ends or does not answer in time."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep(), name=f"{self.name}: restarted when it dies")

    async def wait(self) -> None:
        """Wait until it has died too often to be started again, and raise EmbeddedError then. Returns once stopped."""
        if self._keeper is None:
            raise RuntimeError(f"{self.name} was not started")
        done, _ = await asyncio.wait([self._keeper])
        for task in done:
            if not task.cancelled():
                task.result()

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL when it takes longer than `stop_timeout`."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        await self._end()

    async def _spawn(self) -> None:
        self.starts += 1
        self._tail.clear()
        parent = os.getpid()
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=None if self.environment is None else {**os.environ, **self.environment},
                pass_fds=self.pass_fds,
                start_new_session=True,  # Ctrl-C is for us: the server is needed while we drain
                preexec_fn=lambda: die_with(parent),
            )
        except OSError as error:
            raise EmbeddedError(f"the {self.name} cannot be started: {self.command[0]}: {error.strerror}") from error
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._output = asyncio.create_task(self._read(process.stdout), name=f"{self.name}: output")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended already; the wait below says so
            process.stdin.write(self.stdin)
            await process.stdin.drain()
        process.stdin.close()
        try:
            await self._answers(process)
        except BaseException:
            await self._end()
            raise

    async def _answers(self, process: asyncio.subprocess.Process) -> None:
        ended = asyncio.ensure_future(process.wait())
        try:
            async with asyncio.timeout(self.start_timeout):
                while not await self.ready():
                    await asyncio.wait([ended], timeout=0.02)
                    if ended.done():
                        assert self._output is not None
                        await self._output
                        raise EmbeddedError(f"the {self.name} ended at its start with {self._status(process)}")
        except TimeoutError:
            text = f"the {self.name} did not answer within {self.start_timeout:g} s"
            raise EmbeddedError(text + self._said()) from None
        finally:
            ended.cancel()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            started = loop.time()
            assert self._process is not None
            await self._process.wait()
            failures = failures + 1 if loop.time() - started < self.settled else 1
            status = self._status(self._process)
            await self._end()
            while True:
                if failures > self.restarts:
                    raise EmbeddedError(f"the {self.name} died {failures} times, the last time with {status}")
                await asyncio.sleep(min(0.1 * 2 ** (failures - 1), 5.0))
                try:
                    await self._spawn()
                    break
                except EmbeddedError:
                    failures += 1
                    if failures > self.restarts:
                        raise

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(self.stop_timeout):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if self._output is not None:
            self._output.cancel()
            await asyncio.wait([self._output])

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            self._tail.append(line.decode(errors="replace").rstrip())

    def _status(self, process: asyncio.subprocess.Process) -> str:
        code = process.returncode or 0
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return how + self._said()

    def _said(self) -> str:
        lines = [line for line in self._tail if line]
        return "; it said:\n  " + "\n  ".join(lines) if lines else ""
