"""The pace that a platform allows, kept by all workers of a bot together: each message and edit takes a place.

The store counts (`pace.lua`), one call a place. A text that has to get there reserves its place and waits;
an interim edit takes one that is free, or does without. While the store is away each process keeps the pace by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from redis.exceptions import ResponseError

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.platforms.base import Sender
from gptbot.platforms.errors import FloodWait
from gptbot.platforms.inbound import Address
from gptbot.platforms.pace import Limit, Pace, Paced
from gptbot_api.store_functions import function

_PACE = function("pace")
_PATIENCE = 1.0
"""Seconds that the store may take to say whether there is a place."""
_JITTER = 0.1
"""Seconds added to each window: requests do not arrive as evenly as they are sent."""
_MANY = 4096


@dataclass(frozen=True, slots=True)
class _Count:
    """A limit, and the key that counts for it."""

    key: str
    limit: Limit

    @property
    def window(self) -> float:
        return self.limit.seconds + _JITTER


class Pacer:
    """The pace of one bot on all its platforms."""

    def __init__(self, store: Store, keys: BotKeys) -> None:
        self._store = store
        self._keys = keys
        self._alone = _Alone()

    def places(self, platform: str, sender: Sender, address: Address) -> Places | None:
        """Where an answer takes its places; None where the platform has no limits."""
        if not isinstance(sender, Paced):
            return None
        return Places(self._store, self._keys, self._alone, platform, sender.pace(address))


class Places:
    """Takes the places of one answer, one after the other."""

    def __init__(self, store: Store, keys: BotKeys, alone: _Alone, platform: str, pace: Pace) -> None:
        self._store = store
        self._alone = alone
        chat = keys.pseudonym("pace", platform, pace.chat)

        def counts(limits: Sequence[Limit]) -> list[_Count]:
            return [_Count(keys.pace(platform, each.name, chat if each.chat else ""), each) for each in limits]

        self._messages, self._typing = counts(pace.messages), counts(pace.typing)
        self._holds = {"all": keys.hold(platform), "chat": keys.hold(platform, chat)}
        self._passed = 0
        """Limits under which the text that waits has its place."""

    async def take(self, most: float) -> float:
        """Take a place for a text that has to get there: 0.0, or the seconds until it is to be asked again.

        A place that comes within `most` seconds is reserved. Raises nothing: without the store, this process counts.
        """
        wait, self._passed = await self._take(self._messages, interim=False, passed=self._passed, most=most)
        return wait

    async def take_interim(self, *, typing: bool = False) -> float:
        """Take a place that is free now for an interim edit or a sign of typing: 0.0, or seconds until there is one."""
        wait, _ = await self._take(self._typing if typing else self._messages, interim=True, passed=0, most=0.0)
        return wait

    async def refused(self, flood: FloodWait) -> None:
        """Tell all workers that the platform asks to wait."""
        if flood.scope == "request":
            return
        key, wait = self._holds[flood.scope], math.ceil(flood.retry_after * 1000)
        self._alone.hold(key, flood.retry_after)
        with contextlib.suppress(StoreUnavailable, ResponseError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._store.command("SET", key, "1", "PX", max(1, wait))

    async def _take(self, counts: list[_Count], *, interim: bool, passed: int, most: float) -> tuple[float, int]:
        holds = list(self._holds.values())
        arguments: list[int] = [len(holds), int(interim), passed, int(most * 1000)]
        for count in counts:
            arguments += [count.limit.requests, count.limit.interim, round(count.window * 1000)]
        try:
            async with asyncio.timeout(_PATIENCE):
                wait, passed = await self._store.run(_PACE, [*holds, *(count.key for count in counts)], *arguments)
        except (StoreUnavailable, ResponseError, TimeoutError):
            return self._alone.take(holds, counts, interim=interim, passed=passed, most=most)
        return wait / 1000, passed


class _Alone:
    """The same for one process, by its own clock. See `pace.lua`."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._held: OrderedDict[str, float] = OrderedDict()

    def hold(self, key: str, seconds: float) -> None:
        """Nothing goes under this key for so long."""
        self._held[key] = time.monotonic() + seconds
        self._held.move_to_end(key)
        while len(self._held) > _MANY:
            self._held.popitem(last=False)

    def take(
        self, holds: Sequence[str], counts: Sequence[_Count], *, interim: bool, passed: int, most: float
    ) -> tuple[float, int]:
        """Seconds to wait, and the limits passed."""
        now = time.monotonic()
        wait = max((self._held.get(key, now) - now for key in holds), default=0.0)
        if wait > 0:
            return wait, passed
        left = counts[passed:]
        if interim:
            wait = max((self._free_at(count, count.limit.interim, now) - now for count in left), default=0.0)
            if wait > 0:
                return wait, passed
        for number, count in enumerate(left, passed):
            slot = self._free_at(count, count.limit.requests, now)
            if slot - now > most:
                return slot - now, number
            self._note(count, slot)
            if slot > now:
                return slot - now, number + 1
        return 0.0, 0

    def _free_at(self, count: _Count, requests: int, now: float) -> float:
        times = self._times.get(count.key, ())
        oldest = next(islice(times, requests - 1, None), None)
        return now if oldest is None else max(now, oldest + count.window)

    def _note(self, count: _Count, slot: float) -> None:
        times = self._times.setdefault(count.key, deque(maxlen=count.limit.requests))
        times.appendleft(slot)
        self._times.move_to_end(count.key)
        while len(self._times) > _MANY:
            self._times.popitem(last=False)
