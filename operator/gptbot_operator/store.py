"""Reads a bot's store: is it there, how much work waits, what do the gateways report."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from redis.exceptions import RedisClusterException, RedisError, ResponseError

from gptbot_api.store_faults import NO_FUNCTIONS
from gptbot_api.store_functions import function, library
from gptbot_api.store_rights import key_prefix
from gptbot_operator import hashes
from gptbot_operator.bounded import Bounds, TooLarge
from gptbot_operator.outcomes import left_out, outcomes
from gptbot_operator.store_client import fault_of, open_client

_PROBE = function("probe")
_TIMEOUT = 3.0
"""Seconds for one reading."""
_REPORT_LASTS = 60.0
"""Seconds for which a report counts; a gateway renews it four times as often."""

_MOST_NAMES, _MOST_NAME = 20, 60
"""Keys that a message names, and characters of each."""

_DIGITS = 18
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading an entry of another version of the bot, or a spoiled one, raises."""

_OWN_BYTES, _OWN_ITEMS = 512 << 10, 50_000
"""Of one reply of a store of a bot's own; a bot of a thousand shards keeps less, and a cluster lists all commands."""
_OWN_AT_ONCE = 64
"""Readings of stores of bots' own at one time, so that all their replies together stay small."""
_ONE_AT_ONCE = 8
"""Readings of one store at one time."""

_TEXTS = ("message", "reason", "username", "invite")


@dataclass(frozen=True, slots=True)
class PlatformReport:
    """What the gateways wrote of one platform."""

    connected: bool
    message: str = ""
    reason: str = ""
    """What the message says, in one CamelCase word; empty: nothing is wrong, or it is said by the message alone."""
    username: str = ""
    """The bot's name there."""
    invite: str = ""
    """Where people open it or add it to a group."""
    since: int = field(default=0, compare=False)
    """When `connected` became what it is, in seconds since 1970; 0: not told. No news by itself."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One report as it is in the store."""

    connected: bool
    message: str
    reason: str
    of: int
    """How many receivers the platform has, where gateways share them out; else 0."""
    since: int
    username: str
    invite: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A bot's store at one time."""

    reachable: bool
    reason: str = "Reachable"
    message: str = ""
    backlog: int | None = None
    platforms: dict[str, PlatformReport] = field(default_factory=dict[str, PlatformReport])
    model: dict[str, str] = field(default_factory=dict[str, str])
    """Endpoint of the model, by its field in the GptBot, to a word of `outcomes.GOOD`, or to what failed."""
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Endpoint to the parameters that it refused and gets no more."""
    tokens: int = 0
    """Of the model, used today (UTC)."""
    cost: int = 0
    """What it cost, in millionths of the currency."""


class StoreReader:
    """Readings of many bots. One connection pool a URL; a store that is away is asked once, not once a bot."""

    def __init__(self, *, max_age: float, shared: str | None = None) -> None:
        """`shared`: URL of the store whose answers are trusted. Of all others they are bounded."""
        self._max_age = max_age
        self._shared = shared
        self._clients: dict[str, Any] = {}
        self._asking: dict[str, asyncio.Semaphore] = {}
        self._own = asyncio.Semaphore(_OWN_AT_ONCE)
        self._readings: dict[str, tuple[str, float, Reading]] = {}
        self._away: dict[str, tuple[float, Reading]] = {}

    async def read(self, url: str, bot: str) -> Reading:
        """The store of a bot (`namespace/name`), at most `max_age` seconds old."""
        if known := self.known(url, bot):
            return known
        if url == self._shared:
            reading = await self._ask(url, bot)
        else:
            async with self._asking.setdefault(url, asyncio.Semaphore(_ONE_AT_ONCE)), self._own:
                if known := self.known(url, bot):  # for another bot it was asked meanwhile, and is away
                    return known
                reading = await self._ask(url, bot)
        if reading.reachable:
            self._away.pop(url, None)
            self._readings[bot] = (url, time.monotonic(), reading)
        else:
            if "+cluster:" not in url:  # where a bot's slot may be away alone
                self._away[url] = (time.monotonic(), reading)
            self._readings.pop(bot, None)
        return reading

    def known(self, url: str, bot: str) -> Reading | None:
        """What was read of a bot's store in the last `max_age` seconds."""
        now = time.monotonic()
        of, at, reading = self._readings.get(bot, ("", now, None))
        if reading is not None and of == url and now - at < self._max_age:
            return reading
        at, away = self._away.get(url, (now, None))
        return away if now - at < self._max_age else None

    async def forget(self, bot: str, urls_in_use: Iterable[str]) -> None:
        """Drop what is known of a bot, and the connections nobody uses."""
        self._readings.pop(bot, None)
        for url in {*self._asking, *self._clients} - set(urls_in_use):  # one that is no URL has no client
            self._away.pop(url, None)
            self._asking.pop(url, None)
            if (client := self._clients.pop(url, None)) is not None:
                await client.aclose()

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    async def _ask(self, url: str, bot: str) -> Reading:
        try:
            client = self._clients.get(url)
            if client is None:
                client = self._clients[url] = open_client(url, _TIMEOUT, self._bounds(url))
        except ValueError as error:
            return Reading(False, "InvalidURL", str(error))
        try:
            async with asyncio.timeout(_TIMEOUT):
                replies = await _asked(client, key_prefix(bot))
                failed = next((reply for reply in replies if _fails(reply)), None)
                if failed is not None and fault_of(failed, client) == NO_FUNCTIONS:
                    # Most often a store of the bot's own, which no pod of this version has met yet.
                    with contextlib.suppress(ResponseError):  # the login may not, or somebody was quicker
                        await client.function_load(library().text)
                    replies = await _asked(client, key_prefix(bot))
                    failed = next((reply for reply in replies if _fails(reply)), None)
            if failed is not None:
                raise failed
        except TooLarge as error:
            return Reading(False, "Unreadable", f"what the store answers is not what a bot keeps: {error}")
        except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
            fault = fault_of(error, client)
            return Reading(False, fault.reason, str(fault))
        _, backlog, platforms, model, use, aside = (
            None if isinstance(reply, Exception) else reply for reply in replies
        )  # fmt: skip
        names = ("", "runnable", "platforms", "model", "tokens", "unreadable")
        spoiled = {name for name, reply in zip(names, replies, strict=True) if isinstance(reply, Exception)}
        spoiled |= {name.decode(errors="replace")[:_MOST_NAME] for name in list(hashes.fields(aside))[:_MOST_NAMES]}
        tokens, cost = _used(hashes.fields(use), time.time())
        reading = Reading(
            True, backlog=backlog, platforms=_platforms(hashes.fields(platforms), time.time()),
            model=outcomes(hashes.fields(model), time.time()), left_out=left_out(hashes.fields(model)),
            tokens=tokens, cost=cost,
        )  # fmt: skip
        if not spoiled:
            return reading
        message = f"keys that cannot be read were put aside or will be, and begin anew: {', '.join(sorted(spoiled))}"
        return replace(reading, reason="Unreadable", message=message)

    def _bounds(self, url: str) -> Bounds | None:
        return None if url == self._shared else Bounds(most_bytes=_OWN_BYTES, most_items=_OWN_ITEMS)


