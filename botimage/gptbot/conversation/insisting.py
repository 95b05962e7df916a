"""Steps in the store that a turn cannot do without."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from gptbot.inbox.store import StoreUnavailable

if TYPE_CHECKING:
    from gptbot.bot import Bot


async def insist(bot: Bot, step: Callable[[], Awaitable[object]]) -> None:
    """Do a step in the store, over and over while the store is away.

    Twice does no harm: steps of the mailbox are fenced, and tokens rather count twice than the model is asked again.
    """
    while True:
        try:
            await step()
            return
        except StoreUnavailable:
            await bot.store.wait_available()
