"""The monitoring port: `/livez`, `/readyz` and `/metrics`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from gptbot.telemetry import metrics
from gptbot_api.listening import listen

Check = Callable[[], str | None]
"""Says what is wrong, or None."""


@asynccontextmanager
async def monitoring(host: str, port: int, ready: Check) -> AsyncGenerator[int]:
    """Serve the monitoring port; yields the port bound (0 asks for any). Raises OSError when it is taken."""

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        trouble = ready()
        return web.Response(text=f"{trouble or 'ok'}\n", status=503 if trouble else 200)

    async def scrape(_: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", scrape)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.SockSite(runner, listen(host, port))
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
