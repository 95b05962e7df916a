"""Memory for files, shared by all turns of a process: who finds it taken waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Room:
    """So many bytes. First come, first served, so that large files get their turn."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._door = asyncio.Lock()
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def hold(self, size: int) -> AsyncGenerator[None]:
        """Have `size` bytes of it meanwhile; all of it, if that is less."""
        size = min(size, self._size)
        async with self._door, self._freed:
            await self._freed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            self._free += size
            async with self._freed:
                self._freed.notify_all()
