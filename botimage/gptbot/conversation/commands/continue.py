"""`!continue`: goes on with the last answer. The turn does that; here it is known that there is none to go on with."""

from __future__ import annotations

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.inbox.envelope import CONTINUE


async def _run(context: CommandContext) -> Reply:
    return Reply(context.texts("continue-nothing"))


COMMAND = Command(name=CONTINUE, run=_run, order=26)
