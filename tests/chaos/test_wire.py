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
    port = server.sockets[0].getsockname()[1]
    async with server, Wire(lambda: port) as wire:
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


async def test_it_leads_each_connection_where_it_is_told() -> None:
    async def name(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(b"%d\n" % number)
        writer.close()

    first = await asyncio.start_server(lambda _, writer: name(1, writer), "127.0.0.1", 0)
    second = await asyncio.start_server(lambda _, writer: name(2, writer), "127.0.0.1", 0)
    ports = [server.sockets[0].getsockname()[1] for server in (first, second, first)]
    found: list[bytes] = []
    async with first, second, Wire(lambda: ports.pop(0)) as wire:
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            found.append(await reader.readline())
            writer.close()
    assert found == [b"1\n", b"2\n", b"1\n"]
