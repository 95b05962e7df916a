"""What the bot's server can do: newer methods are tried, and one that it does not know is left alone for a day."""

from __future__ import annotations

import hashlib
import time
from typing import Final

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.platforms.telegram.limits import FEATURES_LAST, FEATURES_LOOK
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)

RICH: Final = "sendRichMessage"
"""Rich messages, since Bot API 10.1."""
RICH_DRAFT: Final = "sendRichMessageDraft"
"""Drafts of rich messages, since Bot API 10.1."""
_METHODS: Final = (RICH, RICH_DRAFT)


class Features:
    """The newer methods that the server at `base_url` knows, as far as anybody found out. Shared by all workers."""

    def __init__(self, store: Store, keys: BotKeys, base_url: str) -> None:
        server = hashlib.sha256(base_url.encode()).hexdigest()[:12]
        self._store = store
        self._keys = {method: keys.platform("telegram", f"lacks:{server}:{method}") for method in _METHODS}
        self._lacking: dict[str, float] = {}
        """Method to when it may be tried again."""
        self._look_at = 0.0

    def known(self, method: str) -> bool:
        """Whether the server may know the method."""
        return time.monotonic() >= self._lacking.get(method, 0.0)

    async def look(self) -> None:
        """Learn what others found out, if we did not look for a while. A store that is away changes nothing."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + FEATURES_LOOK
        try:
            found: list[bytes | None] = await self._store.command("MGET", *self._keys.values())
        except StoreUnavailable:
            return
        for method, lacking in zip(self._keys, found, strict=True):
            if lacking is not None:
                self._lacking[method] = max(self._lacking.get(method, 0.0), now + 2 * FEATURES_LOOK)

    async def lacks(self, method: str) -> None:
        """Remember, for all workers, that the server does not know a method."""
        if self.known(method):
            log.info("telegram server does without a newer method", method=method)
        self._lacking[method] = time.monotonic() + FEATURES_LAST
        try:
            await self._store.command("SET", self._keys[method], "1", "EX", FEATURES_LAST)
        except StoreUnavailable:
            log.info("telegram method not remembered as unknown", method=method, reason="the store is away")
