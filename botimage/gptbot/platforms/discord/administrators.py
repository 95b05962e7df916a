"""Whether somebody administers a guild: those who may manage the server (docs/topics/permissions)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from gptbot.platforms.discord.limits import ADMINISTRATOR, MANAGE_GUILD
from gptbot.platforms.discord.mapping import Directory, Event
from gptbot.platforms.inbound import Inbound


def with_administrator(
    inbound: Inbound | None, data: Event, directory: Directory, know_guild: Callable[[str], Awaitable[None]]
) -> Inbound | None:
    """The message, with a way to ask whether its author administers the guild. `know_guild` asks Discord for one."""
    guild: str | None = data.get("guild_id")
    member: Any = data.get("member")
    if inbound is None or guild is None or member is None:
        return inbound

    async def administrator() -> bool:
        if "permissions" in member:  # of an interaction: Discord has worked them out
            return _manages(int(member["permissions"]))
        if directory.permissions(guild, inbound.user, ()) is None:
            await know_guild(guild)
        return _manages(directory.permissions(guild, inbound.user, member.get("roles") or ()) or 0)

    return replace(inbound, administrator=administrator)


def _manages(permissions: int) -> bool:
    return bool(permissions & (ADMINISTRATOR | MANAGE_GUILD))
