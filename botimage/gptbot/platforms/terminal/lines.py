"""Lines of standard input, for a person who types and for a script that pipes."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator

_PROMPT = "› "


async def lines() -> AsyncIterator[str]:
    """Each line that is not empty, until the end of the input. At a terminal a prompt asks for it."""
    waiting: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    # A thread reads files, pipes and terminals alike. It waits in the system call, so the process may end meanwhile.
    threading.Thread(target=_read, args=(loop, waiting), daemon=True).start()
    asked = sys.stdin.isatty() and sys.stdout.isatty()
    while True:
        if asked:
            sys.stdout.write(_PROMPT)
            sys.stdout.flush()
        line = await waiting.get()
        if line is None:
            if asked:
                sys.stdout.write("\n")
            return
        if line.strip():
            yield line.strip()


def _read(loop: asyncio.AbstractEventLoop, waiting: asyncio.Queue[str | None]) -> None:
    def put(line: str | None) -> None:
        try:
            loop.call_soon_threadsafe(waiting.put_nowait, line)
        except RuntimeError:  # the program has ended
            raise SystemExit from None

    rest = b""
    while data := os.read(sys.stdin.fileno(), 65536):
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            put(line.decode(errors="replace"))
    if rest:
        put(rest.decode(errors="replace"))
    put(None)
