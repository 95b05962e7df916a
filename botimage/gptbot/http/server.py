"""Runs uvicorn inside the process's own event loop, and stops it within seconds even while pages stay open."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gptbot.http.connections import MOST_HEAD, BoundedProtocol, Connections, Limits
from gptbot.http.headers import SecurityHeaders
from gptbot.http.hosts import KnownHosts
from gptbot.http.index import index
from gptbot_api.listening import listen

_GRACE_SECONDS = 5


class CannotListen(OSError):
    """The address cannot be listened at. The text says why and what to do."""


class HttpServer:
    """All bots of a process on one port: one bot at `/`, several at `/NAMESPACE/NAME/` with a list at `/`."""

    def __init__(
        self,
        host: str,
        port: int,
        sites: Mapping[str, Sequence[BaseRoute]],
        hosts: Collection[str] = (),
        limits: Limits | None = None,
    ) -> None:
        """`sites`: what each bot serves, by its `namespace/name`. `port` 0 takes a free one.

        `hosts`: names that are answered on a loopback address besides its own.
        """
        limits = limits or Limits()
        self._host = host
        self._port = port
        self._closing = asyncio.Event()
        self._started: asyncio.Future[int] | None = None
        app = Starlette(
            routes=_routes(sites), middleware=[Middleware(SecurityHeaders), Middleware(KnownHosts, host, hosts)]
        )
        config = uvicorn.Config(
            _EndStreams(app, self._closing), http=BoundedProtocol, ws="none", lifespan="off", log_config=None,
            access_log=False, proxy_headers=False, server_header=False, timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=limits.idle, h11_max_incomplete_event_size=MOST_HEAD,
        )  # fmt: skip
        self._server = _Server(config)
        self._server.server_state = Connections(limits)

    async def serve(self) -> None:
        """Serve until cancelled; then take no more connections, end open streams, and let answers finish (5 s at most).

        Raises CannotListen.
        """
        try:
            listener = _listen(self._host, self._port)
        except CannotListen as error:
            self._future().set_exception(error)
            self._future().exception()  # it is raised here, too: nobody has to wait for it
            raise
        running = asyncio.create_task(self._server.serve(sockets=[listener]), name="http")
        self._future().set_result(listener.getsockname()[1])
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            self._closing.set()
            self._server.should_exit = True
            await running
            raise
        finally:
            listener.close()

    async def started(self) -> int:
        """Wait until connections are taken, and return the port: the one asked for, or a free one if that was 0."""
        return await asyncio.shield(self._future())

    def _future(self) -> asyncio.Future[int]:
        if self._started is None:
            self._started = asyncio.get_running_loop().create_future()
        return self._started


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are the program's business."""
        yield


class _EndStreams:
    """Tells answers that never end by themselves that the client is gone, once the server is closing."""

    def __init__(self, app: ASGIApp, closing: asyncio.Event) -> None:
        self._app = app
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked, started, ended = False, False, False

        async def receive_or_close() -> Message:
            nonlocal asked
            if not asked:
                message = await receive()
                asked = message["type"] == "http.request" and not message.get("more_body", False)
                return message
            return await _first(receive(), self._closed())

        async def watched(message: Message) -> None:
            nonlocal started, ended
            started = started or message["type"] == "http.response.start"
            ended = ended or (message["type"] == "http.response.body" and not message.get("more_body", False))
            await send(message)

        with suppress(ClientDisconnect):  # in the middle of a body: nobody is there to answer
            await self._app(scope, receive_or_close, watched)
        if started and not ended and self._closing.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _closed(self) -> Message:
        await self._closing.wait()
        return {"type": "http.disconnect"}


async def _first(*options: Any) -> Message:
    """The first result of several; the others are cancelled."""
    tasks = [asyncio.ensure_future(option) for option in options]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()


def _routes(sites: Mapping[str, Sequence[BaseRoute]]) -> list[BaseRoute]:
    if len(sites) == 1:
        return [route for routes in sites.values() for route in routes]
    mounts = [Mount(f"/{bot}", routes=list(routes)) for bot, routes in sites.items() if routes]
    return [Route("/", index([bot for bot, routes in sites.items() if _has_page(routes)])), *mounts]


def _has_page(routes: Sequence[BaseRoute]) -> bool:
    return any(isinstance(route, Route) and route.path == "/" for route in routes)


def _listen(host: str, port: int) -> socket.socket:
    where = f"port {port} of {host}"
    try:
        return listen(host, port)
    except OSError as error:
        match error.errno:
            case errno.EADDRINUSE:
                advice = "is in use by another program: stop that, or choose another with --http-port"
            case errno.EACCES:
                advice = "needs rights this program does not have: choose one above 1023 with --http-port"
            case errno.EADDRNOTAVAIL:
                advice = "cannot be used: this machine has no such address"
            case _:
                advice = f"cannot be listened at: {error.strerror or error}"
        raise CannotListen(f"{where} {advice}") from None