async def _asked(client: Any, prefix: str) -> list[Any]:
    """What a store says of a bot, errors included; in the order of _ANSWERS."""
    pipeline = client.pipeline(transaction=False)
    pipeline.fcall(_PROBE, 1, f"{prefix}probe")  # a store that takes no writes refuses it
    pipeline.xlen(f"{prefix}runnable")
    hashes.ask(pipeline, f"{prefix}platforms")
    hashes.ask(pipeline, f"{prefix}model")
    hashes.ask(pipeline, f"{prefix}tokens", "day", "tokens", "cost")
    hashes.ask(pipeline, f"{prefix}unreadable")
    return await pipeline.execute(raise_on_error=False)


def _used(raw: dict[bytes, bytes], now: float) -> tuple[int, int]:
    """Tokens and cost of today."""
    texts = (raw.get(name, b"") for name in (b"day", b"tokens", b"cost"))
    day, tokens, cost = (int(text) if len(text) <= _DIGITS and text.isdigit() else 0 for text in texts)
    return (tokens, cost) if day == now // 86_400 else (0, 0)


def _fails(reply: Any) -> bool:
    """Whether the store does not work, and not only one key of it is of another type than it should be."""
    return isinstance(reply, Exception) and not str(reply).startswith("WRONGTYPE")


def _platforms(raw: dict[bytes, bytes], now: float) -> dict[str, PlatformReport]:
    """What gateways report of each platform: in the field of its name, and of the receivers that they share out.

    Those have fields of their own (`discord:0`) and tell how many there are: the platform is connected when all are.
    """
    found: dict[str, dict[str, _Entry]] = {}
    for name, text in raw.items():
        platform, _, part = name.decode(errors="replace").partition(":")
        with contextlib.suppress(*_UNREADABLE):
            entry = _entry(json.loads(text), now)
            if entry is not None:
                found.setdefault(platform, {})[part] = entry
    return {platform: _merged(entries) for platform, entries in found.items()}


def _entry(report: Any, now: float) -> _Entry | None:
    """None: nobody stands behind it any more."""
    if now - float(report.get("at") or now) > _REPORT_LASTS:
        return None
    message, reason, username, invite = (str(report.get(name) or "") for name in _TEXTS)
    of, since = int(report.get("of") or 0), int(report.get("since") or 0)
    return _Entry(bool(report["connected"]), message, reason, of, since, username, invite)


def _merged(entries: dict[str, _Entry]) -> PlatformReport:
    of = max(entry.of for entry in entries.values())
    told = [entry for _, entry in sorted(entries.items())]
    messages = list(dict.fromkeys(entry.message for entry in told if entry.message))
    up = sum(entry.connected for part, entry in entries.items() if part)
    connected = up >= of if of else "" in entries and entries[""].connected
    # What keeps it from being connected says more than what is wrong besides.
    reasons = [entry.reason for entry in sorted(told, key=lambda entry: entry.connected) if entry.reason]
    if not connected and of and not messages:
        messages, reasons = [f"{up} of {of} shards are connected"], ["ShardsMissing"]
    return PlatformReport(
        connected,
        "; ".join(messages),
        reasons[0] if reasons else "",
        next((entry.username for entry in told if entry.username), ""),
        next((entry.invite for entry in told if entry.invite), ""),
        max((entry.since for entry in told if entry.connected == connected), default=0),
    )
