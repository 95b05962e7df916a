"""The fake's remote control, for tests that run elsewhere than the fake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from tests.fakes.openai.script import Script, Settings

if TYPE_CHECKING:
    from tests.fakes.openai.server import FakeOpenAI

T = TypeVar("T")
_SCRIPTS: TypeAdapter[list[Script]] = TypeAdapter(list[Script])


def control_routes(fake: FakeOpenAI) -> list[web.RouteDef]:
    """`GET requests`, `POST scripts` (a Script or a list), `PUT settings`, `POST reset`, all under `/control/`."""

    async def requests(request: web.Request) -> web.Response:
        return web.json_response({"requests": [recorded.public() for recorded in fake.requests]})

    async def scripts(request: web.Request) -> web.Response:
        given = await _json(request)
        fake.scripts += _valid(_SCRIPTS, given if isinstance(given, list) else [given])
        return web.json_response({"scripts": len(fake.scripts)})

    async def settings(request: web.Request) -> web.Response:
        fake.settings = _valid(TypeAdapter(Settings), await _json(request))
        return web.json_response(fake.settings.model_dump(exclude={"api_key", "other_keys"}))

    async def reset(request: web.Request) -> web.Response:
        fake.reset()
        return web.json_response({})

    return [
        web.get("/control/requests", requests),
        web.post("/control/scripts", scripts),
        web.put("/control/settings", settings),
        web.post("/control/reset", reset),
    ]


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except json.JSONDecodeError:
        raise web.HTTPBadRequest(text="the body is not JSON") from None


def _valid(adapter: TypeAdapter[T], value: Any) -> T:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise web.HTTPBadRequest(text=str(error)) from None
