"""The hand's actions over HTTP: `POST /control/ACTION` with its arguments as JSON answers `{"result": …}`."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from tests.fakes.discord.actions import Actions, UnknownAction


def control_routes(actions: Actions) -> list[web.RouteDef]:
    """Routes for `RemoteDiscord`, and `/control/health` for probes."""

    async def act(request: web.Request) -> web.Response:
        raw = await request.read()
        try:
            arguments: dict[str, Any] = orjson.loads(raw) if raw else {}
            result = await actions.do(request.match_info["action"], arguments)
        except UnknownAction as error:
            return _json(404, {"error": f"no such action: {error}"})
        except (KeyError, TypeError, ValueError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})
        return _json(200, {"result": result})

    async def health(_: web.Request) -> web.Response:
        return _json(200, {"result": "ok"})

    return [web.get("/control/health", health), web.post("/control/{action}", act)]


def _json(status: int, body: Any) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
