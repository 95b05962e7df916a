"""Carries a bot's keys from one server to another. Begun anew it goes on with those that are left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from gptbot_api.store_rights import key_pattern, key_prefix

_STEP = 20
"""Keys in one step: some hold files."""
_SCANNED = 1000
"""Keys looked at for a step, about."""


async def carry(source: Any, target: Any, bot: str, *, dumped: bool = True) -> int:
    """Move every key of a bot with its time to live; how many. Nobody else may write them meanwhile.

    A source may be anything that somebody calls a store: of what it names only keys of the bot are moved. `dumped`:
    as it keeps them; else by the commands of their types, for a target whose memory is not to take a stranger's bytes.
    Raises redis' exceptions and OSError.
    """
    count, cursor, found = 0, 0, False
    prefix = key_prefix(bot).encode()
    while True:
        cursor, named = await source.scan(cursor, match=key_pattern(bot), count=_SCANNED)
        keys = [key for key in named if key.startswith(prefix)]
        for first in range(0, len(keys), _STEP):
            await _step(source, target, keys[first : first + _STEP], dumped)
        count += len(keys)
        found = found or bool(keys)
        if not cursor:
            if not found:
                return count
            found = False


async def _step(source: Any, target: Any, keys: Sequence[bytes], dumped: bool) -> None:
    if not (dumped and await _dumped(source, target, keys)):
        for key in keys:
            await _written_anew(source, target, key)
    await source.unlink(*keys)


async def _dumped(source: Any, target: Any, keys: Sequence[bytes]) -> bool:
    """https://valkey.io/commands/restore/; False: a target of an older version, or a login that may not do this."""
    asked = source.pipeline(transaction=False)
    for key in keys:
        asked.dump(key)
        asked.pttl(key)
    written = target.pipeline(transaction=False)
    try:
        replies = await asked.execute()
        for place, key in enumerate(keys):
            payload, ttl = replies[2 * place : 2 * place + 2]
            if payload is not None:  # else it has expired
                written.restore(key, 0 if ttl == -1 else max(ttl, 1), payload, replace=True)
        await written.execute()
    except ResponseError:
        return False
    return True


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
