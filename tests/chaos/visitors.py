"""People on the web page: they post as its form does, and read its events as a browser does."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Iterator

import aiohttp
import orjson

from tests.chaos.people import Person
from tests.chaos.tally import Answer

_CONVERSATION = re.compile(r'name="conversation" value="([^"]+)"')
_AFTER = re.compile(r'data-after="([^"]*)"')
_POST_TIMEOUT = aiohttp.ClientTimeout(total=10)
_EVENTS_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=45)
"""As the page's watchdog has it: events come every 15 s at least."""
_PAUSE = 0.5
_TROUBLE = (aiohttp.ClientError, TimeoutError, OSError)


class Visitor(Person):
    """A session of the web page, whose address leads to any of the gateways."""

    platform = "web"

    def __init__(self, number: int, seed: int, http: aiohttp.ClientSession, address: str) -> None:
        super().__init__(number, seed)
        self._http, self._address = http, address
        self._session = self._conversation = self._last = ""
        self._posted: list[dict[str, str]] = []
        self._shown: dict[str, Answer] = {}
        """The bot's messages by id, as they came: a page puts them one below the other."""
        self.resumed = 0
        """How often the events were taken up again by the last id."""

    async def open(self) -> None:
        """Load the page."""
        async with self._http.get(f"{self._address}/", timeout=_POST_TIMEOUT) as answer:
            answer.raise_for_status()
            page = await answer.text()
            self._session = "; ".join(f"{name}={cookie.value}" for name, cookie in answer.cookies.items())
        found, after = _CONVERSATION.search(page), _AFTER.search(page)
        assert found, "the page has a form with its conversation"
        assert after, "the page says which entry it shows last"
        self._conversation, self._last = found.group(1), after.group(1)

    async def say(self, text: str) -> int:
        number = len(self._posted)
        self._posted.append({"id": f"person{self.number:03d}-{number:06d}", "text": text})
        await self.again(number)
        return number

    async def again(self, event: int) -> None:
        """Post a message until it is taken: the same id is the same message, however often it is posted."""
        form = self._posted[event] | {"conversation": self._conversation}
        headers = {"Accept": "application/json", "Cookie": self._session}
        while True:
            with contextlib.suppress(*_TROUBLE):
                async with self._http.post(
                    f"{self._address}/message", data=form, headers=headers, timeout=_POST_TIMEOUT
                ) as answer:
                    said = await answer.read()
                    if answer.status == 200:
                        assert orjson.loads(said)["accepted"], "the gateway took the message in"
                        return
                    assert answer.status == 503, f"a message was refused with {answer.status}: {said.decode()}"
            await asyncio.sleep(_PAUSE)

    async def listen(self) -> None:
        """Read the events until cancelled; when they end, take them up again by the last id."""
        query, resume = {"after": self._last}, False
        while True:
            headers = {"Cookie": self._session, "Accept": "text/event-stream"}
            if resume:
                headers["Last-Event-ID"] = self._last
            with contextlib.suppress(*_TROUBLE):
                async with self._http.get(
                    f"{self._address}/events", params=query, headers=headers, timeout=_EVENTS_TIMEOUT
                ) as answer:
                    if answer.status == 200:
                        self.resumed += resume
                        resume = True
                        await self._read_events(answer.content)
                    else:
                        assert answer.status == 503, f"the events were refused with {answer.status}"
            await asyncio.sleep(_PAUSE)

    async def _read_events(self, stream: aiohttp.StreamReader) -> None:
        """Until the stream ends (HTML, 9.2.6): an event without its empty line at the end is none."""
        event, data, last = "", "", self._last
        async for raw in stream:
            line = raw.decode().rstrip("\r\n")
            name, _, value = line.partition(": ")
            match name:
                case "event":
                    event = value
                case "data":
                    data += value
                case "id":
                    last = value
                case "" if not line:
                    self._last = last
                    self._came(event, data)
                    event, data = "", ""
                case _:
                    pass

    def _came(self, event: str, data: str) -> None:
        assert event != "end", "nobody left the conversation"
        if event != "message":
            return
        message = orjson.loads(data)
        if 'class="message bot"' not in message["html"]:
            return
        known = self._shown.get(message["id"])
        place, at = (known.id, known.at) if known else (len(self._shown), time.time())
        self._shown[message["id"]] = Answer(place, message["html"], at)

    def answers(self) -> Iterator[Answer]:
        yield from reversed(list(self._shown.values()))
