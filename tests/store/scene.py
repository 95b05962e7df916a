"""A gateway's door and a worker behind it, on a real Valkey."""

from __future__ import annotations

from typing import Any

from gptbot.inbox.claims import Claim
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.stops import Stops
from gptbot.inbox.store import Store
from tests.store.test_intake import Door


class Scene:
    """A door, and a worker behind it."""

    def __init__(self, store: Store, keys: BotKeys, **spec: Any) -> None:
        self.door = Door(store, keys, **spec)
        self.stops = Stops(store, keys)
        self.mailbox = self.door.mailbox

    async def claim(self, most: int = 20) -> Claim:
        await self.mailbox.create_group()
        (entry,) = await self.mailbox.receive(5, 1.0)
        claim = await self.mailbox.claim(entry, most)
        assert claim
        return claim

    async def texts(self) -> list[str]:
        return [message.text for message in await self.door.mail()]
