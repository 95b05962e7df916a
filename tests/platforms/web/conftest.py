"""A browser without a screen: HTTP with cookies."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest_asyncio
from yarl import URL


@dataclass
class Browser:
    """One user agent: its cookies and its HTTP."""

    http: aiohttp.ClientSession

    async def load(self, page: str, **headers: str) -> str:
        """The page's HTML."""
        async with self.http.get(page, headers=headers) as response:
            assert response.status == 200, await response.text()
            return await response.text()

    async def say(self, page: str, text: str, status: int = 200, **fields: str) -> dict[str, Any]:
        """Post a message as the page's script does."""
        data = {"text": text} | fields
        async with self.http.post(f"{page}message", data=data, headers={"Accept": "application/json"}) as response:
            answer = await response.json()
            assert response.status == status, answer
            return answer

    def cookie(self, page: str) -> str:
        """The session's id, which its cookie begins with."""
        (value,) = [cookie.value for cookie in self.http.cookie_jar.filter_cookies(URL(page)).values()]
        return value.partition(".")[0]


def after(html: str) -> str:
    """The last entry that a page shows."""
    found = re.search(r'data-after="([^"]*)"', html)
    assert found
    return found[1]


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with make_browser() as made:
        yield made


class make_browser:
    """One more browser, with cookies of its own."""

    async def __aenter__(self) -> Browser:
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), read_bufsize=2**20)
        return Browser(self._http)

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()
