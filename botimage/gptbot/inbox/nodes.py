"""Which server of a store has a bot's keys: the one named, the primary that Sentinel names, the owner of its slot."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.crc import key_slot
from redis.exceptions import ResponseError

from gptbot.inbox.wire import StoreUnavailable, Wire, unavailable
from gptbot_api.store_faults import NO_CLUSTER, NO_OWNER, NO_PRIMARY, PRIMARY_AWAY, SILENT, UNREACHABLE
from gptbot_api.store_url import CA_VARIABLE, Address, StoreUrl

CONNECT_TIMEOUT = 5.0
_ASK_TIMEOUT = 2.0
_AWAY = frozenset({str(UNREACHABLE), str(SILENT)})
_FOUND_AWAY = {"sentinel": PRIMARY_AWAY, "cluster": NO_OWNER}
"""What it means when the server is away that the others named."""


class Nodes:
    """Opens connections to the right server, and looks for it again when told that it is no longer right."""

    def __init__(self, url: StoreUrl, tag: str) -> None:
        """`tag`: hash tag of the bot's keys. Raises ValueError when a certificate's file cannot be used."""
        self.url = url
        self.slot = key_slot(tag.encode())
        self._context = url.ssl_context(os.environ.get(CA_VARIABLE) or None)
        self._found: Address | None = None
        self._known: Sequence[Address] = ()

    def moved(self, detail: str, by: Address | None) -> bool:
        """Take the owner of a slot from a redirection (`SLOT HOST:PORT`); False when this is not to be followed.

        https://valkey.io/topics/cluster-spec/#moved-redirection: without a host, it is that of the server asked.
        """
        host, _, port = detail.partition(" ")[2].rpartition(":")
        if self.url.kind != "cluster" or by is None or not port.isdigit():
            return False
        self._found = (host or by[0], int(port))
        return True

    def forget(self) -> None:
        """Look for the server again before the next connection."""
        self._found = None

    def current(self, address: Address | None) -> bool:
        """Whether connections to an address are still of use."""
        return self.url.kind in ("server", "socket") or (self._found is not None and address == self._found)

    async def connect(self, **told: Any) -> Wire:
        """A new connection to the server. Raises StoreUnavailable."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                if self._found is None:
                    self._found = await self._find()
                return await Wire.open(self.url, self._found, self._context, **told)
        except (StoreUnavailable, TimeoutError) as error:
            reason = unavailable(error)
            if self._found and self.url.kind in _FOUND_AWAY and str(reason) in _AWAY:
                reason = StoreUnavailable(str(_FOUND_AWAY[self.url.kind]))
            self.forget()
            raise reason from error

    async def _find(self) -> Address | None:
        match self.url.kind:
            case "socket":
                return None
            case "server":
                return self.url.addresses[0]
            case "sentinel":
                return await self._first(self.url.addresses, self._primary, str(NO_PRIMARY))
            case "cluster":
                # Those named may have gone since, and those known may be of a cluster that was replaced: ask all.
                everyone = dict.fromkeys((*self.url.addresses, *self._known))
                return await self._first(list(everyone), self._owner, str(NO_OWNER))

    async def _first(
        self, addresses: Sequence[Address], ask: Callable[[Address], Awaitable[Address | None]], nobody: str
    ) -> Address:
        """What the first of several servers says that knows. One that hangs holds nobody up."""
        tasks = [asyncio.ensure_future(self._answer(address, ask)) for address in addresses]
        errors: list[StoreUnavailable] = []
        knowing = False
        try:
            for next_one in asyncio.as_completed(tasks):
                try:
                    if found := await next_one:
                        return found
                    knowing = True
                except StoreUnavailable as error:
                    errors.append(error)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        raise StoreUnavailable(nobody) if knowing else errors[0]

    async def _answer(self, address: Address, ask: Callable[[Address], Awaitable[Address | None]]) -> Address | None:
        try:
            async with asyncio.timeout(_ASK_TIMEOUT):
                return await ask(address)
        except TimeoutError as error:
            raise unavailable(error) from error

    async def _primary(self, sentinel: Address) -> Address | None:
        """https://valkey.io/topics/sentinel-clients/"""
        wire = await Wire.open(self.url, sentinel, self._context, login=False)
        try:
            options = self.url.options
            if password := options.get("sentinel_password"):
                await wire.greet(options.get("sentinel_username"), password)
            reply = await wire.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.url.service)
        except ResponseError as error:
            raise StoreUnavailable(str(NO_PRIMARY)) from error
        finally:
            wire.abort()
        return (reply[0].decode(), int(reply[1])) if reply else None

    async def _owner(self, server: Address) -> Address | None:
        """https://valkey.io/commands/cluster-slots/"""
        wire = await Wire.open(self.url, server, self._context)
        try:
            slots = await wire.ask("CLUSTER", "SLOTS")
        except ResponseError as error:
            raise StoreUnavailable(str(NO_CLUSTER)) from error
        finally:
            wire.abort()
        servers: list[Address] = []
        owner: Address | None = None
        for first, last, *holders in slots:
            named = [((host or b"").decode() or server[0], int(port)) for host, port, *_ in holders]
            servers += named
            if first <= self.slot <= last:
                owner = named[0]
        self._known = list(dict.fromkeys(servers))[:32]
        return owner
