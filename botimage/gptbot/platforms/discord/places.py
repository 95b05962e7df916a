"""Where the bot was spoken to of late: the channels that are asked for what was written while nobody listened."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Final

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.platforms.inbound import Inbound

MOST: Final = 1000
"""Channels of a bot that are noted, at most: those spoken in last."""
_RENEW: Final = 600.0
"""Seconds after which a channel that goes on talking is noted anew."""
_TAG: Final = 16


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, and the guild it is in; None for direct messages."""

    channel: str
    guild: str | None

    def shard(self, count: int) -> int:
        """Which shard of `count` it belongs to (docs/events/gateway, "Sharding")."""
        return 0 if self.guild is None else (int(self.guild) >> 22) % count


class Places:
    """Of one bot. In the store they are sealed with the pepper: who has the store alone learns no id from it."""

    def __init__(self, store: Store, keys: BotKeys, retention: float) -> None:
        """`retention`: seconds after which a channel is forgotten unless the bot is spoken to there again."""
        self._store = store
        self._keys = keys
        self._key = keys.platform("discord", "places")
        self._pepper = keys.pepper
        self._retention = retention
        self._noted: dict[Place, float] = {}

    async def taken(self, message: Inbound) -> None:
        """A message was taken in: note where, if it was meant for the bot. Raises nothing: the message itself is in."""
        if message.direct or message.addressed:
            guild = next(
                (name.removeprefix("guild:") for name in message.principals if name.startswith("guild:")), None
            )
            with contextlib.suppress(StoreUnavailable):
                await self.note(Place(message.address["channel"], guild))

    async def note(self, place: Place) -> None:
        """The bot was spoken to here. Raises StoreUnavailable."""
        now = time.time()
        if now - self._noted.get(place, 0.0) < min(_RENEW, self._retention / 2):
            return
        await asyncio.gather(  # one pipeline
            self._store.command("ZADD", self._key, round(now), self._seal(place)),
            self._store.command("ZREMRANGEBYSCORE", self._key, "-inf", round(now - self._retention)),
            self._store.command("ZREMRANGEBYRANK", self._key, 0, -MOST - 1),
            self._store.command("EXPIRE", self._key, max(1, round(self._retention))),
        )
        if len(self._noted) >= MOST:
            self._noted.clear()
        self._noted[place] = now

    async def of_shard(self, number: int, count: int, most: int) -> list[Place]:
        """Places of one shard, the last spoken in first. Raises StoreUnavailable."""
        oldest = round(time.time() - self._retention)
        sealed = await self._store.command("ZREVRANGEBYSCORE", self._key, "+inf", f"({oldest}")
        places = [place for value in sealed if (place := self._open(value)) is not None]
        return [place for place in places if place.shard(count) == number][:most]

    async def forget(self, place: Place) -> None:
        """It is gone, or not for the bot any more. Raises StoreUnavailable."""
        self._noted.pop(place, None)
        await self._store.command("ZREM", self._key, self._seal(place))

    async def forget_conversation(self, conversation: str) -> None:
        """The same by whoever knows no more than the pseudonym of the channel. Raises StoreUnavailable."""
        sealed = await self._store.command("ZRANGE", self._key, 0, -1)
        gone = [value for value in sealed if (place := self._open(value)) and self._name(place) == conversation]
        if gone:
            await self._store.command("ZREM", self._key, *gone)

    def _name(self, place: Place) -> str:
        return self._keys.pseudonym("discord", "conversation", place.channel)

    def _seal(self, place: Place) -> bytes:
        """Synthetic-IV encryption (RFC 5297's construction, with HMAC): the same place is always the same bytes."""
        plain = int(place.channel).to_bytes(8, "big") + int(place.guild or 0).to_bytes(8, "big")
        tag = self._tag(plain)
        return tag + self._mask(tag, plain)

    def _open(self, sealed: bytes) -> Place | None:
        """None: sealed with another pepper."""
        tag, plain = sealed[:_TAG], self._mask(sealed[:_TAG], sealed[_TAG:])
        if not hmac.compare_digest(tag, self._tag(plain)):
            return None
        channel, guild = int.from_bytes(plain[:8], "big"), int.from_bytes(plain[8:], "big")
        return Place(str(channel), str(guild) if guild else None)

    def _tag(self, plain: bytes) -> bytes:
        return hmac.digest(self._pepper, b"discord place\x1f" + plain, hashlib.sha256)[:_TAG]

    def _mask(self, tag: bytes, data: bytes) -> bytes:
        stream = hmac.digest(self._pepper, b"discord place mask\x1f" + tag, hashlib.sha256)
        return bytes(a ^ b for a, b in zip(data, stream, strict=False))
