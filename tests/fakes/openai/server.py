"""The fake itself: routes, scripts in the order they were given, and a record of every request."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

from tests.fakes.openai.checks import Refusal, check_key, check_request, count_tokens, too_long
from tests.fakes.openai.control import control_routes
from tests.fakes.openai.listing import Listing, listing_routes
from tests.fakes.openai.moderations import moderation_routes
from tests.fakes.openai.record import Recorded
from tests.fakes.openai.script import Fault, Script, Settings
from tests.fakes.openai.streaming import Chunks, stream_answer, tokens_of
from tests.fakes.openai.transcriptions import Ear, transcription_routes
from tests.fakes.openai.wheel import TimerWheel

_CREATED = 1_700_000_000

_REFUSALS: dict[str, Callable[[Settings], Refusal]] = {
    "rate_limited": lambda s: Refusal(429, "Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
    "quota": lambda s: Refusal(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
    ),
    "server_error": lambda s: Refusal(500, "The server had an error while processing your request.", "server_error"),
    "overloaded": lambda s: Refusal(503, "The engine is currently overloaded, please try again later.", "server_error"),
    "timeout": lambda s: Refusal(408, "Request timeout.", "server_error"),
    "conflict": lambda s: Refusal(409, "The resource is locked.", "server_error"),
    "unauthorized": lambda s: Refusal(401, "Incorrect API key provided: sk-abcde***.", code="invalid_api_key"),
    "forbidden": lambda s: Refusal(
        403, "Country, region, or territory not supported", "request_forbidden", "unsupported_country_region_territory"
    ),
    "context_too_long": lambda s: too_long(s.context_window, s.context_window + 1),
    "refused": lambda s: Refusal(
        400, "The prompt was filtered: it triggers our content management policy.", "", "content_filter"
    ),
    "bad_parameter": lambda s: Refusal(
        400, "Unsupported value: 'temperature' does not support 0.7 with this model.", code="unsupported_value",
        param="temperature",
    ),
}  # fmt: skip


class FakeOpenAI:
    """The server, for as long as the context is entered. Without scripts it says back what it was asked."""

    def __init__(self, settings: Settings | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.settings = settings or Settings()
        self.host = host
        self.port = port
        self.requests: list[Recorded] = []
        self.moderations: list[Any] = []
        """Bodies of the requests for moderation."""
        self.ear = Ear()
        """What is heard in recordings, and which came."""
        self.listing = Listing()
        """Requests for the list of models."""
        self.scripts: list[Script] = []
        self._came = asyncio.Event()
        self._wheel = TimerWheel()
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"

    def say(self, text: str, **script: Any) -> None:
        """Answer the next request with `text`; further fields as in Script."""
        self.scripts.append(Script(text=text, **script))

    def fail(self, fault: Fault, **script: Any) -> None:
        """Fail the next request; further fields as in Script."""
        self.scripts.append(Script(fault=fault, **script))

    def reset(self) -> None:
        """Forget requests and scripts."""
        self.requests.clear()
        self.moderations.clear()
        self.ear = Ear()
        self.listing = Listing()
        self.scripts.clear()

    async def wait_requests(self, count: int, timeout: float = 10.0) -> list[Recorded]:
        """The requests, once there are `count`."""
        async with asyncio.timeout(timeout):
            while len(self.requests) < count:
                self._came.clear()
                await self._came.wait()
        return self.requests

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/health", self._health)
        app.add_routes(
            [*control_routes(self), *listing_routes(self), *moderation_routes(self), *transcription_routes(self)]
        )
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, backlog=8192)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wheel.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            body = None
        recorded = Recorded(body if isinstance(body, dict) else {}, request.headers.copy())
        self.requests.append(recorded)
        self._came.set()
        try:
            check_key(self.settings, request.headers)
            check_request(self.settings, body)
            response = await self._answer(request, recorded, self._script(recorded))
        except Refusal as refusal:
            recorded.end("failed")
            response = web.json_response(refusal.body, status=refusal.status)
        except (asyncio.CancelledError, ConnectionError):
            recorded.end("aborted")
            raise
        recorded.status = response.status
        recorded.end("finished")
        return response

    def _script(self, recorded: Recorded) -> Script:
        asked = recorded.last_user_message
        fitting = [
            script
            for script in self.scripts
            if (script.match is None or script.match in asked) and script.model in (None, recorded.body["model"])
        ]
        if not fitting:
            return Script()
        script = fitting[0]
        if script.times is not None:
            script.times -= 1
            if script.times == 0:
                self.scripts = [each for each in self.scripts if each is not script]
        elif script.match is not None:  # of questions that were joined into one message, the last is answered
            lasting = [each for each in fitting if each.times is None and each.match is not None]
            script = max(lasting, key=lambda each: asked.rfind(each.match or ""))
        return script

    async def _answer(self, request: web.Request, recorded: Recorded, script: Script) -> web.StreamResponse:
        if script.first_token_delay:
            await asyncio.sleep(script.first_token_delay)
        if script.raw is not None:
            return await _send_raw(request, recorded, script.raw.encode())
        if (early := await self._fail_early(request, recorded, script)) is not None:
            return early
        body = recorded.body
        text = script.text if script.pieces is None else "".join(script.pieces)
        if text is None:
            text = f"You said ({len(recorded.messages)} messages): {recorded.asked or recorded.last_user_message}"
        prompt_tokens = count_tokens(recorded.messages)
        if (most := body.get("max_completion_tokens") or body.get("max_tokens")) and self.settings.bounded:
            text, script = _bounded(text, script, most)
        if not body.get("stream") or script.fault == "json":
            text = "" if script.fault in ("empty", "filtered") else text
            reason = "content_filter" if script.fault == "filtered" else script.finish_reason
            return web.json_response(self._completion(body["model"], text, reason, prompt_tokens, script.reasoning))
        usage = bool((body.get("stream_options") or {}).get("include_usage"))
        chunks = Chunks(self._id(), _CREATED, body["model"], usage)
        rate = script.tokens_per_second
        rate = self.settings.tokens_per_second if rate is None else rate
        return await stream_answer(request, recorded, self._wheel, chunks, script, text, rate, prompt_tokens, usage)

    async def _fail_early(self, request: web.Request, recorded: Recorded, script: Script) -> web.StreamResponse | None:
        match script.fault:
            case "hang":
                await asyncio.Event().wait()
            case "drop":
                recorded.end("failed")
                if request.transport is not None:
                    request.transport.close()
                return web.Response(status=500)
            case "redirect":
                recorded.end("failed")
                return web.Response(status=307, headers={"Location": "/v2/chat/completions"})
            case "html":
                recorded.end("failed")
                return web.Response(text="<!doctype html><title>Welcome</title>", content_type="text/html")
            case fault if fault in _REFUSALS:
                recorded.end("failed")
                refusal = _REFUSALS[fault](self.settings)
                headers = {} if script.retry_after is None else {"Retry-After": f"{math.ceil(script.retry_after)}"}
                if script.retry_after is not None and script.retry_after % 1:
                    headers["retry-after-ms"] = str(int(script.retry_after * 1000))
                return web.json_response(refusal.body, status=refusal.status, headers=headers)
            case _:
                pass
        return None

    def _completion(self, model: str, text: str, reason: str, prompt_tokens: int, thoughts: str) -> dict[str, Any]:
        tokens = len(tokens_of(thoughts)) + len(tokens_of(text))
        more = {"reasoning_content": thoughts} if thoughts else {}
        return {
            "id": self._id(),
            "object": "chat.completion",
            "created": _CREATED,
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text, "refusal": None, **more},
                    "logprobs": None,
                    "finish_reason": reason,
                }
            ],
            "usage": {
                "prompt_tokens": prompt_tokens, "completion_tokens": tokens, "total_tokens": prompt_tokens + tokens,
            },
        }  # fmt: skip

    def _id(self) -> str:
        return f"chatcmpl-{len(self.requests)}"


def _bounded(text: str, script: Script, most: int) -> tuple[str, Script]:
    """Text and script of an answer of at most so many tokens, thoughts included."""
    thoughts = tokens_of(script.reasoning)
    words = tokens_of(text) if script.pieces is None else script.pieces
    if len(thoughts) + len(words) <= most:
        return text, script
    thoughts, words = thoughts[:most], words[: max(0, most - len(thoughts))]
    changes = {
        "reasoning": "".join(thoughts), "finish_reason": "length",
        "pieces": None if script.pieces is None else words,
    }  # fmt: skip
    return "".join(words), script.model_copy(update=changes)


async def _send_raw(request: web.Request, recorded: Recorded, response: bytes) -> web.StreamResponse:
    transport = request.transport
    assert transport is not None
    for place in range(len(response)):
        if transport.is_closing():
            break
        transport.write(response[place : place + 1])
        await asyncio.sleep(0)
    recorded.end("finished")
    transport.close()
    return web.Response(status=200)
