"""One request to Discord's REST API, and what its failures mean. See docs/reference and docs/topics/rate-limits."""

from __future__ import annotations

import asyncio
import time
from importlib.metadata import version
from typing import Any, Final

import aiohttp
import orjson

from gptbot.platforms.bounded import ANSWER, read_at_most
from gptbot.platforms.discord.buckets import Buckets
from gptbot.platforms.discord.shared_buckets import SHARED, SharedBuckets
from gptbot.platforms.errors import FloodWait, NotSent, OutcomeUnknown, PlatformError, TooLarge
from gptbot.platforms.wording import wording

USER_AGENT: Final = f"DiscordBot (https://gptbot.dev, {version('gptbot')})"
TIMEOUT = 15.0
"""Seconds a request may take."""
_AFTER_401: Final = 60.0
"""Seconds without requests after a refused token: 10,000 refusals in 10 min ban the address for all bots on it."""
_CLOUDFLARE_WAIT: Final = 60.0
_LONGEST_WAIT: Final = 86_400.0
"""Seconds; a longer wait is none that Discord asks for."""


class Refused(PlatformError):
    """Discord said no, for good: a 4xx answer other than 401 and 429."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"Discord refuses: {wording(message) or 'no reason given'} (HTTP {status}, code {code})")
        self.status = status
        self.code = code
        """JSON error code, 0 without one."""


class Rest:
    """Requests of one bot. The token and the tokens of interactions never stand in an error."""

    def __init__(
        self, http: aiohttp.ClientSession, base_url: str, token: str, shared: SharedBuckets | None = None
    ) -> None:
        """`shared`: what the bot's other processes were told of the buckets."""
        self._shared = shared
        self._http = http
        self._base = base_url.rstrip("/")
        self._authorization = f"Bot {token}"
        self._buckets = Buckets()
        self._refused_until = 0.0

    async def request(
        self,
        method: str,
        path: str,
        *,
        route: tuple[str, str],
        body: object = None,
        patience: float = 0.0,
        timeout: float | None = None,
        interaction: bool = False,
    ) -> Any:
        """Send a request and return the JSON of its answer (None for an empty one).

        `route` names the bucket and the channel or webhook. `patience`: seconds to wait for a place in it at most.
        `timeout`: seconds the request may take, `TIMEOUT` if not given.
        `interaction`: a request with a token in its path, which takes no Authorization and is not counted globally.
        Raises FloodWait, NotSent, OutcomeUnknown, Refused.
        """
        await self._admit(route, patience, counted=not interaction)
        timeout = TIMEOUT if timeout is None else timeout
        headers = {"User-Agent": USER_AGENT}
        if not interaction:
            if time.monotonic() < self._refused_until:
                raise NotSent(_UNAUTHORIZED)
            headers["Authorization"] = self._authorization
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = orjson.dumps(body)
        limit = aiohttp.ClientTimeout(total=timeout, connect=min(timeout, 10.0))
        try:
            async with self._http.request(
                method, self._base + path, headers=headers, data=data, timeout=limit, allow_redirects=False
            ) as response:
                raw = await read_at_most(response, ANSWER)
                self._buckets.learn(route, response.headers)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise NotSent("Discord's API cannot be reached") from None
        except TooLarge:
            raise OutcomeUnknown(f"an answer of Discord's API has more than {ANSWER} bytes") from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise OutcomeUnknown(f"no answer from Discord's API ({type(error).__name__})") from None
        try:
            return self._judge(response, raw, route)
        finally:
            if self._shared is not None and route[0] in SHARED and (seconds := self._buckets.spent(route)) > 0:
                await self._shared.spent(route, seconds)

    async def _admit(self, route: tuple[str, str], patience: float, *, counted: bool) -> None:
        deadline = time.monotonic() + patience
        if self._shared is not None and route[0] in SHARED and (seconds := await self._shared.wait(route)) > 0:
            self._buckets.exhausted(route, seconds, everywhere=False)
        while (wait := self._buckets.take(route, counted=counted)) > 0:
            if time.monotonic() + wait > deadline:
                raise FloodWait(wait, "request")
            await asyncio.sleep(wait)

    def _judge(self, response: aiohttp.ClientResponse, raw: bytes, route: tuple[str, str]) -> Any:
        status = response.status
        if status == 204:
            return None
        try:
            answer: Any = orjson.loads(raw)
        except (ValueError, RecursionError):
            answer = None
        if 200 <= status < 300:
            if answer is None:
                raise OutcomeUnknown("Discord's API answers with something else than JSON")
            return answer
        if status == 429:
            raise self._flood(response, answer, route)
        if status >= 500:
            raise OutcomeUnknown(f"Discord's API answers HTTP {status}")
        if status == 401 and "Authorization" in response.request_info.headers:
            self._refused_until = time.monotonic() + _AFTER_401
            raise NotSent(_UNAUTHORIZED)
        details: dict[str, Any] = answer if isinstance(answer, dict) else {}
        code, message = details.get("code"), details.get("message")
        raise Refused(status, code if isinstance(code, int) else 0, message if isinstance(message, str) else "")

    def _flood(self, response: aiohttp.ClientResponse, answer: Any, route: tuple[str, str]) -> FloodWait:
        details: dict[str, Any] = answer if isinstance(answer, dict) else {}
        try:
            seconds = float(details.get("retry_after") or response.headers["Retry-After"])
        except (KeyError, TypeError, ValueError, OverflowError):
            seconds = _CLOUDFLARE_WAIT
        if not 0 <= seconds <= _LONGEST_WAIT:  # NaN too
            seconds = _CLOUDFLARE_WAIT
        # Without JSON it is Cloudflare that speaks, and it means the whole address.
        everywhere = bool(details.get("global")) or not details
        self._buckets.exhausted(route, seconds, everywhere=everywhere)
        return FloodWait(seconds, "all" if everywhere else "chat")


_UNAUTHORIZED: Final = (
    "Discord refuses the bot's token (HTTP 401): reset it in the Developer Portal under Bot, "
    "and put the new one into the Secret"
)
