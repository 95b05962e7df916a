"""Which bots use the shared store: kept in it, so that what a bot leaves is found even if nobody saw it go."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gptbot_operator.servers import Servers

_KEY = "gptbot:bots"
"""Hash: bot (`namespace/name`) to the installation that serves it and the bot's uid."""


class Registry:
    """Entries of one installation; those of others in the same store are left alone.

    All raise redis' exceptions, OSError, and LookupError when no server is known to have the key.
    """

    def __init__(self, servers: Servers, installation: str) -> None:
        self._servers = servers
        self._installation = installation

    async def uid(self, bot: str) -> str | None:
        """Under which uid a bot of that name used the store last."""
        return self._own(await self._servers.of(_KEY).hget(_KEY, bot) or b"")

    async def read(self) -> dict[str, str]:
        """Every bot and its uid."""
        entries: dict[bytes, bytes] = await self._servers.of(_KEY).hgetall(_KEY)
        return {bot.decode(): uid for bot, value in entries.items() if (uid := self._own(value)) is not None}

    async def every(self) -> set[str]:
        """Every bot, also those of other installations."""
        return {bot.decode(errors="replace") for bot in await self._servers.of(_KEY).hkeys(_KEY)}

    async def add(self, bots: Mapping[str, str]) -> None:
        """Write bots and their uids down."""
        if bots:
            entries = {bot: f"{self._installation} {uid}" for bot, uid in bots.items()}
            await self._servers.of(_KEY).hset(_KEY, mapping=entries)

    async def remove(self, bots: Collection[str]) -> None:
        """Forget bots of which nothing is left."""
        if bots:
            await self._servers.of(_KEY).hdel(_KEY, *bots)

    def _own(self, value: bytes) -> str | None:
        installation, _, uid = value.decode(errors="replace").partition(" ")
        return uid if uid and installation == self._installation else None
