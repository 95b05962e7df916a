"""`!retry`: asks the model again for the last question. The turn does that; here it is known that there was none."""

from __future__ import annotations

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.inbox.envelope import RETRY


async def _run(context: CommandContext) -> Reply:
    return Reply(context.texts("retry-nothing"))


COMMAND = Command(name=RETRY, run=_run, order=27)
