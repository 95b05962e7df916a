"""The list of bots at `/`, when a process serves several."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response


def index(bots: Sequence[str]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that lists the pages of bots, each by its `namespace/name`."""
    items = "".join(f'<li><a href="{escape(bot)}/">{escape(bot)}</a></li>' for bot in bots)
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bots</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"></head>'
        f"<body><main><h1>Bots</h1><ul>{items}</ul></main></body></html>"
    )

    async def endpoint(_: Request) -> Response:
        return HTMLResponse(html)

    return endpoint
