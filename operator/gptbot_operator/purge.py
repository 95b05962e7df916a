"""Erases the keys of bots that are no more, in small steps, so that the store goes on with the others' work."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from gptbot_api.store_rights import key_pattern
from gptbot_operator.cancelling import cancelled

_STEP = 1000
"""Keys looked at in one step, about."""


async def purge(client: Any, bots: Collection[str]) -> dict[str, int]:
    """Erase all keys of some bots on a server: one pass over its keys. How many each had, if any.

    What is written while it goes on may be left: go on until nothing is found. Raises redis' exceptions, OSError.
    """
    [pattern] = [key_pattern(bot) for bot in bots] if len(bots) == 1 else ["{*"]
    tags = {b"{%b}" % bot.encode(): bot for bot in bots}
    found: dict[str, int] = {}
    cursor = 0
    while True:
        if cancelled():
            raise asyncio.CancelledError
        cursor, keys = await client.scan(cursor, match=pattern, count=_STEP)
        theirs: dict[str, list[bytes]] = {}
        for key in keys:
            tag, colon, _ = key.partition(b":")
            if colon and tag in tags:
                theirs.setdefault(tags[tag], []).append(key)
        for bot, each in theirs.items():  # those of one bot are in one slot
            await client.unlink(*each)
            found[bot] = found.get(bot, 0) + len(each)
        if not cursor:
            return found
