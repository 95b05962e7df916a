"""The answering half: a stream in the store, a minute longer than anybody waits."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.base import Button, SenderContext
from gptbot.platforms.errors import NotSent
from gptbot.platforms.inbound import Address

TTL = 600


class TerminalSender:
    """Writes messages of a session to its stream; an edit is an entry with the same id."""

    max_length = 1_000_000
    edit_interval = 0.1

    def __init__(self, context: SenderContext) -> None:
        self._store = context.store
        self._keys = context.keys

    def length(self, text: str) -> int:
        """Length in characters."""
        return len(text)

    async def typing(self, address: Address) -> None:
        """Nothing is shown."""

    async def send(
        self, address: Address, text: str, *, nonce: str, first: bool, final: bool, buttons: Sequence[Button] = ()
    ) -> str:
        """Write a message; the nonce is its id."""
        await self._write(address, nonce, text, final=final)
        return nonce

    async def edit(
        self, address: Address, message_id: str, text: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Write its new text."""
        await self._write(address, message_id, text, final=final)

    async def _write(self, address: Address, message_id: str, text: str, *, final: bool) -> None:
        key = self._keys.platform("terminal", address["session"])
        entry = orjson.dumps({"id": message_id, "text": text, "final": final, "to": address.get("question")})
        try:
            await self._store.command("XADD", key, "MAXLEN", "~", 1000, "*", "m", entry)
            await self._store.command("EXPIRE", key, TTL)
        except StoreUnavailable as error:
            raise NotSent(str(error)) from error
