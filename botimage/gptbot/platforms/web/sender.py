"""The answering half: writes the live message to the session's stream. Imports only what a worker has anyway."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.base import Button, SenderContext
from gptbot.platforms.errors import NotSent, Rejected, TooLarge
from gptbot.platforms.inbound import Address
from gptbot.platforms.web.entries import add, leave, lifetime, stream_key
from gptbot.platforms.web.files import Files

_REMEMBERED = 10_000
_QUICKEST, _SLOWEST = 0.2, 1.0
_EDITS_PER_SECOND = 1000
"""Of one process: many messages that grow at once are shown growing in longer steps, and none of them later."""


class _Superseded(OrderedDict[str, bytes]):
    """What to take out of a stream when the next entry is in it. The oldest is forgotten when there are too many."""

    def replace(self, name: str, entry: bytes) -> None:
        self[name] = entry
        if len(self) > _REMEMBERED:
            self.popitem(last=False)


class WebSender:
    """See `platforms.base.Sender`.

    Each state of a message is one entry that holds its whole text; the state before it is deleted. So any gateway can
    show the message from its last entry alone, a reader that is slow skips what is outdated, and a worker that takes
    over needs to know nothing but the message's id, which is the nonce.
    """

    max_length = 32_768
    """Characters: each state of a message is stored, sent and rendered whole."""

    def __init__(self, context: SenderContext) -> None:
        self._store = context.store
        self._keys = context.keys
        self._files = Files(context.store, context.keys)
        self._lifetime = lifetime(context.bot.bot.spec)
        self._states = _Superseded()
        self._typing = _Superseded()

    @property
    def edit_interval(self) -> float:
        """Seconds between two states of a message; there is no limit but what the store and the pages can take."""
        return min(max(_QUICKEST, len(self._states) / _EDITS_PER_SECOND), _SLOWEST)

    def length(self, text: str) -> int:
        """Length in characters."""
        return len(text)

    async def typing(self, address: Address) -> None:
        """Show that an answer is being made."""
        key = stream_key(self._keys, address["session"])
        with suppress(StoreUnavailable):
            entry = await self._write(key, add(key, "typing"), self._typing.pop(key, None), lasts=True)
            self._typing.replace(key, entry)

    async def send(
        self, address: Address, text: str, *, nonce: str, first: bool, final: bool, buttons: Sequence[Button] = ()
    ) -> str:
        """Write the message `nonce`, or write it anew: readers see one message either way."""
        await self._put(stream_key(self._keys, address["session"]), nonce, text, buttons, final=final)
        return nonce

    async def edit(
        self, address: Address, message_id: str, text: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Write the next state of a message."""
        await self._put(stream_key(self._keys, address["session"]), message_id, text, buttons, final=final)

    async def forget(self, conversation: str) -> None:
        """Delete the session's messages and files; its open pages show an empty conversation.

        See `platforms.base.Forgets`.
        """
        key = stream_key(self._keys, conversation)
        try:
            await asyncio.gather(self._files.drop(conversation), *(self._store.command(*parts) for parts in leave(key)))
        except StoreUnavailable as error:
            raise NotSent(str(error)) from None

    async def fetch(self, address: Address, reference: Mapping[str, Any], limit: int) -> bytes:
        """A file from the store. See `platforms.base.Fetches`."""
        try:
            content = await self._files.read(address["session"], reference["file"], limit)
        except StoreUnavailable as error:
            raise NotSent(str(error)) from None
        if content is None:
            raise Rejected("the file is not in the store any more")
        if len(content) > limit:
            raise TooLarge(limit)
        return content

    async def release(self, address: Address, references: Sequence[Mapping[str, Any]]) -> None:
        """Delete files that were answered. See `platforms.base.Releases`."""
        try:
            await self._files.drop(address["session"], [reference["file"] for reference in references])
        except StoreUnavailable as error:
            raise NotSent(str(error)) from None

    async def _put(self, key: str, message: str, text: str, buttons: Sequence[Button], *, final: bool) -> None:
        name = f"{key}:{message}"
        outdated = [self._states.pop(name, None), self._typing.pop(key, None)]
        state = add(key, "bot", message, text, final=final, buttons=buttons)
        try:
            entry = await self._write(key, state, *outdated, lasts=final or outdated[0] is None)
        except StoreUnavailable as error:
            # Whether it arrived is not known, but the same message again is the same message.
            raise NotSent(str(error)) from None
        if not final:
            self._states.replace(name, entry)

    async def _write(self, key: str, command: tuple[str, ...], *outdated: bytes | None, lasts: bool) -> bytes:
        """One round trip: the entry, the entries that are outdated now and, if it `lasts`, the key's time to live."""
        commands: list[tuple[Any, ...]] = [command]
        if lasts:
            commands.append(("EXPIRE", key, self._lifetime))
        if gone := [entry for entry in outdated if entry is not None]:
            commands.append(("XDEL", key, *gone))
        replies = await asyncio.gather(*(self._store.command(*parts) for parts in commands))
        return replies[0]
