"""Whether a group's platform brings the bot what it is to answer there."""

from __future__ import annotations

from typing import Final

from gptbot.conversation.commands.base import CommandContext
from gptbot.platforms.base import Withholds

ALWAYS: Final = "always"
"""The value of `answerIn` that has the bot answer what was not said to it."""


async def undelivered(context: CommandContext) -> list[str]:
    """What to tell where a group's messages do not all arrive, and what is to be switched: a line, or none."""
    why = await context.sender.withheld(context.address) if isinstance(context.sender, Withholds) else None
    return [] if why is None else [context.texts(f"settings-withheld-{why}")]
