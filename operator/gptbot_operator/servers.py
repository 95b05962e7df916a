"""All servers of a store: ACL users are made on each, and a bot's keys live on one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.crc import key_slot
from redis.exceptions import RedisError

from gptbot_api.store_url import Address, StoreUrl
from gptbot_operator.bounded import Bounds
from gptbot_operator.store_client import open_sentinels, open_server

_UNUSABLE = frozenset({"fail", "noaddr", "handshake"})
"""Flags of servers of a cluster that cannot be asked."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server."""

    client: Any = field(repr=False)
    address: Address | None
    """None: behind a socket."""
    primary: bool = True
    slots: tuple[range, ...] = ()
    """Of a cluster's primary."""


class Servers:
    """Who belongs to a store, as of the last `find`. What asks raises redis' exceptions, OSError, TimeoutError."""

    def __init__(self, text: str, timeout: float, bounds: Bounds | None = None) -> None:
        """`timeout`: seconds for one command; `bounds`: how much servers may answer that are not trusted.

        Raises ValueError when the URL is none.
        """
        self._url = StoreUrl.parse(text)
        self._url.ssl_context()
        self._timeout = timeout
        self.bounds = bounds
        self._clients: dict[Address | None, Any] = {}
        self._sentinels = open_sentinels(self._url, timeout, bounds) if self._url.kind == "sentinel" else None
        self.known: Sequence[Server] = ()

    @property
    def database(self) -> int:
        """The number of the database that the store's URL names."""
        return self._url.database

    async def find(self) -> Sequence[Server]:
        """Look who there is now."""
        match self._url.kind:
            case "socket":
                found = [Server(self._client(None), None)]
            case "server":
                found = [Server(self._client(self._url.addresses[0]), self._url.addresses[0])]
            case "sentinel":
                found = await self._replicated()
            case "cluster":
                found = await self._clustered()
        self.known = found
        gone = set(self._clients) - {server.address for server in found} - set(self._url.addresses)
        await asyncio.gather(*(self._clients.pop(address).aclose() for address in gone), return_exceptions=True)
        return found

    def of(self, tag: str) -> Any:
        """The client of the server with the keys of a hash tag. Raises LookupError when it is not known."""
        slot = key_slot(tag.encode())
        for server in self.known:
            if server.primary and (self._url.kind != "cluster" or any(slot in part for part in server.slots)):
                return server.client
        raise LookupError("no server of the store is known to have these keys")

    async def close(self) -> None:
        """Close all connections."""
        clients, self._clients, self.known = [*self._clients.values()], {}, ()
        clients += self._sentinels.sentinels if self._sentinels is not None else []
        await asyncio.gather(*(client.aclose() for client in clients), return_exceptions=True)

    def _client(self, address: Address | None) -> Any:
        if address not in self._clients:
            self._clients[address] = open_server(self._url, address, self._timeout, self.bounds)
        return self._clients[address]

    async def _replicated(self) -> list[Server]:
        """https://valkey.io/topics/sentinel/#sentinel-api"""
        assert self._sentinels is not None
        primary = await self._sentinels.discover_master(self._url.service)
        replicas = await self._sentinels.discover_slaves(self._url.service)
        found = [Server(self._client(primary), primary)]
        return found + [Server(self._client(each), each, primary=False) for each in replicas]

    async def _clustered(self) -> list[Server]:
        """What the first server says that answers."""
        error: Exception = LookupError()
        for address in dict.fromkeys((*(each.address for each in self.known if each.address), *self._url.addresses)):
            try:
                text: bytes = await self._client(address).execute_command("CLUSTER", "NODES")
            except (RedisError, OSError, TimeoutError) as failure:
                error = failure
            else:
                return [self._member(line.split(), address) for line in text.decode().splitlines() if _usable(line)]
        raise error

    def _member(self, fields: list[str], asked: Address) -> Server:
        """https://valkey.io/commands/cluster-nodes/"""
        place, _, names = fields[1].partition(",")
        host, _, port = place.partition("@")[0].rpartition(":")
        if self._url.tls:  # a certificate holds names
            host = names.partition(",")[0] or host
        address = (host or asked[0], int(port))
        parts = [part.partition("-") for part in fields[8:] if not part.startswith("[")]
        slots = tuple(range(int(first), int(last or first) + 1) for first, _, last in parts)
        return Server(self._client(address), address, "master" in fields[2].split(","), slots)


def _usable(line: str) -> bool:
    fields = line.split()
    return len(fields) >= 8 and not _UNUSABLE & set(fields[2].split(","))
