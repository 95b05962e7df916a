"""The gateways and workers of one bot, each a process that is replaced when it is killed, as Kubernetes would."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Literal

from tests.ports import free_port
from tests.process.program import Program, program

Role = Literal["gateway", "worker"]


class Fleet:
    """Use it as an async context manager."""

    def __init__(self, manifest: Path, store: str, lease: float, *, gateways: int = 2, workers: int = 2) -> None:
        self._manifest, self._store, self._lease = manifest, store, lease
        self._wanted: dict[Role, int] = {"gateway": gateways, "worker": workers}
        self._running: dict[Role, list[tuple[AbstractAsyncContextManager[Program], Program]]] = {
            "gateway": [], "worker": [],
        }  # fmt: skip
        self._http_ports: dict[Program, int] = {}
        self.errors: list[str] = []
        """Log lines of level error, of all processes so far."""

    async def __aenter__(self) -> Fleet:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._end)
            for role, count in self._wanted.items():
                for _ in range(count):
                    await self._start(role)
            await asyncio.gather(*(one.ready() for group in self._running.values() for _, one in group))
            stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    def http_ports(self) -> list[int]:
        """Where the gateways that are not killed serve the web page, or soon will."""
        return [self._http_ports[gateway] for _, gateway in self._running["gateway"]]

    async def kill(self, role: Role, number: int) -> None:
        """`kill -9` one, and start another in its place."""
        context, process = self._running[role].pop(number % len(self._running[role]))
        await process.stop(signal.SIGKILL)
        await self._start(role)
        await self._leave(context, process)

    async def pause(self, role: Role, number: int, seconds: float) -> None:
        """SIGSTOP one, and SIGCONT after a while."""
        process = self._running[role][number % len(self._running[role])][1].process
        process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            if process.returncode is None:  # it may have been killed meanwhile
                process.send_signal(signal.SIGCONT)

    def check(self) -> None:
        """Raises AssertionError when one has ended by itself."""
        for role, group in self._running.items():
            for _, process in group:
                code = process.process.returncode
                assert code is None, f"a {role} ended by itself with {code}:\n{process.raw.decode()[-4000:]}"

    async def drain(self) -> dict[Role, list[int]]:
        """SIGTERM to all; their exit codes."""
        codes: dict[Role, list[int]] = {}
        for role, group in self._running.items():
            codes[role] = list(await asyncio.gather(*(process.stop() for _, process in group)))
        return codes

    async def _start(self, role: Role) -> None:
        http_port = free_port()
        env = {"GPTBOT_TURN_LEASE": str(self._lease), "GPTBOT_HTTP_PORT": str(http_port)}
        context = program(role, "--manifest", str(self._manifest), store=self._store, env=env)
        process = await context.__aenter__()
        self._http_ports[process] = http_port
        self._running[role].append((context, process))

    async def _leave(self, context: AbstractAsyncContextManager[Program], process: Program) -> None:
        await context.__aexit__(None, None, None)
        del self._http_ports[process]
        self.errors += [
            f"{line.get('event')}: {line.get('reason') or line.get('error')} {line.get('at') or ''}".rstrip()
            for line in process.lines if line.get("level") == "error"
        ]  # fmt: skip

    async def _end(self) -> None:
        for group in self._running.values():
            while group:
                await self._leave(*group.pop())
