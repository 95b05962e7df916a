"""What was written while nobody held a shard's session: fetched over REST, once, for direct messages and mentions.

Discord sends a new session nothing of the past. Get Channel Messages does (docs/resources/message), for the channels in
which the bot was spoken to of late, and those whose `last_message_id` in Guild Create tells that something was written.
Slash commands of that time are lost: Discord told their users so at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.discord.fields import Event, fields, id_of, number, objects
from gptbot.platforms.discord.limits import snowflake
from gptbot.platforms.discord.mapping import Directory, from_message, is_thread
from gptbot.platforms.discord.places import Place, Places
from gptbot.platforms.discord.rest import Refused, Rest
from gptbot.platforms.errors import FloodWait, NotSent, OutcomeUnknown
from gptbot.platforms.inbound import Inbound
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)

CHANNELS: Final = 50
"""Channels a shard asks for, at most: of those in which the bot was spoken to, and of others as many again."""
AGE: Final = 3600.0
"""Seconds a missed message may be old: a later answer is no answer any more."""
_PAGE: Final = 100
_PAGES: Final = 3
_OVERLAP: Final = 30.0
"""Seconds asked for once more, for clocks that differ. What was taken in before is known by its id."""
_AT_A_TIME: Final = 2
_PATIENCE: Final = 10.0
_TRIES: Final = 4


@dataclass(slots=True)
class CatchUp:
    """Of one bot."""

    rest: Rest
    places: Places
    directory: Directory
    know_guild: Callable[[str], Awaitable[None]]
    """Learns the roles of a guild that is not in the directory."""
    _pace: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_A_TIME), init=False)

    def unheard(self, guild: Event, since: float) -> list[Place]:
        """Channels and threads of a Guild Create in which something was written after `since`, the latest first."""
        after = int(self._after(since))
        talk = [(number(channel, "last_message_id"), id_of(channel))
                for channel in [*objects(guild, "channels"), *objects(guild, "threads")] if id_of(channel)]  # fmt: skip
        return [Place(channel, id_of(guild)) for last, channel in sorted(talk, reverse=True) if last > after]

    @staticmethod
    def _after(since: float) -> str:
        """The id to ask on from."""
        return snowflake(max(since - _OVERLAP, time.time() - AGE))

    async def missed(self, place: Place, since: float) -> list[Inbound]:
        """What people wrote to the bot in a channel after `since` (seconds since 1970), oldest first."""
        after = self._after(since)
        found: list[Inbound] = []
        members: dict[str, Any] = {}
        async with self._pace:
            try:
                for _ in range(_PAGES):
                    path = f"/channels/{place.channel}/messages?after={after}&limit={_PAGE}"
                    answer = await self._get(path, ("messages", place.channel))
                    page = [data for data in answer if id_of(data)] if isinstance(answer, list) else []
                    for data in reversed(page):
                        found += await self._understood(data, place, members)
                    if len(page) < _PAGE:
                        return found
                    after = id_of(page[0])
                log.warning("a channel is too busy to read all of what was missed in it")
            except Refused as refusal:
                if refusal.status in (403, 404):
                    with contextlib.suppress(StoreUnavailable):
                        await self.places.forget(place)
                log.info("missed messages of a channel are not for the bot to read", code=refusal.code)
            except (FloodWait, NotSent, OutcomeUnknown) as error:
                log.warning("missed messages of a channel could not be fetched", error=type(error).__name__)
        return found

    async def _understood(self, data: dict[str, Any], place: Place, members: dict[str, Any]) -> list[Inbound]:
        """One message; nothing when it cannot be read: it must not keep the others from coming in."""
        try:
            return await self._understand(data, place, members)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            log.error("a missed message of Discord cannot be read; it is left out", reason=type(error).__name__)
            return []

    async def _understand(self, data: dict[str, Any], place: Place, members: dict[str, Any]) -> list[Inbound]:
        """One message as an event would have brought it: REST leaves out guild and member."""
        if place.guild is None:
            inbound = from_message(data, self.directory)
            return [inbound] if inbound else []
        if place.guild not in self.directory.guilds:
            await self.know_guild(place.guild)
        data |= {"guild_id": place.guild}
        inbound = from_message(data, self.directory)
        if inbound is None or not inbound.addressed:
            return []
        if not members:  # the first one for us: access rules may name the channel that a thread is in
            channel = fields(await self._get(f"/channels/{place.channel}", ("channel", place.channel)))
            if is_thread(channel):
                self.directory.thread({"guild_id": place.guild, **channel})
        if inbound.user not in members:
            members[inbound.user] = await self._member(place.guild, inbound.user)
        inbound = from_message(data | {"member": members[inbound.user]}, self.directory)
        return [inbound] if inbound else []

    async def _member(self, guild: str, user: str) -> dict[str, Any]:
        """Whose roles access rules may name; without any when the person has left."""
        try:
            return fields(await self._get(f"/guilds/{guild}/members/{user}", ("member", guild)))
        except Refused as refusal:
            if refusal.status == 404:
                return {}
            raise

    async def _get(self, path: str, route: tuple[str, str]) -> Any:
        """Read, as often as it takes within reason. Raises as `Rest.request` does."""
        failures = 0
        while True:
            try:
                return await self.rest.request("GET", path, route=route, patience=_PATIENCE)
            except (FloodWait, NotSent, OutcomeUnknown) as error:
                failures += 1
                if failures == _TRIES:
                    raise
                await asyncio.sleep(error.retry_after if isinstance(error, FloodWait) else 0.5 * 2**failures)
