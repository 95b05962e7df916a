"""Carries a bot's keys from one server to another. Begun anew it goes on with those that are left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from gptbot_api.store_rights import key_pattern

_STEP = 20
"""Keys in one step: some hold files."""
_SCANNED = 1000
"""Keys looked at for a step, about."""


async def carry(source: Any, target: Any, bot: str) -> int:
    """Move every key of a bot with its time to live; how many. Nobody else may write them meanwhile.

    Raises redis' exceptions and OSError.
    """
    count, cursor, found = 0, 0, False
    while True:
        cursor, keys = await source.scan(cursor, match=key_pattern(bot), count=_SCANNED)
        for first in range(0, len(keys), _STEP):
            await _step(source, target, keys[first : first + _STEP])
        count += len(keys)
        found = found or bool(keys)
        if not cursor:
            if not found:
                return count
            found = False


async def _step(source: Any, target: Any, keys: Sequence[bytes]) -> None:
    try:
        await _dumped(source, target, keys)
    except ResponseError:  # a target of an older version, or a login that may not do this
        for key in keys:
            await _written_anew(source, target, key)
    await source.unlink(*keys)


async def _dumped(source: Any, target: Any, keys: Sequence[bytes]) -> None:
    """https://valkey.io/commands/restore/"""
    asked = source.pipeline(transaction=False)
    for key in keys:
        asked.dump(key)
        asked.pttl(key)
    replies = await asked.execute()
    written = target.pipeline(transaction=False)
    for place, key in enumerate(keys):
        payload, ttl = replies[2 * place : 2 * place + 2]
        if payload is not None:  # else it has expired
            written.restore(key, 0 if ttl == -1 else max(ttl, 1), payload, replace=True)
    await written.execute()


async def _written_anew(source: Any, target: Any, key: bytes) -> None:
    """The same by the commands of its type. What a worker of a stream's group had begun is delivered once more."""
    kind: bytes = await source.type(key)
    written = target.pipeline(transaction=True)
    written.delete(key)
    match kind:
        case b"string":
            written.set(key, await source.get(key))
        case b"list":
            written.rpush(key, *await source.lrange(key, 0, -1))
        case b"hash":
            written.hset(key, mapping=await source.hgetall(key))
        case b"zset":
            written.zadd(key, dict(await source.zrange(key, 0, -1, withscores=True)))
        case b"stream":
            for entry, fields in await source.xrange(key):
                written.xadd(key, fields, id=entry)
            for group in await source.xinfo_groups(key):
                written.xgroup_create(key, group["name"], id="0", mkstream=True)
        case _:
            return  # it has expired
    ttl: int = await source.pttl(key)
    if ttl >= 0:
        written.pexpire(key, max(ttl, 1))
    await written.execute()
