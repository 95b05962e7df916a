"""The network that can be cut."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.wire import Wire


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


async def test_it_carries_is_cut_and_mended() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Wire(server.sockets[0].getsockname()[1]) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        wire.cut()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", wire.port)
        await wire.mend()
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(b"again\n")
        assert await reader.readline() == b"again\n"
        writer.close()
