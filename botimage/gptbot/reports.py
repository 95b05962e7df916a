"""What a gateway tells operators of its platforms: kept in the store, merged with other gateways' by who reads it.

A platform that is read by one gateway at a time, or by each alike, has one field of the hash, that of its name. One
whose receivers are shared out (`NAME:0`, `NAME:1`) has a field for each, written by the gateway that holds it: so
a report of one gateway never hides another's, and is followed by the next holder's without a gap.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass

import orjson
from redis.exceptions import ResponseError

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.leases import StoreLeases
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.platforms.base import Identity
from gptbot.telemetry import metrics
from gptbot.telemetry.logs import get_logger

log = get_logger("gateway")

TTL = 60
"""Seconds after which a report that was not renewed counts for nothing; readers know this number."""


@dataclass(frozen=True, slots=True)
class _Entry:
    platform: str
    connected: bool
    reason: str
    message: str
    of: int
    since: int
    """When `connected` became what it is."""

    def same(self, connected: bool, reason: str, message: str) -> bool:
        return (self.connected, self.reason, self.message) == (connected, reason, message)


class Reports:
    """Those of one bot in this process."""

    def __init__(self, store: Store, keys: BotKeys, leases: StoreLeases) -> None:
        self._store, self._keys, self._leases = store, keys, leases
        self._entries: dict[str, _Entry] = {}
        self._identities: dict[str, Identity] = {}
        self._changed: set[str] = set()
        self._news = asyncio.Event()

    def report(
        self,
        platform: str,
        *,
        connected: bool,
        reason: str = "",
        message: str = "",
        receiver: str = "",
        of: int = 0,
        identity: Identity | None = None,
    ) -> None:
        """See `gptbot.platforms.base.Report`."""
        name = receiver or platform
        if identity is not None and self._identities.get(platform) != identity:
            self._identities[platform] = identity
            for other, entry in self._ours():
                if entry.platform == platform:
                    self._renew(other)
        before = self._entries.get(name)
        if before and before.same(connected, reason, message) and before.of == of:
            if receiver:
                self._renew(name)  # another gateway may have written since it was ours
            return
        shared = bool(of and connected and not message and not receiver)  # its receivers tell when they are connected
        if not shared and (not before or not before.same(connected, reason, message)):
            say = log.info if connected and not message else log.warning
            more = {"receiver": receiver} if receiver else {}
            say("connected" if connected else "not connected", platform=platform, bot=self._keys.bot,
                reason=message or None, **more)  # fmt: skip
        since = before.since if before and before.connected == connected else int(time.time())
        self._entries[name] = _Entry(platform, connected, reason, message, of, since)
        ours = [entry.connected for _, entry in self._ours() if entry.platform == platform]
        metrics.PLATFORM_CONNECTED.labels(bot=self._keys.bot, platform=platform).set(int(all(ours)))
        self._renew(name)

    async def publish(self) -> None:
        """Keep the reports in the store, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TTL / 4):
                    await self._news.wait()
            names = self._changed | {name for name, entry in self._ours() if _worth_renewing(name, entry)}
            self._changed = set()
            self._news.clear()
            try:
                await self._write(names)
            except ResponseError:
                self._changed |= names
                raise
            except StoreUnavailable:
                self._changed |= names
                await self._store.wait_available()
                self._news.set()

    def _renew(self, name: str) -> None:
        self._changed.add(name)
        self._news.set()

    def _ours(self) -> list[tuple[str, _Entry]]:
        """All but those of receivers that another gateway reads now."""
        return [(name, entry) for name, entry in self._entries.items() if not self._leases.waits(name)]

    async def _write(self, names: set[str]) -> None:
        key, fields = self._keys.platforms, list[object]()
        for name in sorted(names):
            entry = self._entries[name]
            value: dict[str, object] = {
                "connected": entry.connected, "reason": entry.reason, "message": entry.message, "since": entry.since,
                "at": int(time.time()), "of": entry.of,
            }  # fmt: skip
            if identity := self._identities.get(entry.platform):
                value |= {"username": identity.username, "invite": identity.invite}
            fields += [name, orjson.dumps(value)]
        if fields:
            await asyncio.gather(
                self._store.command("HSET", key, *fields), self._store.command("EXPIRE", key, TTL)
            )  # one pipeline


def _worth_renewing(name: str, entry: _Entry) -> bool:
    """Not so for a platform that is well and whose receivers tell of themselves."""
    return name != entry.platform or not entry.of or not entry.connected or bool(entry.message)
