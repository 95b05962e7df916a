"""One request to one endpoint: sent, read as a stream, and every way it can end told apart."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp
import orjson

from gptbot.llm.answer import MAX_TEXT, Answer
from gptbot.llm.classify import from_response, usage_in
from gptbot.llm.errors import BadStream, ModelError, ModelTimeout, TookTooLong, Unreachable
from gptbot.llm.progress import Progress
from gptbot.llm.roles import alternating
from gptbot.llm.sse import EventDecoder, EventTooLong
from gptbot.llm.thoughts import without_unopened
from gptbot.llm.traits import Traits
from gptbot.llm.types import Completion, Endpoint, Message, Usage
from gptbot.llm.words import content_type

MAX_BODY = 1024 * 1024
"""Bytes of an answer that is no stream: of small objects, so much takes 30 ms to read."""
_CONNECT_TIMEOUT = 10.0
_USAGE = 1.5
"""Seconds after the end of an answer for which its usage is waited for."""
_BEFORE = re.compile(rb"(?:[ \t\r\n]++|:[^\r\n]*+[\r\n])*+")
"""White space and comments, which keep the connection open; an object may begin behind them."""
_DRAIN = 0.1  # seconds for the end of the body after [DONE], so that the connection can be used again


def request_body(
    endpoint: Endpoint, messages: Sequence[Message], *, stream: bool, traits: Traits | None = None, whole: bool = False
) -> bytes:
    """The JSON of a request. `traits`: what the endpoint is known not to take. `whole`: as in `Endpoint.fields`."""
    traits = traits or Traits()
    said = [_said(message, endpoint.vision) for message in alternating(messages, system=not traits.no_system)]
    fields = traits.fields(endpoint.fields(whole=whole, window=traits.window))
    body: dict[str, Any] = {**fields, "model": endpoint.model, "messages": said, "stream": stream}
    if stream and "stream_options" not in traits.without:
        body["stream_options"] = {"include_usage": True}
    return orjson.dumps(body)


def _said(message: Message, vision: bool) -> dict[str, Any]:
    """A message as the API has it: images are further parts of its content."""
    role, content = message["role"], message["content"]
    images = message.get("images", ()) if vision else ()
    if not images:
        return {"role": role, "content": content}
    shown = [{"type": "image_url", "image_url": {"url": image}} for image in images]
    return {"role": role, "content": [{"type": "text", "text": content}, *shown]}


def request_headers(endpoint: Endpoint) -> dict[str, str]:
    """Headers of a request. The answer is asked for uncompressed: a compressed stream comes in lumps."""
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if endpoint.api_key is not None:
        headers["Authorization"] = f"Bearer {endpoint.api_key}"
    return headers


class Request:
    """One request; `run` it once. Cancelling it closes the connection, so that the API stops working for nobody."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        endpoint: Endpoint,
        body: bytes,
        headers: Mapping[str, str],
        on_text: Callable[[str], None] | None,
        interval: float,
        heard: Callable[[int], None] | None = None,
        *,
        begun: bool = False,
        whole: bool = False,
    ) -> None:
        """`interval`: seconds of text that `on_text` gets at once, after the first.

        `heard` is told how many characters came so far, reasoning included, and may raise ModelError to end it.
        `begun`: thoughts of this endpoint begin in its prompt, and only their end is in an answer. `whole`: the answer
        may be longer than the endpoint's `most_characters`.
        """
        self._http = http
        self._endpoint = endpoint
        self._body = body
        self._headers = headers
        self._on_text = on_text
        self._interval = interval
        self._heard = heard
        self._answer = Answer(endpoint, begun=begun, most=MAX_TEXT if whole else endpoint.most_characters)
        self._decoder = EventDecoder()
        self._begun: bytearray | None = bytearray()
        """The body so far, while it may be one object and no events; None when it is events."""
        self._progress: Progress
        self.first_text: float | None = None
        """When the first text came, on the loop's clock."""
        self.may_cost = True
        """Whether the API may have worked on it: not when it refused the request, or never got it."""

    @property
    def usage(self) -> Usage | None:
        """What the API counted, as far as it told."""
        return self._answer.counted()

    @property
    def said(self) -> int:
        """Characters that came so far, reasoning included."""
        return self._answer.characters

    async def run(self) -> Completion:
        """Make the request. Raises ModelError with the text so far."""
        try:
            return await self._run()
        except ModelError as error:
            error.text = without_unopened(self._answer.text)
            raise

    async def _run(self) -> Completion:
        endpoint = self._endpoint
        self._progress = Progress(endpoint, asyncio.get_running_loop().time())
        timeout = min(endpoint.timeout, endpoint.total_timeout)
        response: aiohttp.ClientResponse | None = None
        clean = False
        try:
            async with asyncio.timeout(timeout):
                response = await self._http.post(
                    endpoint.url("/chat/completions"),
                    data=self._body,
                    headers=self._headers,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(_CONNECT_TIMEOUT, timeout)),
                )
                if response.status != 200:
                    body = await _read(response, 64 * 1024)
                    self._answer.usage = usage_in(body)
                    self.may_cost = self.usage is not None
                    raise from_response(endpoint, response.status, response.headers, body)
            clean = await self._read_stream(response)
            return self._completion(response)
        except TimeoutError as error:
            if isinstance(error, aiohttp.ClientError):  # ServerTimeoutError: connecting
                raise self._unreachable(error) from None
            raise self._timed_out() from None
        except aiohttp.ClientError as error:
            if response is None:
                raise self._unreachable(error) from None
            raise self._cut() from None
        except ConnectionError as error:
            raise (self._unreachable(error) if response is None else self._cut()) from None
        finally:
            if response is not None:
                if clean:
                    response.release()
                else:
                    response.close()

    async def _read_stream(self, response: aiohttp.ClientResponse) -> bool:
        """Read to the end. False: the end was seen in the answer, but not of the connection."""
        loop, answer, progress = asyncio.get_running_loop(), self._answer, self._progress
        try:
            while True:
                try:
                    # One timer for many reads: moving it with each would cost more than to look again when it rings.
                    async with asyncio.timeout_at(progress.deadline):
                        if (clean := await self._read_events(response.content)) is not None:
                            return clean
                except TimeoutError as error:
                    if progress.deadline <= loop.time() or isinstance(error, aiohttp.ClientError):
                        raise
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            if left := _left(response.content):
                self._take(left)
            if answer.done or answer.finish_reason is not None:
                return False  # only the usage may be missing
            raise

    async def _read_events(self, content: aiohttp.StreamReader) -> bool | None:
        """Read to the end, as `_read_stream`. None: the deadline has come nearer."""
        answer, progress = self._answer, self._progress
        begun = progress.begun
        while True:
            read = await content.readany()
            if not read:
                self._take(b"")
                return True
            self._take(read)
            if answer.ended is not None:
                return False
            if answer.done or (answer.finish_reason is not None and answer.usage is not None):
                return await _ended(content)
            if answer.finish_reason is not None and progress.over == math.inf:
                progress.over = asyncio.get_running_loop().time() + _USAGE
                return None
            if progress.begun and not begun:
                return None
            if self.first_text is not None and self._interval:
                # Let more text gather: a wake-up a token is most of what a token costs. The end is not waited out.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._interval):
                        await content.wait_eof()

    def _take(self, read: bytes) -> None:
        """Take in bytes; none at the end."""
        if b"\n" in read or b"\r" in read:
            self._progress.lives(asyncio.get_running_loop().time())
        if self._begun is not None:
            sorted_ = self._sorted(self._begun, read)
            if sorted_ is None:
                return
            read = sorted_
        try:
            events = self._decoder.feed(read) if read else self._decoder.end()
        except EventTooLong:
            raise BadStream(f"{self._endpoint.model} sent an event without end") from None
        if events:
            self._hear(events)

    def _sorted(self, body: bytearray, read: bytes) -> bytes | None:
        """The bytes of events; None while the body is, or may be, one object. Its content type may be wrong."""
        body += read
        if read and BOM_UTF8.startswith(body):
            return None
        if body.startswith(BOM_UTF8):
            del body[: len(BOM_UTF8)]
        if (before := _BEFORE.match(body)) is not None:
            del body[: before.end()]
        if read and (not body or (body.startswith(b":") and len(body) <= MAX_BODY)):
            return None
        if not body.startswith((b"{", b"[")):
            self._begun = None
            return bytes(body)
        if read and len(body) <= MAX_BODY:
            return None
        self._begun = bytearray()
        self._give(self._answer.feed_object(bytes(body)))
        return None

    def _hear(self, events: list[bytes]) -> None:
        answer = self._answer
        text = answer.feed(events)
        if self._heard is not None:
            self._heard(answer.characters)
        self._give(text)
        if answer.moved:  # events of nothing keep no answer alive
            answer.moved = False
            self._progress.moved(asyncio.get_running_loop().time())
        if answer.error is not None:
            raise answer.error

    def _give(self, text: str) -> None:
        if text:
            if self.first_text is None:
                self.first_text = asyncio.get_running_loop().time()
            if self._on_text is not None:
                self._on_text(text)

    def _completion(self, response: aiohttp.ClientResponse) -> Completion:
        answer = self._answer
        if (
            not (answer.done or answer.finish_reason or self.first_text)
            and response.content_type != "text/event-stream"
        ):
            kind = content_type(response.content_type)
            raise BadStream(
                f"{self._endpoint.address} answered with {kind}, not with a stream of events: "
                "check that spec.llm.baseUrl is the address of an OpenAI-compatible API"
            )
        return answer.completion()

    def _unreachable(self, error: Exception) -> ModelError:
        self.may_cost = False
        # What the system says of a connection; other errors quote what the server sent.
        ours = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | ConnectionError)
        why = str(error) if ours else ""
        return Unreachable(f"{self._endpoint.address} cannot be reached: {why or type(error).__name__}")

    def _cut(self) -> ModelError:
        if not self._answer.text:
            return BadStream(f"{self._endpoint.model} closed the connection before its answer")
        return BadStream(f"{self._endpoint.model} closed the connection in mid-answer")

    def _timed_out(self) -> ModelError:
        model, progress, now = self._endpoint.model, self._progress, asyncio.get_running_loop().time()
        if progress.spent(now):
            total = self._endpoint.total_timeout
            return TookTooLong(
                f"{model} was not at the end of its answer after {total:g} s (spec.llm.totalTimeoutSeconds)"
            )
        if progress.lived_on(now):
            alive = self._endpoint.keep_alive
            return ModelTimeout(f"{model} sent signs of life and no token for {alive:g} s (spec.llm.keepAliveSeconds)")
        what, field = ("went silent in mid-answer", "stall") if progress.begun else ("sent no token", "timeout")
        return ModelTimeout(f"{model} {what} for {progress.silence:g} s (spec.llm.{field}Seconds)")


def _left(content: aiohttp.StreamReader) -> bytes:
    """What came before the connection broke: once it is broken, the reader only raises."""
    return b"".join(content._buffer)


async def _ended(content: aiohttp.StreamReader) -> bool:
    """Whether the body ends within a moment."""
    try:
        async with asyncio.timeout(_DRAIN):
            while await content.readany():
                pass
    except (TimeoutError, aiohttp.ClientError, ConnectionError):
        return False
    return True


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body, but no more than about `limit` bytes of it."""
    parts: list[bytes] = []
    length = 0
    while length <= limit and (part := await response.content.readany()):
        parts.append(part)
        length += len(part)
    return b"".join(parts)
