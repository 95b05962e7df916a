"""The server: the Bot API under `/bot<token>/`, files under `/file/bot<token>/`, the control API under `/control/`."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, cast

import orjson
from aiohttp import web

from tests.fakes.telegram.control import Control
from tests.fakes.telegram.faults import Fault
from tests.fakes.telegram.parameters import Parameters
from tests.fakes.telegram.state import ApiError, Call, Json

TOKEN = "4200042:AAfakefakefakefakefakefakefakefakef"
_TOKEN_FORM = re.compile(r"[1-9][0-9]{0,15}:[A-Za-z0-9_-]+")
_JSON = {"Content-Type": "application/json"}
_WORDS = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
          401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}  # fmt: skip
_PYTHON_ONLY = frozenset({"wait_for", "add_method", "record", "start", "stop", "upload"})


class FakeTelegram(Control):
    """A Bot API server with one bot. Use it as an async context manager, or `start` and `stop` it.

    What it knows outlives a stop: `start` brings it back on the same port, as a server after a restart.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        username: str = "gptbot_test_bot",
        host: str = "127.0.0.1",
        port: int = 0,
        webhook_retry: float = 1.0,
        rate_limits: bool = True,
        local: bool = True,
    ) -> None:
        super().__init__(token=token, username=username, webhook_retry=webhook_retry, rate_limits=rate_limits)
        self.methods.local = local
        self.host, self.port = host, port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """What goes into `apiBaseUrl`."""
        return f"http://{self.host}:{self.port}"

    async def __aenter__(self) -> FakeTelegram:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        app = web.Application(client_max_size=4 << 20)
        app.router.add_route("*", "/bot{token}/{method}", self._method)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        app.router.add_post("/control/{name}", self._control)
        app.router.add_get("/healthz", self._healthy)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, backlog=1024)
        await site.start()
        self.port = cast("tuple[str, int]", self._runner.addresses[0])[1]
        self.world.updates.resume()

    async def stop(self) -> None:
        """Stop listening and cut all connections."""
        await self.world.updates.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _healthy(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _method(self, request: web.Request) -> web.StreamResponse:
        if error := self._token_error(request.match_info["token"]):
            return _answer(error.answer(), error.code)
        method = request.match_info["method"]
        try:
            parameters = await _parameters(request)
        except ApiError as error:
            return _answer(error.answer(), error.code)
        call = self.record(method, parameters)
        fault = self.faults.take(method, call.chat_id)
        if fault is not None:
            call.fault = fault.kind
            early = await self._before(fault, call, request)
            if early is not None:
                return early
        status, answer, headers = await self._process(method, parameters, call)
        if fault is not None:
            if fault.kind == "close_after":
                return _cut(request)
            if fault.kind == "stall_after":
                await asyncio.sleep(fault.seconds)
            if fault.kind == "answer_after":
                return _faulty(fault, call)
        call.status = status
        call.heard = request.transport is not None and not request.transport.is_closing()
        self.world.changed()
        return _answer(answer, status, headers)

    def _token_error(self, token: str) -> ApiError | None:
        if not _TOKEN_FORM.fullmatch(token):
            return ApiError(404, "Not Found")
        return None if token == self.token else ApiError(401, "Unauthorized")

    async def _before(self, fault: Fault, call: Call, request: web.Request) -> web.StreamResponse | None:
        match fault.kind:
            case "answer":
                self.world.changed()
                return _faulty(fault, call)
            case "close_before":
                self.world.changed()
                return _cut(request)
            case "stall_before":
                await asyncio.sleep(fault.seconds)
            case _:
                pass
        return None

    async def _process(self, method: str, parameters: Json, call: Call) -> tuple[int, Json, dict[str, str]]:
        handler = self.methods.handlers.get(method.lower())
        try:
            if handler is None:
                raise ApiError(404, "Not Found: method not found")
            result = await handler(Parameters(parameters))
        except ApiError as error:
            call.error = error.description
            wait = error.parameters.get("retry_after")
            return error.code, error.answer(), {} if wait is None else {"Retry-After": str(wait)}
        finally:
            self.world.changed()
        call.processed = True
        return 200, {"ok": True, "result": result}, {}

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if error := self._token_error(request.match_info["token"]):
            return _answer(error.answer(), error.code)
        call = self.record("file", {"path": request.match_info["path"]})
        fault = self.faults.take("file", None)
        if fault is not None and (early := await self._before(fault, call, request)) is not None:
            return early
        content = self.methods.files.get(request.match_info["path"])
        if content is None:
            return _answer(ApiError(404, "Not Found").answer(), 404)
        return web.Response(body=content)

    async def _control(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        action: Callable[..., Awaitable[Any]] | None = getattr(self, name, None)
        if name.startswith("_") or name in _PYTHON_ONLY or not inspect.iscoroutinefunction(action):
            return _answer({"error": "LookupError", "message": f"the control API has no {name}"}, 404)
        body = await request.read()
        try:
            result = await action(**(orjson.loads(body) if body else {}))
        except TimeoutError as error:
            return _answer({"error": "TimeoutError", "message": str(error)}, 408)
        except (LookupError, TypeError, ValueError) as error:
            return _answer({"error": type(error).__name__, "message": str(error)}, 400)
        return _answer({"result": result}, 200)


async def _parameters(request: web.Request) -> Json:
    """Parameters from the query and from a form or JSON body, as the Bot API takes them."""
    parameters: Json = dict(request.query)
    if request.method != "POST":
        return parameters
    if request.content_type == "application/json":
        body = await request.read()
        try:
            given = orjson.loads(body) if body else {}
        except orjson.JSONDecodeError:
            raise ApiError(400, "Bad Request: can't parse JSON in the request body") from None
        if not isinstance(given, dict):
            raise ApiError(400, "Bad Request: the request body must be a JSON object")
        return parameters | cast(Json, given)
    form = await request.post()
    return parameters | {name: value for name, value in form.items() if isinstance(value, str)}


def _answer(answer: Any, status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(answer, default=list), status=status, headers=_JSON | (headers or {}))


def _faulty(fault: Fault, call: Call) -> web.Response:
    call.status = fault.status
    if isinstance(fault.body, str):
        return web.Response(text=fault.body, status=fault.status, headers=fault.headers, content_type="text/html")
    words = _WORDS.get(fault.status, "Error")
    body = fault.body or {"ok": False, "error_code": fault.status, "description": words}
    return _answer(body, fault.status, fault.headers)


def _cut(request: web.Request) -> web.Response:
    """Cut the connection; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
