"""What a kubelet asks: whether this process's loop still turns. One that stands by is as well as one that works."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web

from gptbot_api.listening import EVERYWHERE, listen


@asynccontextmanager
async def healthz(port: int) -> AsyncGenerator[None]:
    """Serve `/healthz` on all addresses."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    application = web.Application()
    application.router.add_get("/healthz", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, listen(EVERYWHERE, port)).start()
        yield
    finally:
        await runner.cleanup()
