"""What was said in groups that want it kept for `!summary`, where the platform lets bots read no history.

Redacted, without names and ids, so many messages at most, none older than the context may be.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson

from gptbot.inbox.chats import KNOWN
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mending import count
from gptbot.inbox.store import Store
from gptbot_api import GptBotSpec
from gptbot_api.base import seconds
from gptbot_api.store_functions import function

SETTING, ON = "summary_buffer", "on"
"""The setting of a conversation that keeps messages, and its value then."""
MOST_CHARACTERS = 2000
"""Characters of a message that are kept."""
_OVERHEAR = function("overhear")


@dataclass(frozen=True, slots=True)
class Overheard:
    """A message kept."""

    speaker: str
    """The author's name in this conversation, as in `Envelope.speaker`."""
    text: str
    """Redacted."""
    sent: float
    """Seconds since 1970."""


class OverheardMessages:
    """The messages kept by one bot."""

    def __init__(self, store: Store, keys: BotKeys) -> None:
        self._store = store
        self._keys = keys

    async def keep(
        self,
        conversation: str,
        event: str,
        user: str,
        message: Overheard,
        spec: GptBotSpec,
        *,
        edited: bool = False,
    ) -> None:
        """Keep a message of a user, if the conversation wants that now; an edited one replaces what was kept of it.

        The same `event` again is the same message. Raises StoreUnavailable.
        """
        keys = self._keys
        names = (
            keys.settings(conversation), keys.heard(conversation), keys.words(conversation), keys.chats(user),
            keys.people(conversation),
        )  # fmt: skip
        entry = orjson.dumps([message.speaker, message.text[:MOST_CHARACTERS]])
        ttl, retention = lasts(spec), seconds(spec.privacy.retention)
        await self._store.run(
            _OVERHEAR, names, event, int(message.sent * 1000), entry, int(ttl * 1000),
            spec.context.summary_buffer, int(edited), int(retention * 1000), f"{conversation} {message.speaker}",
            int(KNOWN * retention * 1000), f"{user} {message.speaker}",
        )  # fmt: skip

    async def read(self, conversation: str, most: int, since: float, ttl: float) -> list[Overheard]:
        """The newest messages that were sent after `since`, newest first; none older than `ttl` seconds.

        Raises StoreUnavailable.
        """
        oldest = int(max(since, time.time() - ttl) * 1000)
        heard = self._keys.heard(conversation)
        found = await self._store.command("ZREVRANGEBYSCORE", heard, "+inf", oldest, "WITHSCORES", "LIMIT", 0, most)
        events = found[::2]
        if not events:
            return []
        kept = await self._store.command("HMGET", self._keys.words(conversation), *events)
        return [
            Overheard(*said, sent=float(score) / 1000)
            for entry, score in zip(kept, found[1::2], strict=True) if entry is not None and (said := self._said(entry))
        ]  # fmt: skip

    def _said(self, entry: bytes) -> tuple[str, str] | None:
        """Speaker and text of what is kept; None, and counted, when it cannot be read."""
        with contextlib.suppress(ValueError):
            said: Any = orjson.loads(entry)
            if isinstance(said, list) and [type(each) for each in cast("list[Any]", said)] == [str, str]:
                return said[0], said[1]
        count(self._keys.bot, "words")
        return None

    async def drop(self, conversation: str, events: Sequence[str | bytes]) -> None:
        """Drop single messages. Raises StoreUnavailable."""
        await asyncio.gather(
            self._store.command("ZREM", self._keys.heard(conversation), *events),
            self._store.command("HDEL", self._keys.words(conversation), *events),
        )

    async def drop_speaker(self, conversation: str, speaker: str) -> int:
        """Drop all that one person said; how many messages. Raises StoreUnavailable."""
        kept = await self._store.command("HGETALL", self._keys.words(conversation))
        # What cannot be read may be theirs.
        events = [event for event, entry in zip(kept[::2], kept[1::2], strict=True)
                  if (said := self._said(entry)) is None or said[0] == speaker]  # fmt: skip
        if events:
            await self.drop(conversation, events)
        return len(events)

    async def count(self, conversation: str) -> int:
        """How many messages are kept of a conversation. Raises StoreUnavailable."""
        return int(await self._store.command("ZCARD", self._keys.heard(conversation)))

    async def forget(self, conversation: str) -> None:
        """Drop all messages of a conversation. Raises StoreUnavailable."""
        await self._store.command("DEL", self._keys.heard(conversation), self._keys.words(conversation))


def lasts(spec: GptBotSpec) -> float:
    """Seconds that a message is kept: as long as the context, and never longer than `privacy.retention`."""
    return min(seconds(spec.context.ttl), seconds(spec.privacy.retention))
