"""Memory for files, shared by all turns or all requests of a process: who finds it taken waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass


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


@dataclass(slots=True, eq=False)
class Held:
    """Memory of one that grows."""

    size: int = 0


class GrowingRoom:
    """So many bytes for things whose size shows as they arrive, such as the bodies of requests.

    Small ones have a reserve that larger ones cannot take, and the first bytes of each are not counted. Of the larger
    ones the oldest can always grow to its full size: two that both wait for the other's bytes cannot be.
    """

    def __init__(self, size: int, *, largest: int, small: int, reserve: int, uncounted: int) -> None:
        """`largest`: bytes that one may have; `small`: up to where it may use the `reserve`."""
        if size < reserve + largest:
            raise ValueError("the largest does not fit in beside the reserve")
        self._free = size
        self._largest = largest
        self._small = small
        self._reserve = reserve
        self._uncounted = uncounted
        self._large: dict[Held, None] = {}
        """The larger ones, the oldest first."""
        self._freed = asyncio.Event()

    @contextmanager
    def hold(self) -> Generator[Held]:
        """Have what `grow` takes meanwhile."""
        held = Held()
        try:
            yield held
        finally:
            self._large.pop(held, None)
            self._free += self._counted(held.size)
            self._freed.set()
            self._freed = asyncio.Event()

    async def grow(self, held: Held, size: int) -> None:
        """Take `size` bytes more; wait until they are free. At most `largest` in all may be asked for."""
        if held.size + size > self._small:
            self._large.setdefault(held)
        more = self._counted(held.size + size) - self._counted(held.size)
        while more > self._free - self._others(held):
            await self._freed.wait()
        self._free -= more
        held.size += size

    def _counted(self, size: int) -> int:
        return max(0, size - self._uncounted)

    def _others(self, held: Held) -> int:
        """What one has to leave free."""
        if held not in self._large:
            return 0
        oldest = next(iter(self._large))
        return self._reserve if held is oldest else self._reserve + self._largest - oldest.size
