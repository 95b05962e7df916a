"""Asks another server, such as an issuer, for JSON: with a deadline, a limit, and no way to elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import aiohttp
import orjson

_SECONDS = 10.0
_LARGEST = 256 * 1024


class Unreachable(Exception):
    """It did not answer, or with something else. The text is ours: which one it was, and what was wrong."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status
        """Of its answer over HTTP; 0: there was none, or it was not that."""


async def fetch_json(
    url: str, what: str, data: Mapping[str, str] | None = None, authorization: str = ""
) -> dict[str, Any]:
    """The object at an address, or the answer to a form posted there. `what` names it in errors. Raises Unreachable."""
    headers = {"Accept": "application/json"} | ({"Authorization": authorization} if authorization else {})
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http,
            http.request(
                "GET" if data is None else "POST", url, data=data, headers=headers, allow_redirects=False
            ) as response,
        ):
            if response.status != 200:
                raise Unreachable(f"{what} answers with {response.status}", response.status)
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > _LARGEST:
                    raise Unreachable(f"{what} is larger than {_LARGEST} bytes")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise Unreachable(f"{what} cannot be reached: {type(error).__name__}") from None
    try:
        found = orjson.loads(body)
    except ValueError:
        raise Unreachable(f"{what} is not JSON") from None
    if not isinstance(found, dict):
        raise Unreachable(f"{what} is not a JSON object")
    return cast("dict[str, Any]", found)
