"""Looks after one bot's endpoints: probes those of which nothing, nothing good or nothing new is known.

What requests came to is written by whoever made them (`outcomes.py`), what probes came to here, into fields of their
own beside it: so neither hides the other, and the operator, who reads both, takes the newer.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.llm.outcomes import LASTS, PROBE, mark_of, strange
from gptbot.llm.probe import OK, THERE, Probed, Probes
from gptbot.llm.types import Endpoint

LOOK = 5.0
"""Seconds between two looks at what is known."""
HELD = 45.0
"""Seconds for which a failed request is believed before a probe: longer than `outcomes.RENEWED`, so that it stands
while requests go on to fail."""
STALE = 3600.0
"""Seconds after which what is known is no news any more, good or bad."""
START = 1.0
"""Seconds over which the first probes of many processes are spread."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    outcome: str
    at: float


class ModelWatch:
    """The endpoints of one bot. `run` in one gateway of the bot at a time."""

    def __init__(
        self, store: Store, keys: BotKeys, endpoints: Sequence[Endpoint], probes: Probes, *, look: float = LOOK,
        held: float = HELD,
    ) -> None:  # fmt: skip
        """`look`: seconds between two looks; `held`: seconds for which a failed request is believed."""
        self._store, self._keys, self._endpoints, self._probes = store, keys, endpoints, probes
        self._look, self._held = look, held
        self._marks = {endpoint.path: mark_of(endpoint, keys.pepper) for endpoint in endpoints}
        self._said: dict[str, str] = {}

    async def run(self) -> None:
        """Look after them until cancelled."""
        await asyncio.sleep(random.uniform(0, min(START, self._look)))
        while True:
            try:
                await self.look()
            except StoreUnavailable:
                await self._store.wait_available()
            await asyncio.sleep(self._look * random.uniform(0.75, 1.25))

    async def look(self) -> None:
        """Probe what needs it, and write down what came of it. Raises StoreUnavailable."""
        kept = await self._read()
        now = time.time()
        due = [
            endpoint
            for endpoint in self._endpoints
            if self._is_due(kept.get(endpoint.path), kept.get(PROBE + endpoint.path), now)
        ]
        async with asyncio.TaskGroup() as group:
            probing = {endpoint.path: group.create_task(self._probes.ask(endpoint)) for endpoint in due}
        found = {path: task.result() for path, task in probing.items()}
        await self._write({path: probed for path, probed in found.items() if _is_news(kept.get(PROBE + path), probed)})

    def _is_due(self, asked: _Entry | None, probed: _Entry | None, now: float) -> bool:
        """Whether to probe: the pace of an endpoint is left to `Probes`."""
        if asked is not None and not _good(asked) and now - asked.at > STALE:
            asked = None
        newest = max(
            (entry for entry in (asked, probed) if entry is not None), key=lambda entry: entry.at, default=None
        )
        if newest is None or now - newest.at > STALE:
            return True
        if _good(newest):
            return False
        return newest is probed or now - newest.at >= self._held

    async def _read(self) -> dict[str, _Entry]:
        """What is known of the endpoints there are now; what is about others before them is erased."""
        names = [name for path in self._marks for name in (path, PROBE + path)]
        texts: list[bytes | None] = await self._store.command("HMGET", self._keys.model, *names)
        kept = {name: text for name, text in zip(names, texts, strict=True) if text is not None}
        old = strange(((name.encode(), text) for name, text in kept.items()), self._marks)
        if old:
            await self._store.command("HDEL", self._keys.model, *old)
        entries = {name: _entry(text) for name, text in kept.items() if name.encode() not in old}
        return {name: entry for name, entry in entries.items() if entry is not None}

    async def _write(self, found: dict[str, Probed]) -> None:
        if not found:
            return
        fields = list[object]()
        for path, probed in found.items():
            value = {"outcome": probed.outcome, "at": int(probed.at), "mark": self._marks[path]}
            fields += [PROBE + path, orjson.dumps(value)]
        await asyncio.gather(  # one pipeline
            self._store.command("HSET", self._keys.model, *fields),
            self._store.command("EXPIRE", self._keys.model, LASTS),
        )
        for path, probed in found.items():
            self._say(path, probed)

    def _say(self, path: str, probed: Probed) -> None:
        before, self._said[path] = self._said.get(path), probed.outcome
        if probed.outcome == before:
            return
        address = next(endpoint.address for endpoint in self._endpoints if endpoint.path == path)
        if not probed.good:
            logger.warning("%s: a probe of %s came to %s; it is probed again", path, address, probed.outcome)
        elif before is not None:
            logger.info("%s: %s answers probes again", path, address)


def _good(entry: _Entry) -> bool:
    return entry.outcome in (OK, THERE)


def _is_news(known: _Entry | None, probed: Probed) -> bool:
    """A probe made for another bot may be older than what is written."""
    return known is None or int(probed.at) > known.at or probed.outcome != known.outcome


def _entry(text: bytes) -> _Entry | None:
    try:
        found = orjson.loads(text)
        return _Entry(str(found["outcome"]), float(found["at"]))
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
        return None
