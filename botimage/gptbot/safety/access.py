"""Access lists: who may talk to the bot."""

from __future__ import annotations

from collections.abc import Iterable

from gptbot_api.policy import Access


def allowed(principals: Iterable[str], access: Access, platform: str) -> bool:
    """Whether somebody with these principals (`user:1`, `guild:2`, … of that platform) may talk to the bot.

    `access.deny` wins over `access.allow`; an empty `access.allow` lets everybody in.
    """
    held = {f"{platform}:{principal}" for principal in principals}
    return held.isdisjoint(access.deny) and (not access.allow or not held.isdisjoint(access.allow))


def administers(principals: Iterable[str], access: Access, platform: str) -> bool:
    """Whether somebody with these principals counts as an administrator of every chat (`access.administrators`)."""
    return not {f"{platform}:{principal}" for principal in principals}.isdisjoint(access.administrators)
