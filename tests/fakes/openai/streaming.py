"""An answer as a stream of chunks, paced by the wheel and cut as the script says."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import time

import orjson
from aiohttp import web

from tests.fakes.openai.record import Recorded
from tests.fakes.openai.script import Script
from tests.fakes.openai.wheel import TimerWheel

_MID_STREAM = {"reset", "cut", "ended", "stall", "broken", "error_event"}
ERROR_EVENT = {
    "message": "The server had an error while processing your request. Sorry about that!",
    "type": "server_error",
    "param": None,
    "code": None,
}


def tokens_of(text: str) -> list[str]:
    """Words with the space before them: near enough to tokens."""
    return re.findall(r"\s*\S+|\s+\Z", text)


class Chunks:
    """The bytes of the events of one answer."""

    def __init__(self, completion_id: str, created: int, model: str, usage: bool) -> None:
        fixed = {"id": completion_id, "object": "chat.completion.chunk", "created": created, "model": model}
        self._head = b"data: " + orjson.dumps({**fixed, "service_tier": "default", "system_fingerprint": None})[:-1]
        self._tail = b',"usage":null}\n\n' if usage else b"}\n\n"
        self._before = self._head + b',"choices":[{"index":0,"delta":{"content":'
        self._after = b'},"logprobs":null,"finish_reason":null}]' + self._tail

    def role(self) -> bytes:
        return self._choice(b'{"role":"assistant","content":"","refusal":null}', b"null")

    def token(self, token: str) -> bytes:
        return self._before + orjson.dumps(token) + self._after

    def thought(self, token: str) -> bytes:
        return self._choice(b'{"reasoning_content":' + orjson.dumps(token) + b"}", b"null")

    def end(self, reason: str) -> bytes:
        return self._choice(b"{}", orjson.dumps(reason))

    def usage(self, prompt: int, completion: int) -> bytes:
        counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        return self._head + b',"choices":[],"usage":' + orjson.dumps(counts) + b"}\n\n"

    def _choice(self, delta: bytes, reason: bytes) -> bytes:
        choice = b',"choices":[{"index":0,"delta":' + delta + b',"logprobs":null,"finish_reason":' + reason + b"}]"
        return self._head + choice + self._tail


class Stream:
    """Writes tokens to one connection, as many as are due each time the wheel comes by."""

    def __init__(
        self,
        request: web.Request,
        recorded: Recorded,
        wheel: TimerWheel,
        chunks: Chunks,
        tokens: list[str],
        rate: float,
    ) -> None:
        """`rate`: tokens a second; 0 for all at once."""
        self._loop = asyncio.get_running_loop()
        assert request.transport is not None
        self._transport = request.transport
        self._recorded = recorded
        self._wheel = wheel
        self._chunks = chunks
        self._tokens = tokens
        self._rate = rate
        self._started = self._loop.time()
        self._done: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> None:
        """Return when all tokens are written, or the client is gone."""
        self._step()
        await self._done

    def _step(self) -> None:
        if self._done.done():
            return
        sent = self._recorded.tokens_sent
        due = len(self._tokens)
        if self._rate:
            due = min(due, int((self._loop.time() - self._started) * self._rate) + 1)
        if self._transport.is_closing():
            self._done.set_result(None)
            return
        # Straight to the transport, framed as chunked encoding wants it: response.write() would take a task a token.
        token = self._chunks.token
        pieces = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in map(token, self._tokens[sent:due])]
        self._transport.write(b"".join(pieces))
        self._recorded.tokens_sent = due
        if due == len(self._tokens):
            self._recorded.last_token_at = time.time()
            self._done.set_result(None)
        else:
            self._wheel.call_at(self._started + due / self._rate, self._step)


async def stream_answer(
    request: web.Request,
    recorded: Recorded,
    wheel: TimerWheel,
    chunks: Chunks,
    script: Script,
    text: str,
    rate: float,
    prompt_tokens: int,
    usage: bool,
) -> web.StreamResponse:
    """Answer as OpenAI does, with the script's fault in it."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
    )
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(chunks.role())
    thoughts = tokens_of(script.reasoning)
    for thought in thoughts:
        await response.write(chunks.thought(thought))
    tokens = (
        [] if script.fault in ("filtered", "empty") else tokens_of(text) if script.pieces is None else script.pieces
    )
    broken = script.fault in _MID_STREAM
    await Stream(request, recorded, wheel, chunks, tokens[: script.after_tokens] if broken else tokens, rate).run()
    if broken:
        await _break(request, response, script, chunks)
        recorded.end("failed")
        return response
    await response.write(chunks.end("content_filter" if script.fault == "filtered" else script.finish_reason))
    if usage:
        await response.write(chunks.usage(prompt_tokens, len(thoughts) + len(tokens)))
    if script.fault != "no_done":
        await response.write(b"data: [DONE]\n\n")
    if script.fault == "open_end":
        await asyncio.Event().wait()
    await response.write_eof()
    return response


async def _break(request: web.Request, response: web.StreamResponse, script: Script, chunks: Chunks) -> None:
    transport = request.transport
    if transport is None:
        return
    match script.fault:
        case "reset":
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        case "cut":
            transport.close()
        case "stall":
            await asyncio.Event().wait()  # until the client has enough
        case "broken":
            await response.write(chunks.token(" half")[:60] + b"\n\n")
            await response.write_eof()
        case "error_event":
            await response.write(b"data: " + orjson.dumps({"error": ERROR_EVENT}) + b"\n\n")
            await response.write_eof()
        case _:
            await response.write_eof()
