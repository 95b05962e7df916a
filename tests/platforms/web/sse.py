"""Reads server-sent events from a response, as the HTML standard says (section 9.2.6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    name: str
    id: str
    data: dict[str, Any]


class Events:
    """Events of one response."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.seen: list[Event] = []

    async def next(self) -> Event | None:
        """The next event, or None when the stream has ended."""
        name, event_id, data = "message", "", list[str]()
        async with asyncio.timeout(20):
            while line := await self.response.content.readline():
                key, _, value = line.decode().rstrip("\r\n").partition(": ")
                match key.rstrip(":"):
                    case "event":
                        name = value
                    case "id":
                        event_id = value
                    case "data":
                        data.append(value)
                    case "" if data:
                        text = "\n".join(data)
                        event = Event(name, event_id, orjson.loads(text) if text else {})
                        self.seen.append(event)
                        return event
                    case _:
                        pass
        return None

    async def until(self, wanted: Callable[[Event], bool]) -> Event:
        """The next event that is wanted."""
        while event := await self.next():
            if wanted(event):
                return event
        raise AssertionError(f"the stream ended; it had {[event.name for event in self.seen]}")

    async def message(self, text: str) -> Event:
        """The next complete message that contains a text."""
        return await self.until(lambda event: event.name == "message" and text in event.data["html"])


@asynccontextmanager
async def events(http: aiohttp.ClientSession, page: str, after: str = "", **headers: str) -> AsyncGenerator[Events]:
    """Open a page's events."""
    async with http.get(f"{page}events", params={"after": after} if after else {}, headers=headers) as response:
        assert response.status == 200, await response.text()
        stream = Events(response)
        await stream.until(lambda event: event.name == "ping")
        yield stream
