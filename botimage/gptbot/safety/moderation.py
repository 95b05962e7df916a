"""Has texts looked at by a moderation endpoint (`spec.safety.moderation`): what people ask, and what the model answers.

The request is OpenAI's `POST /moderations` (https://platform.openai.com/docs/api-reference/moderations), which other
servers have too. Which categories a text is flagged for is the endpoint's business.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Literal, cast

import aiohttp
import orjson

from gptbot.llm.answer import read_usage
from gptbot.llm.breaker import Breaker
from gptbot.llm.classify import retry_after
from gptbot.llm.errors import BadRequest, BadStream, ModelError, ModelNotFound, Overloaded, Unauthorized, Unreachable
from gptbot.llm.types import Endpoint
from gptbot.manifest import BotConfig
from gptbot.telemetry import metrics
from gptbot.telemetry.logs import get_logger
from gptbot_api.safety import Moderation

log = get_logger("moderation")

TIMEOUT = 10.0
"""Seconds that one request may take."""
TRIES = 3
_FIRST_PAUSE = 0.3
_LONGEST_PAUSE = 3.0
_PIECE = 8000
"""Characters of one text of a request; a longer one is sent as several."""
_MOST_BYTES = 1024 * 1024
_FIELD = "spec.safety.moderation"

Side = Literal["input", "output"]


class ModerationUnavailable(ModelError):
    """Texts are to be looked at, and cannot be now."""

    kind = "moderation"
    retryable = True


class Moderator:
    """Looks at the texts of one bot. Without an endpoint, nothing is flagged."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        bot: str,
        spec: Moderation | None,
        api_key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        breaker: Callable[[str], Breaker] = Breaker,
        spend: Callable[[int], Awaitable[object]] | None = None,
    ) -> None:
        """`bot` is for logs and metrics. `timeout`: seconds of one request. `spend` counts tokens that it took."""
        self._spend = spend
        self._http = http
        self._bot = bot
        self._spec = spec
        self._key = api_key
        self._timeout = timeout
        self._breaker = None if spec is None else breaker(spec.model)

    @classmethod
    def of(
        cls,
        config: BotConfig,
        http: aiohttp.ClientSession,
        spend: Callable[[int], Awaitable[object]] | None = None,
    ) -> Moderator:
        """That of a bot. Raises InvalidManifest when its key cannot be found."""
        spec = config.bot.spec.safety.moderation
        reference = None if spec is None else spec.api_key_secret_ref
        key = None if reference is None else config.secret(reference, f"{_FIELD}.apiKeySecretRef")
        return cls(http, config.key, spec, key, spend=spend)

    @property
    def holds_back(self) -> bool:
        """Whether an answer must not be shown before it was looked at."""
        return self._spec is not None and self._spec.output

    async def flags_question(self, texts: Iterable[str]) -> bool:
        """Whether what people wrote is not to be answered.

        Raises ModerationUnavailable where `onError` is `refuse`, also when an answer could not be looked at later on.
        """
        spec, breaker = self._spec, self._breaker
        if spec is None or breaker is None:
            return False
        if spec.input:
            return await self._flags("input", texts)
        if spec.on_error == "refuse" and not breaker.ready():
            raise ModerationUnavailable(f"answers cannot be looked at: {spec.model} keeps failing")
        return False

    async def flags_answer(self, text: str) -> bool:
        """Whether what the model said is not to be shown. Raises ModerationUnavailable where `onError` is `refuse`."""
        return self.holds_back and await self._flags("output", [text])

    async def _flags(self, side: Side, texts: Iterable[str]) -> bool:
        pieces = [piece for text in texts for piece in _pieces(text)]
        if not pieces:
            return False
        assert self._spec is not None
        try:
            flagged, tokens = await self._ask(self._spec, pieces)
        except ModelError as error:
            self._count(side, "unavailable")
            allowed = self._spec.on_error == "allow"
            log.warning("a text could not be looked at", side=side, reason=str(error), allowed=allowed, bot=self._bot)
            if allowed:
                return False
            raise ModerationUnavailable(str(error), retry_after=error.retry_after) from None
        self._count(side, "flagged" if flagged else "passed")
        if tokens and self._spend is not None:
            await self._spend(tokens)
        return flagged

    def _count(self, side: Side, outcome: str) -> None:
        metrics.MODERATIONS.labels(bot=self._bot, side=side, outcome=outcome).inc()

    async def _ask(self, spec: Moderation, pieces: list[str]) -> tuple[bool, int]:
        """Whether any is flagged, and the tokens that it took. Asks a few times if need be.

        Raises ModelError, at once while the endpoint is left alone.
        """
        breaker = self._breaker
        assert breaker is not None
        for tried in range(TRIES):
            if not breaker.ready():
                break
            try:
                with breaker.attempt():
                    return await self._request(spec, pieces)
            except ModelError as error:
                pause = error.retry_after or _FIRST_PAUSE * 3**tried * random.uniform(0.7, 1.0)
                if not error.retryable or tried == TRIES - 1 or pause > _LONGEST_PAUSE:
                    raise
                await asyncio.sleep(pause)
        raise Overloaded(f"{spec.model} keeps failing and is left alone for a while")

    async def _request(self, spec: Moderation, pieces: list[str]) -> tuple[bool, int]:
        endpoint = Endpoint(spec.base_url, self._key, spec.model)
        headers = {"Content-Type": "application/json"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        body = orjson.dumps({"model": spec.model, "input": pieces[0] if len(pieces) == 1 else pieces})
        address = endpoint.address
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._http.post(
                    endpoint.url("/moderations"), data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                if response.status != 200:
                    raise _refused(spec.model, address, response.status, retry_after(response.headers))
                return _verdict(await _read(response), len(pieces), address)
        except TimeoutError:
            raise Overloaded(f"{address} did not answer within {self._timeout:g} s") from None
        except (aiohttp.ClientError, ConnectionError) as error:
            raise Unreachable(f"{address} cannot be reached: {type(error).__name__}") from None


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PIECE):
        if (piece := text[start : start + _PIECE]).strip():
            yield piece


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    while len(body) <= _MOST_BYTES and (part := await response.content.readany()):
        body += part
    return body


def _verdict(body: bytes, texts: int, address: str) -> tuple[bool, int]:
    """Whether any text was flagged, and the tokens that it took, where that costs some.

    Raises BadStream when the answer is none: a text nobody saw has not passed.
    """
    try:
        answer: Any = orjson.loads(body)
        results = cast("list[dict[str, Any]]", answer["results"])
        flags = [result["flagged"] for result in results]
        usage = read_usage(answer.get("usage"), "prompt_tokens", "completion_tokens")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        flags, usage = [], None
    if len(flags) < texts or not all(isinstance(flag, bool) for flag in flags):
        raise BadStream(f"{address} gives no verdict of a moderation endpoint: check {_FIELD}.baseUrl")
    return any(flags), 0 if usage is None else usage.prompt + usage.completion


def _refused(model: str, address: str, status: int, wait: float | None) -> ModelError:
    """The error that a status is; the body, which may repeat the text, is not looked at."""
    if status in (401, 403, 407):
        return Unauthorized(f"{address} refuses the key (HTTP {status}): check {_FIELD}.apiKeySecretRef")
    if status == 404:
        return ModelNotFound(f"no moderation model {model!r} at {address} (HTTP 404): check {_FIELD}")
    if status in (408, 409, 425, 429) or status >= 500:
        return Overloaded(f"{address} cannot answer now (HTTP {status})", retry_after=wait)
    return BadRequest(f"{address} does not take the request (HTTP {status}): check {_FIELD}")
