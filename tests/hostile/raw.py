"""A model's endpoint that sends bytes as they are given, whatever protocol they break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tests.ports import listening

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def plain(status: str, body: bytes, content_type: str = "application/json", more: bytes = b"") -> bytes:
    """A whole response."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n".encode()
    return head + more + b"Connection: close\r\n\r\n" + body


@asynccontextmanager
async def raw_model(first: bytes, again: bytes = b"", pause: float = 0.02) -> AsyncGenerator[str]:
    """Serve at the URL yielded: `first` to each request, then `again` until the client leaves, or the end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(first)
            while again:
                await writer.drain()
                await asyncio.sleep(pause)
                writer.write(again)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            writer.close()

    async with listening(serve) as port:
        yield f"http://127.0.0.1:{port}/v1"
