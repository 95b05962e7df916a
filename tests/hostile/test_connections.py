"""Slow, large and many: what peers do to connections, over the wire, against the server of a process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gptbot.http import connections
from gptbot.http.connections import Limits, network
from gptbot.http.server import HttpServer
from tests.platforms.web.scene import running

_PATIENCE = 30.0
"""Seconds after which a peer that is not ended never will be."""
_SOON = Limits(head=0.3, body_window=0.3, unread=0.3)


@dataclass
class Site:
    """What is served, and what became of it."""

    port: int = 0
    bodies: list[bytes] = field(default_factory=list[bytes])
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody was gone before the end of a body or an answer."""

    def routes(self) -> list[Route]:
        return [
            Route("/", self.hello, methods=["GET", "POST"]),
            Route("/echo", self.echo, methods=["POST"]),
            Route("/endless", self.endless),
            Route("/large", self.large),
        ]

    async def hello(self, request: Request) -> Response:
        return PlainTextResponse("hello")

    async def echo(self, request: Request) -> Response:
        try:
            self.bodies.append(await request.body())
        except ClientDisconnect:
            self.left.set()
            raise
        return PlainTextResponse("read")

    async def large(self, request: Request) -> Response:
        return PlainTextResponse(b"x" * 20_000_000, headers={"Connection": "close"})

    async def endless(self, request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 4096
                    await asyncio.sleep(0.001)
            finally:
                self.left.set()

        return StreamingResponse(chunks())

    async def ask(self, request: bytes, source: str = "127.0.0.1") -> bytes:
        """What comes back to bytes that are sent at once, until the server ends the connection."""
        async with self.connect(source) as (reader, writer):
            writer.write(request)
            return await _all(reader)

    @asynccontextmanager
    async def connect(
        self, source: str = "127.0.0.1", buffer: int | None = None
    ) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        sock = socket.socket()
        if buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.bind((source, 0))
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
        try:
            yield reader, writer
        finally:
            writer.close()


@asynccontextmanager
async def site(limits: Limits | None = None) -> AsyncGenerator[Site]:
    made = Site()
    server = HttpServer("127.0.0.1", 0, {"test/bot": made.routes()}, hosts=["a"], limits=limits)
    async with asyncio.timeout(_PATIENCE), running(server.serve()):
        made.port = await server.started()
        yield made


async def _all(reader: asyncio.StreamReader) -> bytes:
    received = bytearray()
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            received += data
    return bytes(received)


async def _drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send a byte at a time for as long as the connection lasts."""
    with suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("first", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: a\r\nX: "])
async def test_a_slow_head_is_ended(first: bytes) -> None:
    async with site(_SOON) as served, served.connect() as (reader, writer):
        writer.write(first)
        async with running(_drip(writer, b"x" if first else b"")):
            assert (await _all(reader)).startswith(b"HTTP/1.1 408 ")


async def test_a_slow_head_is_ended_after_an_answer_too() -> None:
    async with site(_SOON) as served, served.connect() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
        writer.write(b"GET / HTTP/1.1\r\nX: ")
        async with running(_drip(writer, b"x")):
            assert (await _all(reader)).startswith(b"HTTP/1.1 408 ")


async def test_a_slow_body_is_ended_and_its_reader_told() -> None:
    async with site(_SOON) as served, served.connect() as (reader, writer):
        writer.write(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        async with running(_drip(writer, b"x")):
            assert (await _all(reader)).startswith(b"HTTP/1.1 408 ")
        await served.left.wait()
        assert not served.bodies


async def test_a_body_that_brings_enough_may_last() -> None:
    async with site(Limits(body_window=0.2, body_bytes=1)) as served, served.connect() as (reader, writer):
        writer.write(b"POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 50\r\n\r\n")
        for _ in range(50):
            writer.write(b"x")
            await asyncio.sleep(0.02)
        assert (await _all(reader)).startswith(b"HTTP/1.1 200 ")
        assert served.bodies == [b"x" * 50]


async def test_a_body_that_is_sent_after_its_answer_is_ended() -> None:
    async with site(_SOON) as served, served.connect() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
        async with running(_drip(writer, b"x")):
            await _all(reader)


async def test_who_is_idle_after_an_answer_is_ended() -> None:
    async with site(Limits(idle=0)) as served:
        assert (await served.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")).endswith(b"hello")


@pytest.mark.parametrize("line", [b"X: " + b"x" * 60_000, b"\r\n".join([b"a: b"] * 10_000), b"a" * 60_000])
async def test_a_large_head_is_refused_though_it_comes_at_once(line: bytes) -> None:
    async with site() as served:
        answer = await served.ask(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + line + b"\r\n\r\n")
        assert not answer.startswith(b"HTTP/1.1 200 ")
        assert b"hello" not in answer


async def test_what_is_sent_before_an_answer_is_dropped() -> None:
    async with site() as served:
        body = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
        answer = await served.ask(body + b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")
        assert answer.count(b"HTTP/1.1 ") == 1


async def test_who_reads_nothing_is_ended_while_an_answer_lasts() -> None:
    async with site(_SOON) as served, served.connect(buffer=4096) as (_, writer):
        writer.write(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        await served.left.wait()


async def test_who_does_not_read_the_end_of_an_answer_is_ended() -> None:
    """One connection is allowed: another shows whether it is still there."""
    limits = Limits(connections=1, unread=0.3)
    async with site(limits) as served, served.connect(buffer=4096) as (_, writer):
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        await writer.drain()
        await _until_let_in(served)


async def test_a_reader_that_is_slow_gets_all() -> None:
    async with site(Limits(unread=0.2)) as served, served.connect(buffer=4096) as (reader, writer):
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(0.1)
        assert len(await _all(reader)) > 20_000_000


async def _until_let_in(served: Site, source: str = "127.0.0.1") -> None:
    while not (await served.ask(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", source)).endswith(b"hello"):
        await asyncio.sleep(0.02)


async def test_one_address_does_not_lock_out_another() -> None:
    async with site(Limits(connections=16, connections_per_address=8)) as served:
        hello = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        async with _crowd(served, 8):
            assert (await served.ask(hello)).startswith(b"HTTP/1.1 503 ")
            assert (await served.ask(hello, "127.0.0.2")).endswith(b"hello")
        await _until_let_in(served)


async def test_behind_a_proxy_one_address_may_have_all_connections() -> None:
    async with site(Limits(connections=6, connections_per_address=None)) as served:
        hello = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        async with _crowd(served, 5):
            assert (await served.ask(hello)).endswith(b"hello")


async def test_all_together_are_so_many() -> None:
    async with site(Limits(connections=6, connections_per_address=100)) as served:
        hello = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        async with _crowd(served, 3), _crowd(served, 3, "127.0.0.2"):
            assert (await served.ask(hello, "127.0.0.3")).startswith(b"HTTP/1.1 503 ")
        await _until_let_in(served, "127.0.0.3")


@asynccontextmanager
async def _crowd(served: Site, size: int, source: str = "127.0.0.1") -> AsyncGenerator[None]:
    """So many connections that last."""
    async with AsyncExitStack() as stack:
        for _ in range(size):
            reader, writer = await stack.enter_async_context(served.connect(source))
            writer.write(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        yield


async def test_small_chunks_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is parsed in many turns of the loop is the same."""
    monkeypatch.setattr(connections, "_LONGEST", 0.0)
    async with site() as served:
        body = b"".join(b"1\r\n%c\r\n" % (97 + number % 26) for number in range(20_000)) + b"0\r\n\r\n"
        head = b"POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert (await served.ask(head + body)).startswith(b"HTTP/1.1 200 ")
        assert served.bodies == [bytes(97 + number % 26 for number in range(20_000))]


def test_an_ipv6_network_is_one_address() -> None:
    assert network("2001:db8::1") == network("2001:db8::ffff:1") != network("2001:db8:0:1::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") != network("192.0.2.2")
    assert network("fe80::1%eth0") == "fe80::/64"
