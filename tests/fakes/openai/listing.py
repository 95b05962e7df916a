"""`GET /models`: which models there are, or one of the ways to tell nothing (https://platform.openai.com/docs)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes.openai.checks import check_key
from tests.fakes.openai.refusal import Refusal

if TYPE_CHECKING:
    from tests.fakes.openai.server import FakeOpenAI

_CREATED = 1_700_000_000
_REFUSALS = {
    "missing": Refusal(404, "Invalid URL (GET /v1/models)"),
    "not_allowed": Refusal(405, "Not allowed to GET on /v1/models."),
    "scopes": Refusal(
        403,
        "You have insufficient permissions for this operation. Missing scopes: api.model.read. Check that you have the "
        "correct role in your organization, and if you're using a restricted API key, that it has the scopes.",
    ),
    "forbidden": Refusal(
        403, "Country, region, or territory not supported", "request_forbidden", "unsupported_country_region_territory"
    ),
    "server_error": Refusal(500, "The server had an error while processing your request.", "server_error"),
    "rate_limited": Refusal(429, "Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
}


class Listing:
    """Requests for the list, as they came."""

    def __init__(self) -> None:
        self.headers: list[Mapping[str, str]] = []
        self.sent = 0
        """Bytes of lists without an end that were taken off our hands."""
        self._came = asyncio.Event()

    async def wait(self, count: int, timeout: float = 20.0) -> None:
        """Wait until there were so many requests."""
        async with asyncio.timeout(timeout):
            while len(self.headers) < count:
                self._came.clear()
                await self._came.wait()

    def note(self, headers: Mapping[str, str]) -> None:
        self.headers.append(headers)
        self._came.set()


def listing_routes(fake: FakeOpenAI) -> list[web.RouteDef]:
    """The route; aiohttp answers 405 to other methods than GET and HEAD, as the API does."""

    async def models(request: web.Request) -> web.StreamResponse:
        fake.listing.note(request.headers.copy())
        if await request.read() or request.query_string:
            return _refused(Refusal(400, "Unrecognized request argument supplied"))
        try:
            check_key(fake.settings, request.headers)
        except Refusal as refusal:
            return _refused(refusal)
        match fake.settings.listing:
            case "hang":
                await asyncio.Event().wait()
            case "endless":
                return await _endless(request, fake.listing)
            case str() as fault:
                return _refused(_REFUSALS[fault])
            case None:
                pass
        return web.json_response({"object": "list", "data": [_model(name) for name in fake.settings.models or []]})

    return [web.get("/v1/models", models, allow_head=False)]


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "test"}


def _refused(refusal: Refusal) -> web.Response:
    headers = {"Retry-After": "1"} if refusal.status == 429 else {}
    return web.json_response(refusal.body, status=refusal.status, headers=headers)


async def _endless(request: web.Request, listing: Listing) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    part = b'{"id": "gpt-test", "object": "model"},' * 100
    while True:
        await response.write(part)
        listing.sent += len(part)
