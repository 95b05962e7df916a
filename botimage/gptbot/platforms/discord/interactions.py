"""Deferring slash commands: Discord wants an answer within 3 s, a model needs longer."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from gptbot.platforms.base import FloodWait, NotSent, OutcomeUnknown
from gptbot.platforms.discord.limits import INTERACTION_DEADLINE, Code
from gptbot.platforms.discord.rest import Refused, Rest

_DEFERRED: Final = 5
"""DEFERRED_CHANNEL_MESSAGE_WITH_SOURCE (docs/interactions/receiving-and-responding, "Interaction Callback Type")."""
_RETRY: Final = 0.2


async def defer(rest: Rest, interaction: Any) -> bool:
    """Tell Discord that the answer comes later. False: it was too late, the interaction's token is worth nothing."""
    token = interaction["token"]
    deadline = time.monotonic() + INTERACTION_DEADLINE
    while (left := deadline - time.monotonic()) > 0:
        try:
            await rest.request(
                "POST", f"/interactions/{interaction['id']}/{token}/callback", route=("callback", token),
                body={"type": _DEFERRED}, timeout=left, interaction=True,
            )  # fmt: skip
        except Refused as refused:
            return refused.code == Code.ALREADY_ACKNOWLEDGED  # by us: the event came twice
        except (NotSent, OutcomeUnknown):
            await asyncio.sleep(_RETRY)
        except FloodWait as flood:
            await asyncio.sleep(min(flood.retry_after, INTERACTION_DEADLINE))
        else:
            return True
    return False
