"""The hand of a fake Discord in another process or pod."""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson

from tests.fakes.discord.front import PREFIX
from tests.fakes.discord.hand import Hand


class RemoteDiscord(Hand):
    """Give it the server's address, `http://HOST:PORT`. An async context manager."""

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")
        self._http: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        """The base of the REST API, as seen from here."""
        return self._base + PREFIX

    async def __aenter__(self) -> RemoteDiscord:
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def do(self, action: str, **arguments: Any) -> Any:
        """Have it done there. Raises ValueError with the server's reason when it cannot."""
        assert self._http is not None, "use it as an async context manager"
        async with self._http.post(f"{self._base}/control/{action}", data=orjson.dumps(arguments)) as response:
            answer: Any = orjson.loads(await response.read())
            if response.status != 200:
                raise ValueError(answer["error"])
            return answer["result"]
