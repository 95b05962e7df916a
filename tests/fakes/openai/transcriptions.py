"""Speech to text (platform.openai.com/docs/api-reference/audio/createTranscription): writes down what it is told to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web

from tests.fakes.openai.checks import Refusal, check_key

if TYPE_CHECKING:
    from tests.fakes.openai.server import FakeOpenAI

_FORMATS = ["flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"]
_BEGINNINGS = (b"OggS", b"ID3", b"\xff\xfb", b"RIFF", b"fLaC", b"\x1a\x45\xdf\xa3")
_FIELDS = {"file", "model", "language", "prompt", "response_format", "temperature", "stream", "include"}
_MOST = 25 * 1024 * 1024


@dataclass(frozen=True)
class Recording:
    """A file that was sent to be written down."""

    name: str
    mime: str
    content: bytes = field(repr=False)
    model: str


@dataclass
class Ear:
    """What is heard, and what was sent."""

    says: str = "Hello, what is the time?"
    """What all recordings say."""
    usage: Any = field(default_factory=lambda: {"type": "duration", "seconds": 3})
    """As the API counts; None: it tells none."""
    fault: Literal["server_error", "rate_limited", "hang", "html", "drop"] | None = None
    times: int = 1_000_000
    """How many requests the fault is for."""
    recordings: list[Recording] = field(default_factory=list[Recording])
    requests: int = 0


def transcription_routes(fake: FakeOpenAI) -> list[web.RouteDef]:
    """`POST /v1/audio/transcriptions`."""

    async def transcriptions(request: web.Request) -> web.StreamResponse:
        ear = fake.ear
        ear.requests += 1
        try:
            check_key(fake.settings, request.headers)
            recording = await _recording(request)
            if ear.fault is not None and ear.times > 0:
                ear.times -= 1
                return await _fail(ear.fault, request)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        ear.recordings.append(recording)
        told = {} if ear.usage is None else {"usage": ear.usage}
        return web.json_response({"text": ear.says, **told})

    return [web.post("/v1/audio/transcriptions", transcriptions)]


async def _recording(request: web.Request) -> Recording:
    if request.content_type != "multipart/form-data":
        raise Refusal(400, "Could not parse multipart form")
    form = await request.post()
    if unknown := set(form) - _FIELDS:
        raise Refusal(400, f"Unrecognized request argument supplied: {sorted(unknown)[0]}")
    model, file = form.get("model"), form.get("file")
    if not isinstance(model, str) or not model:
        raise Refusal(400, "you must provide a model parameter")
    if form.get("response_format", "json") != "json":
        raise Refusal(400, "response_format is not compatible with this model", code="unsupported_value")
    if not isinstance(file, web.FileField):
        raise Refusal(400, "[{'type': 'missing', 'loc': ('body', 'file'), 'msg': 'Field required'}]")
    content = file.file.read()
    if len(content) > _MOST:
        raise Refusal(413, f"Maximum content size limit ({_MOST}) exceeded")
    if file.filename.rpartition(".")[2] not in _FORMATS or not content.startswith(_BEGINNINGS):
        raise Refusal(400, f"Invalid file format. Supported formats: {_FORMATS}")
    return Recording(file.filename, file.content_type, content, model)


async def _fail(fault: str, request: web.Request) -> web.StreamResponse:
    match fault:
        case "server_error":
            raise Refusal(500, "The server had an error while processing your request.", "server_error")
        case "rate_limited":
            raise Refusal(429, "Rate limit reached for requests.", "requests", "rate_limit_exceeded")
        case "html":
            return web.Response(text="<!doctype html><title>Welcome</title>", content_type="text/html")
        case "drop":
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        case _:
            await asyncio.Event().wait()
            return web.Response()
