"""Probes of endpoints: `GET /models` tells for nothing whether an API is there and takes the key.

Of what a server answers the status counts, and of an error its first few KiB. What is asked is no question: no text of
anybody is sent, and no model works.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

import aiohttp

from gptbot.llm import metrics
from gptbot.llm.classify import from_response
from gptbot.llm.errors import ModelError, ModelTimeout, Overloaded, QuotaExceeded, Unauthorized, Unreachable
from gptbot.llm.types import Endpoint

OK, THERE = "ok", "there"
"""Outcomes of a good probe: the key was taken; or it answers, and says nothing of the key (it has no `/models`)."""
TIMEOUT = 10.0
"""Seconds for one probe."""
MOST = 4096
"""Bytes of an error that are looked at."""
CALM = 40.0
"""Seconds for which a good outcome counts for all who ask."""
PAUSE, MAX_PAUSE = 5.0, 60.0
"""Seconds to the next probe after the first that failed, and at most: doubled with each that fails."""
MAX_RETRY_AFTER = 300.0
"""Seconds that an API may ask to be left alone."""
JITTER = 0.25
"""Part of a pause that is left to chance."""
_NOT_IMPLEMENTED = (501, 505)


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe came to."""

    outcome: str
    """`OK`, `THERE`, or the kind of the error."""
    at: float
    """When, in seconds since 1970."""

    @property
    def good(self) -> bool:
        """Whether the API answers."""
        return self.outcome in (OK, THERE)


@dataclass(slots=True)
class _Known:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    last: Probed | None = None
    next_at: float = 0.0
    failures: int = 0


class Probes:
    """Probes of all endpoints of a process: bots that share an endpoint (its address and key) share its probes."""

    def __init__(self, http: aiohttp.ClientSession, *, timeout: float = TIMEOUT, pause: float = PAUSE) -> None:
        """`timeout`: seconds for one probe; `pause`: seconds after the first that failed."""
        self._http = http
        self._timeout = timeout
        self._pause = pause
        self._known: dict[tuple[str, str | None], _Known] = {}

    async def ask(self, endpoint: Endpoint) -> Probed:
        """What the last probe came to, after a new one if it is time. Raises nothing."""
        known = self._known.setdefault((endpoint.url("/models"), endpoint.api_key), _Known())
        async with known.lock:
            if known.last is None or time.monotonic() >= known.next_at:
                known.last = await self._probe(endpoint, known)
            return known.last

    async def _probe(self, endpoint: Endpoint, known: _Known) -> Probed:
        error: ModelError | None = None
        try:
            outcome = await _request(self._http, endpoint, self._timeout)
            known.failures, pause = 0, CALM
        except ModelError as failure:
            error, outcome = failure, failure.kind
            pause = min(MAX_PAUSE, self._pause * 2 ** min(known.failures, 16))
            known.failures += 1
        pause *= 1 - JITTER * random.random()
        if error is not None and error.retry_after is not None:
            pause = max(pause, min(error.retry_after, MAX_RETRY_AFTER))
        known.next_at = time.monotonic() + pause
        metrics.PROBES.labels(outcome).inc()
        return Probed(outcome, time.time())


async def _request(http: aiohttp.ClientSession, endpoint: Endpoint, timeout: float) -> str:
    """Ask once; `OK` or `THERE`. Raises ModelError."""
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if endpoint.api_key is not None:
        headers["Authorization"] = f"Bearer {endpoint.api_key}"
    within = aiohttp.ClientTimeout(total=None, sock_connect=timeout)
    try:
        async with (
            asyncio.timeout(timeout),
            http.get(endpoint.url("/models"), headers=headers, allow_redirects=False, timeout=within) as response,
        ):
            try:
                return await _verdict(endpoint, response)
            finally:
                response.close()  # a list of models may have any size; its bytes are not waited for
    except TimeoutError as error:
        if isinstance(error, aiohttp.ClientError):  # connecting
            raise Unreachable(f"{endpoint.address} cannot be reached in {timeout:g} s") from None
        raise ModelTimeout(f"{endpoint.address} did not answer a probe in {timeout:g} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Unreachable(f"{endpoint.address} cannot be reached: {type(error).__name__}") from None


async def _verdict(endpoint: Endpoint, response: aiohttp.ClientResponse) -> str:
    if response.status < 300:
        return OK
    body = b"" if "Content-Encoding" in response.headers else await _beginning(response)
    error = from_response(endpoint, response.status, response.headers, body)
    if response.status == 403 and b"scope" in body.lower():
        return THERE  # OpenAI: a restricted key that may ask models, and not list them (`api.model.read`)
    if isinstance(error, Overloaded) and response.status not in _NOT_IMPLEMENTED:
        raise error
    if isinstance(error, Unauthorized | QuotaExceeded):
        raise error
    return THERE


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    left = MOST
    while left > 0 and (part := await response.content.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
