"""What may go wrong with Discord: what passes by itself, and what a person must mend."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import aiohttp
import discord

from gptbot.platforms.discord.limits import Close
from gptbot.platforms.errors import Misconfigured

TROUBLE: Final = (OSError, aiohttp.ClientError, discord.HTTPException, discord.RateLimited, asyncio.TimeoutError)
"""What passes by itself: no network, an outage, a rate limit."""
UNAUTHORIZED: Final = (
    "Discord refuses the bot's token: reset it in the Developer Portal under Bot, and put the new one into the Secret"
)
_CONTENT_REFUSED: Final = (
    "Discord refuses the message-content intent: switch it on in the Developer Portal under Bot, Privileged Gateway"
    " Intents, or set messageContentIntent to false"
)
MISCONFIGURED: Final[Mapping[int, str]] = {
    Close.AUTHENTICATION_FAILED: UNAUTHORIZED,
    Close.DISALLOWED_INTENTS: _CONTENT_REFUSED,
    Close.INVALID_INTENTS: "Discord does not know the intents asked for (close code 4013): update gptbot",
    Close.INVALID_API_VERSION: "Discord serves version 10 of its gateway no more (close code 4012): update gptbot",
}
"""Close codes of the gateway after which trying again is of no use (docs/topics/opcodes-and-status-codes)."""


def telling(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one exception of a group that tells most: what a person must mend first."""
    leaves: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        error = waiting.pop()
        if isinstance(error, BaseExceptionGroup):
            waiting += error.exceptions
        else:
            leaves.append(error)
    return next((error for error in leaves if isinstance(error, Misconfigured)), leaves[0])
