"""What came of the last requests to each endpoint, kept in the store for operators: no texts, no keys, few writes."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.llm.errors import BadRequest, ContextTooLong, EmptyAnswer, ModelError, Refused
from gptbot.llm.traits import Traits
from gptbot.llm.types import Endpoint

LASTS = 86_400
"""Seconds after which nothing is known of a model that nobody asked."""
PROBE = "probe "
"""What the field of an endpoint begins with that says what its last probe came to (`watch.py`)."""
LEARNED = "learned "
"""What the field of an endpoint begins with that says what was learned of it (`traits.py`)."""
RENEWED = 30.0
"""Seconds after which an outcome that is still the same is written again, since another process may have written."""
PAUSE = 5.0
"""Seconds between two writes of a process, at least."""
_LONGEST = 4096
"""Bytes of an outcome that is read; the bot writes less than 200."""
_IT_WORKS = (ContextTooLong, Refused, EmptyAnswer)
"""Wrong with one question alone: the endpoint did its work."""


@dataclass(slots=True)
class _Outcome:
    kind: str
    written: str = ""
    written_at: float = float("-inf")


class Outcomes:
    """Those of one bot's endpoints, as this process saw them."""

    def __init__(
        self, store: Store, keys: BotKeys, endpoints: Sequence[Endpoint], *, renewed: float = RENEWED,
        pause: float = PAUSE,
    ) -> None:  # fmt: skip
        self._store, self._keys = store, keys
        self._renewed, self._pause = renewed, pause
        self._marks = {endpoint.path: mark_of(endpoint, keys.pepper) for endpoint in endpoints}
        self._outcomes: dict[str, _Outcome] = {}
        self._news = asyncio.Event()
        self._traits: dict[str, Traits] = {}
        self._learned: set[str] = set()
        """Endpoints of which something was learned that is not written yet."""

    def share(self, traits: Mapping[str, Traits]) -> None:
        """Have what is learned of endpoints, by their fields in the GptBot, written, and what others learned read."""
        for path, of in traits.items():
            self._traits[path] = of
            of.changed = functools.partial(self._has_learned, path)

    def _has_learned(self, path: str) -> None:
        self._learned.add(path)
        self._news.set()

    def note(self, endpoint: Endpoint, error: ModelError | None) -> None:
        """A request to an endpoint, with its retries, was answered (None) or given up."""
        kind = _kind(error)
        if kind is None:
            return
        outcome = self._outcomes.setdefault(endpoint.path, _Outcome(kind))
        outcome.kind = kind
        if self._worth_writing(outcome):
            self._news.set()

    async def publish(self) -> None:
        """Keep the outcomes in the store, until cancelled."""
        await self._start()
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._write()
            except StoreUnavailable:
                await self._store.wait_available()
                self._news.set()
            await asyncio.sleep(self._pause)

    async def _start(self) -> None:
        while True:
            try:
                return await self._forget_others()
            except StoreUnavailable:
                await self._store.wait_available()

    async def _forget_others(self) -> None:
        """What an endpoint with another address, model or key came to says nothing of the one there is now."""
        flat: list[bytes] = await self._store.command("HGETALL", self._keys.model)
        kept = dict(zip(flat[::2], flat[1::2], strict=True))
        old = strange(kept.items(), self._marks)
        for path in self._traits:
            if (name := f"{LEARNED}{path}".encode()) not in old:
                self._take_in(path, kept.get(name))
        if old:
            await self._store.command("HDEL", self._keys.model, *old)

    async def _write(self) -> None:
        fields, now = list[object](), time.monotonic()
        for path, outcome in self._outcomes.items():
            if self._worth_writing(outcome):
                outcome.written, outcome.written_at = outcome.kind, now
                value = {"outcome": outcome.kind, "at": int(time.time()), "mark": self._marks[path]}
                fields += [path, orjson.dumps(value)]
        learned, self._learned = self._learned, set()
        for path in learned:
            fields += [f"{LEARNED}{path}", orjson.dumps({**self._traits[path].as_json(), "mark": self._marks[path]})]
        if not fields:
            return
        names = [f"{LEARNED}{path}" for path in self._traits] or [LEARNED]
        try:
            found, *_ = await asyncio.gather(  # one pipeline
                self._store.command("HMGET", self._keys.model, *names),
                self._store.command("HSET", self._keys.model, *fields),
                self._store.command("EXPIRE", self._keys.model, LASTS),
            )
        except StoreUnavailable:
            self._learned |= learned
            for path in fields[::2]:
                if (outcome := self._outcomes.get(str(path))) is not None:
                    outcome.written = ""
            raise
        for path, text in zip(self._traits, found, strict=False):
            if path not in learned:
                self._take_in(path, text)

    def _take_in(self, path: str, text: bytes | None) -> None:
        """Take in what another worker learned of an endpoint that is still the same."""
        if text is not None and (found := _fields_of(text)) is not None and found.get("mark") == self._marks[path]:
            self._traits[path].take_in(found)

    def _worth_writing(self, outcome: _Outcome) -> bool:
        return outcome.kind != outcome.written or time.monotonic() - outcome.written_at >= self._renewed


def _kind(error: ModelError | None) -> str | None:
    """`ok`, the kind of the error, or None: it says nothing of the endpoint."""
    if error is None or isinstance(error, _IT_WORKS):
        return "ok"
    if isinstance(error, BadRequest) and (error.parameter or "").startswith("messages"):
        return None  # what one person sent, not what the GptBot says
    return error.kind


def mark_of(endpoint: Endpoint, pepper: bytes) -> str:
    """Changes with what the endpoint is; nobody without the pepper can test a key against it."""
    what = "\x1f".join([endpoint.base_url, endpoint.model, endpoint.api_key or ""])
    return hmac.new(pepper, f"endpoint\x1f{what}".encode(), hashlib.sha256).hexdigest()[:16]


def strange(kept: Iterable[tuple[bytes, bytes]], marks: Mapping[str, str]) -> list[bytes]:
    """The fields that are about no endpoint there is now. `marks`: field in the GptBot to the mark of its endpoint."""
    return [
        name
        for name, text in kept
        if _mark_in(text) != marks.get(name.decode(errors="replace").removeprefix(PROBE).removeprefix(LEARNED), "")
    ]


def _mark_in(text: bytes) -> str | None:
    found = _fields_of(text)
    return None if found is None else found.get("mark")


def _fields_of(text: bytes) -> dict[str, Any] | None:
    if len(text) > _LONGEST:
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
