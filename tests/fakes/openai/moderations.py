"""The moderation endpoint (platform.openai.com/docs/api-reference/moderations): flags texts with certain words."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from tests.fakes.openai.checks import Refusal, check_key

if TYPE_CHECKING:
    from tests.fakes.openai.server import FakeOpenAI

_MODELS = ("omni-moderation-latest", "omni-moderation-2024-09-26")
_CATEGORIES = ("harassment", "hate", "illicit", "self-harm", "sexual", "violence")
_FIELDS = {"input", "model"}
_REFUSALS = {
    "server_error": Refusal(500, "The server had an error while processing your request.", "server_error"),
    "rate_limited": Refusal(429, "Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
}


def moderation_routes(fake: FakeOpenAI) -> list[web.RouteDef]:
    """`POST /v1/moderations`. Bodies are kept in `fake.moderations`."""

    async def moderations(request: web.Request) -> web.Response:
        try:
            body: Any = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            body = None
        fake.moderations.append(body)
        fault = fake.settings.moderation_fault
        try:
            if fault == "hang":
                await asyncio.Event().wait()
            if fault == "html":
                return web.Response(text="<!doctype html><title>Welcome</title>", content_type="text/html")
            if fault in _REFUSALS:
                raise _REFUSALS[fault]
            check_key(fake.settings, request.headers)
            texts = _checked(body)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        if fault == "short":
            texts = texts[1:]
        results = [_result(any(word in text for word in fake.settings.flagged)) for text in texts]
        tokens = fake.settings.moderation_tokens
        usage = {"usage": {"prompt_tokens": tokens, "completion_tokens": 0}} if tokens else {}
        return web.json_response(
            {"id": f"modr-{len(fake.moderations)}", "model": "omni-moderation-2024-09-26", "results": results, **usage}
        )

    return [web.post("/v1/moderations", moderations)]


def _checked(body: Any) -> list[str]:
    """The texts of a request. Raises Refusal."""
    if not isinstance(body, dict):
        raise Refusal(400, "We could not parse the JSON body of your request.")
    for name in body:
        if name not in _FIELDS:
            raise Refusal(400, f"Unrecognized request argument supplied: {name}")
    if body.get("model", _MODELS[0]) not in _MODELS:
        raise Refusal(404, f"The model `{body['model']}` does not exist.", code="model_not_found")
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise Refusal(400, "'$.input' is invalid. Please check the API reference.", param="input")
    return texts


def _result(flagged: bool) -> dict[str, Any]:
    return {
        "flagged": flagged,
        "categories": {name: flagged and name == "violence" for name in _CATEGORIES},
        "category_scores": {name: 0.9 if flagged and name == "violence" else 0.001 for name in _CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }
