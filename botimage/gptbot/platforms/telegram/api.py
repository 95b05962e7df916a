"""Calls of the Bot API over plain REST, and what failures mean. The token is in every address: none is ever shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

import aiohttp
import orjson

from gptbot.platforms.bounded import ANSWER, read_at_most
from gptbot.platforms.download import download
from gptbot.platforms.errors import FloodWait, NotSent, OutcomeUnknown, Rejected, SendError, TooLarge
from gptbot.platforms.telegram.limits import CONNECT_TIMEOUT, DOWNLOAD_TIMEOUT, REQUEST_TIMEOUT
from gptbot.platforms.wording import wording

API_PATH = "spec.platforms.telegram.apiBaseUrl"
_JSON = {"Content-Type": "application/json"}


class UnknownMethod(Rejected):
    """The server has no such method: it is older than the method."""


@dataclass(eq=False)
class BadRequest(Rejected):
    """The server refuses what was asked (400)."""

    description: str
    """In the server's words."""
    migrate_to_chat_id: int | None = None
    """Where the group went, when it became a supergroup (Bot API, `ResponseParameters`)."""

    def __str__(self) -> str:
        return f"Telegram refuses it: {wording(self.description)}"


class BotApi:
    """The Bot API at one server with one token (https://core.telegram.org/bots/api#making-requests)."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, token: str) -> None:
        self._http = http
        self._base = f"{base_url.rstrip('/')}/bot{token}/"
        self._files = f"{base_url.rstrip('/')}/file/bot{token}/"

    async def call(self, method: str, parameters: dict[str, Any], timeout: float = REQUEST_TIMEOUT) -> Any:
        """Call a method and return its `result`.

        Raises NotSent, OutcomeUnknown, FloodWait, Rejected or BadRequest. None of them chains to an error of the HTTP
        client: those carry the address.
        """
        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_TIMEOUT)
        failure: SendError
        try:
            async with self._http.post(
                self._base + method, data=orjson.dumps(parameters), headers=_JSON, timeout=limits, allow_redirects=False
            ) as response:
                status, headers = response.status, response.headers
                body = await read_at_most(response, ANSWER)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            failure = NotSent(f"the Bot API server cannot be reached ({type(error).__name__})")
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            failure = NotSent(f"{API_PATH} is no address that can be called")
        except TooLarge:
            failure = OutcomeUnknown(f"an answer of the Bot API server has more than {ANSWER} bytes")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = OutcomeUnknown(f"no answer from the Bot API server ({type(error).__name__})")
        else:
            answer = _answer(body)
            if status == 200 and answer is not None and answer.get("ok") is True and "result" in answer:
                return answer["result"]
            failure = _failure(status, answer, headers.get("Retry-After"))
        raise failure

    async def download(self, path: str, limit: int) -> bytes:
        """A file by the path that `getFile` names. Raises TooLarge, Rejected or NotSent; none names the address."""
        return await download(self._http, self._files + quote(path), limit, DOWNLOAD_TIMEOUT)


def _answer(body: bytes) -> dict[str, Any] | None:
    """What the server said, when it is an answer of the Bot API at all."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return cast("dict[str, Any]", answer) if isinstance(answer, dict) and "ok" in answer else None


def _failure(status: int, answer: dict[str, Any] | None, retry_after: str | None) -> SendError:
    """What an answer that is no success means (Bot API, "Making requests"; RFC 9110 for what proxies answer)."""
    said, more = (answer or {}).get("description"), (answer or {}).get("parameters")
    description = said if isinstance(said, str) and said else f"HTTP status {status}"
    parameters: dict[str, Any] = cast("dict[str, Any]", more) if isinstance(more, dict) else {}
    match status:
        case 429:
            return FloodWait(_seconds(parameters.get("retry_after"), retry_after))
        case 400 if answer is not None:
            moved = parameters.get("migrate_to_chat_id")
            return BadRequest(description, moved if isinstance(moved, int) else None)
        case 404 if "method not found" in description:
            return UnknownMethod("the Bot API server is too old for this method; update it")
        case 401 | 404:
            return NotSent(f"Telegram does not know the bot ({status}): check its token and {API_PATH}")
        case 403 if answer is not None:
            return Rejected(f"Telegram refuses it: {wording(description)}")
        case 503:  # RFC 9110: the server is not ready to handle the request, so it did not
            return NotSent("the Bot API server is not available (503)")
        case _ if 300 <= status < 500:  # some proxy's answer; the Bot API has none of these
            return NotSent(f"{API_PATH} answers with HTTP status {status}, not as the Bot API does")
        case _:
            return OutcomeUnknown(f"the Bot API server failed ({status})")


def _seconds(told: Any, header: str | None) -> float:
    """How long to wait: `parameters.retry_after`, else the header, else a second. Never less than a tenth."""
    for value in (told, header):
        if isinstance(value, int | float | str):
            try:
                return max(0.1, float(value))
            except ValueError:
                continue
    return 1.0
