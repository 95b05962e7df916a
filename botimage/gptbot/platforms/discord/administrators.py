"""Whether somebody administers a guild: those who may manage the server (docs/topics/permissions)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from gptbot.platforms.discord.fields import Event, fields, id_of, ids, number
from gptbot.platforms.discord.limits import ADMINISTRATOR, MANAGE_GUILD
from gptbot.platforms.discord.mapping import Directory
from gptbot.platforms.inbound import Inbound


def with_administrator(
    inbound: Inbound | None, data: Event, directory: Directory, know_guild: Callable[[str], Awaitable[None]]
) -> Inbound | None:
    """The message, with a way to ask whether its author administers the guild. `know_guild` asks Discord for one."""
    guild, member = id_of(data, "guild_id"), fields(data, "member")
    if inbound is None or not guild:
        return inbound

    async def administrator() -> bool:
        if "permissions" in member:  # of an interaction: Discord has worked them out
            return _manages(number(member, "permissions"))
        if directory.permissions(guild, inbound.user, ()) is None:
            await know_guild(guild)
        return _manages(directory.permissions(guild, inbound.user, ids(member, "roles")) or 0)

    return replace(inbound, administrator=administrator)


def _manages(permissions: int) -> bool:
    return bool(permissions & (ADMINISTRATOR | MANAGE_GUILD))
