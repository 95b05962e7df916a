"""The ids of the slash commands: whoever writes a command that can be tapped needs them (`</help:ID>`).

The gateway learns them when it registers the commands; workers find them in the store.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.platforms.discord.fields import id_of, is_id, word
from gptbot.platforms.discord.limits import COMMAND_NAME

_LOOK: Final = 60.0
"""Seconds after which they are looked up anew: a bot's commands change with its manifest."""
_LASTS: Final = 30 * 86_400
"""Seconds that they are kept after they were used; each start of a gateway writes them anew."""
_MOST: Final = 100
"""Commands of an application, at most (docs/interactions/application-commands)."""


class Registered:
    """The slash commands of one bot."""

    def __init__(self, store: Store, keys: BotKeys) -> None:
        self._store, self._key = store, keys.platform("discord", "commands")
        self._ids: dict[str, str] = {}
        self._look_at = 0.0

    async def keep(self, commands: Iterable[Mapping[str, Any]]) -> None:
        """Note what Discord told of its commands. A store that is away has them written without being tapped."""
        named = [(word(command, "name"), id_of(command)) for command in commands]
        pairs = [part for name, id_ in named if name and id_ for part in (name, id_)]
        with contextlib.suppress(StoreUnavailable):
            await self._store.command("DEL", self._key)
            if pairs:
                await self._store.command("HSET", self._key, *pairs)
                await self._store.command("EXPIRE", self._key, _LASTS)

    async def ids(self) -> Mapping[str, str]:
        """Name to id; empty as long as nothing is known."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK
            with contextlib.suppress(StoreUnavailable):
                found: list[bytes] = await self._store.command("HGETALL", self._key)
                read = [part.decode("utf-8", "replace") for part in found[: 2 * _MOST]]
                named = zip(read[::2], read[1::2], strict=False)
                self._ids = {name: id_ for name, id_ in named if re.match(COMMAND_NAME, name) and is_id(id_)}
                if found:
                    await self._store.command("EXPIRE", self._key, _LASTS)
        return self._ids
