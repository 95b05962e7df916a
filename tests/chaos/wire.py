"""A network between two programs that can be cut: a TCP proxy."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

_CHUNK = 1 << 16


class Wire:
    """Carries connections to a port of this machine. Use it as an async context manager."""

    def __init__(self, target: Callable[[], int]) -> None:
        """`target`: the port for the next connection, of one of several programs if wanted."""
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self.port = 0
        """Where it listens."""

    async def __aenter__(self) -> Wire:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def cut(self) -> None:
        """End all connections without a word, and take no new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    async def mend(self) -> None:
        """Take connections again, at the same port."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        self._writers.add(writer)
        other: asyncio.StreamWriter | None = None
        try:
            answers, other = await asyncio.open_connection("127.0.0.1", self._target())
            self._writers.add(other)
            if self._server is None:  # cut meanwhile
                return
            async with asyncio.TaskGroup() as group:
                group.create_task(_carry(reader, other))
                group.create_task(_carry(answers, writer))
        except* OSError:
            pass
        finally:
            for end in (writer, other):
                if end is not None:
                    self._writers.discard(end)
                    end.transport.abort()
            self._carrying.discard(task)


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Hand on what comes, and the end of it."""
    while data := await source.read(_CHUNK):
        sink.write(data)
        await sink.drain()
    with contextlib.suppress(OSError):
        sink.write_eof()
