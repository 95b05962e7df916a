"""A session's entries as server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
from sse_starlette import EventSourceResponse, ServerSentEvent

from gptbot.platforms.web import page
from gptbot.platforms.web.entries import Entry
from gptbot.platforms.web.hub import Hub, newer
from gptbot.platforms.web.texts import Texts

_HEARTBEAT = 15
_SEND_TIMEOUT = 30.0
_TYPING_SECONDS = 10.0


class EventStream:
    """Makes the answer to `GET events`.

    Events: `message` (a complete one: `id`, `html`), `live` (one being written: `id`, from which block on, the new
    blocks, the last block), `typing`, `end` (the conversation was left), `ping` (every 15 s).
    """

    def __init__(self, hub: Hub, title: str) -> None:
        self._hub = hub
        self._title = title

    def response(self, session: str, after: str, texts: Texts) -> EventSourceResponse:
        """Stream what stands behind the entry `after` and what comes then, until the page or the gateway goes."""
        return EventSourceResponse(
            self._events(session, after, texts), ping=_HEARTBEAT, send_timeout=_SEND_TIMEOUT, ping_message_factory=_ping
        )

    async def _events(self, session: str, after: str, texts: Texts) -> AsyncIterator[ServerSentEvent]:
        page_state = _Shown()
        async with self._hub.subscribe(session, after) as subscription:
            # An id at once: a page that loses its connection before the first entry resumes from here.
            yield ServerSentEvent(event="ping", data="", id=after, retry=2000)
            for entry in await self._hub.history(session, after):
                subscription.push(entry)
            async for batch in subscription.batches():
                for entry in sorted(batch, key=lambda entry: entry.position):
                    if newer(entry, after):
                        after = entry.id
                        if event := self._event(session, entry, texts, page_state):
                            yield event
                        await asyncio.sleep(0)  # many long messages at once must not keep other pages waiting

    def _event(self, session: str, entry: Entry, texts: Texts, shown: _Shown) -> ServerSentEvent | None:
        match entry.kind:
            case "typing":
                if time.time() - entry.milliseconds / 1000 > _TYPING_SECONDS:
                    return None
                return _make("typing", entry, {})
            case "end":
                return _make("end", entry, {})
            case "bot" if not entry.final:
                return _make("live", entry, self._patch(session, entry, texts, shown))
            case _:
                self._hub.finished(session, entry)
                shown.forget(entry)
                html = page.message_html(entry, texts, self._title)
                return _make("message", entry, {"id": entry.message, "html": html})

    def _patch(self, session: str, entry: Entry, texts: Texts, shown: _Shown) -> dict[str, Any]:
        message = self._hub.live(session, entry)
        start = shown.start(entry, message.generation)
        shown.remember(entry, message.generation, len(message.blocks))
        patch: dict[str, Any] = {
            "id": entry.message, "from": start, "blocks": message.blocks[start:], "tail": message.tail,
        }  # fmt: skip
        return patch | ({"frame": page.live_shell(entry, texts, self._title)} if start == 0 else {})


class _Shown:
    """How many finished blocks of each live message a page has."""

    def __init__(self) -> None:
        self._blocks: dict[str, tuple[int, int]] = {}

    def start(self, entry: Entry, generation: int) -> int:
        known, blocks = self._blocks.get(entry.message, (generation, 0))
        return blocks if known == generation else 0

    def remember(self, entry: Entry, generation: int, blocks: int) -> None:
        self._blocks[entry.message] = (generation, blocks)

    def forget(self, entry: Entry) -> None:
        self._blocks.pop(entry.message, None)


def _make(name: str, entry: Entry, data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(event=name, id=entry.id, data=orjson.dumps(data).decode())


def _ping() -> ServerSentEvent:
    return ServerSentEvent(event="ping", data="")
