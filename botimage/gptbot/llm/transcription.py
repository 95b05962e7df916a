"""What is said in a recording, written down by an OpenAI-compatible endpoint (`POST /audio/transcriptions`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson

from gptbot.llm import metrics
from gptbot.llm.answer import read_usage
from gptbot.llm.breaker import Breaker
from gptbot.llm.classify import from_response
from gptbot.llm.errors import BadStream, ModelError, ModelTimeout, Overloaded, Unreachable
from gptbot.llm.stream import request_headers
from gptbot.llm.types import Endpoint, Usage

_ENDINGS = {"audio/mpeg": "mp3", "audio/mp4": "m4a"}
"""What a file is called by its type, where that is not the subtype: the API tells formats by the name."""
_MAX_BODY = 1024 * 1024
_TRIES = 2
_PAUSE = 0.5


class Transcriber:
    """One endpoint. It has a circuit breaker like those of models, but no fallbacks."""

    def __init__(self, http: aiohttp.ClientSession, endpoint: Endpoint) -> None:
        self._http = http
        self._endpoint = endpoint
        self._breaker = Breaker(endpoint.model)

    @property
    def endpoint(self) -> Endpoint:
        """Which one it is."""
        return self._endpoint

    async def transcribe(self, audio: bytes, mime: str, used: Callable[[Usage | None], None] | None = None) -> str:
        """The words of a recording; empty when there are none. Raises ModelError.

        `used` hears what tokens it took: None where the API does not say.

        What may pass by itself is tried again once. While the breaker is open, nobody is asked.
        """
        for attempt in range(1, _TRIES + 1):
            if not self._breaker.ready():
                raise Overloaded(f"{self._endpoint.model} failed too often and is left alone for now")
            try:
                text, usage = await self._guarded(audio, mime)
            except ModelError as error:
                # A timeout has used up the patience of whoever waits already.
                if attempt == _TRIES or not error.retryable or isinstance(error, ModelTimeout) or error.retry_after:
                    raise
            else:
                if used is not None:
                    used(usage)
                return text
            await asyncio.sleep(_PAUSE)
        raise AssertionError("unreachable")

    async def _guarded(self, audio: bytes, mime: str) -> tuple[str, Usage | None]:
        started, outcome = asyncio.get_running_loop().time(), "cancelled"
        try:
            with self._breaker.attempt():
                found = await self._request(audio, mime)
            outcome = "ok"
        except ModelError as error:
            outcome = error.kind
            raise
        finally:
            metrics.REQUESTS.labels(self._endpoint.model, outcome).inc()
            metrics.DURATION.labels(self._endpoint.model).observe(asyncio.get_running_loop().time() - started)
        return found

    async def _request(self, audio: bytes, mime: str) -> tuple[str, Usage | None]:
        endpoint = self._endpoint
        form = aiohttp.FormData()
        form.add_field("model", endpoint.model)
        form.add_field("response_format", "json")
        ending = _ENDINGS.get(mime, mime.partition("/")[2])
        form.add_field("file", audio, filename=f"audio.{ending}", content_type=mime)
        headers = request_headers(endpoint)
        del headers["Content-Type"]  # the form has its own
        try:
            async with self._http.post(
                endpoint.url("/audio/transcriptions"), data=form, headers=headers, allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=endpoint.timeout, sock_connect=min(10.0, endpoint.timeout)),
            ) as response:  # fmt: skip
                body = await _read(response)
                if response.status != 200:
                    raise from_response(endpoint, response.status, response.headers, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable(f"{endpoint.address} cannot be reached: {type(error).__name__}") from None
        except TimeoutError:
            raise ModelTimeout(f"{endpoint.model} wrote nothing down within {endpoint.timeout:g} s") from None
        except (aiohttp.ClientError, ConnectionError) as error:
            raise BadStream(f"{endpoint.model} gave no answer ({type(error).__name__})") from None
        return self._text(body)

    def _text(self, body: bytes) -> tuple[str, Usage | None]:
        try:
            answer: Any = orjson.loads(body)
        except orjson.JSONDecodeError:
            answer = None
        text = answer.get("text") if isinstance(answer, dict) else None
        if not isinstance(text, str):
            raise BadStream(
                f"{self._endpoint.address} does not answer as a transcription API does: check {self._endpoint.path}"
            )
        usage = answer.get("usage")
        if isinstance(usage, dict) and usage.get("type") == "duration":  # paid by the second
            return text.strip(), Usage(0, 0)
        return text.strip(), read_usage(usage, "input_tokens", "output_tokens")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, but no more than about a megabyte of it: nobody speaks that much."""
    parts: list[bytes] = []
    length = 0
    async for part in response.content.iter_any():
        parts.append(part)
        length += len(part)
        if length > _MAX_BODY:
            break
    return b"".join(parts)
