"""What may go wrong with Discord: what passes by itself, and what a person must mend."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import aiohttp
import discord

from gptbot.platforms.discord.limits import Close
from gptbot.platforms.errors import Misconfigured
from gptbot_api.platforms import Discord

TROUBLE: Final = (OSError, aiohttp.ClientError, discord.HTTPException, discord.RateLimited, asyncio.TimeoutError)
"""What passes by itself: no network, an outage, a rate limit."""
_CONTENT_REFUSED: Final = (
    "Discord refuses the message-content intent: switch it on in the Developer Portal under Bot, Privileged Gateway"
    " Intents, or set messageContentIntent to false"
)
MISCONFIGURED: Final[Mapping[int, tuple[str, str]]] = {
    Close.DISALLOWED_INTENTS: ("IntentMissing", _CONTENT_REFUSED),
    Close.INVALID_INTENTS: (
        "IntentUnknown", "Discord does not know the intents asked for (close code 4013): update gptbot"
    ),
    Close.INVALID_API_VERSION: (
        "ApiVersionGone", "Discord serves version 10 of its gateway no more (close code 4012): update gptbot"
    ),
}  # fmt: skip
"""Close codes of the gateway, beside that of a refused token, after which trying again is of no use
(docs/topics/opcodes-and-status-codes), as reason and message."""


def refused(settings: Discord) -> Misconfigured:
    """What to say when Discord does not take the token."""
    reference = settings.token_secret_ref
    return Misconfigured(
        f"Discord refuses the bot's token in key {reference.key!r} of Secret {reference.name!r}: "
        "reset it in the Developer Portal under Bot, and put the new one there",
        "TokenRefused",
    )


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
