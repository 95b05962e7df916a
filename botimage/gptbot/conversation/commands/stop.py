"""`!stop`: ends the answer being made. The intake does that past the mailbox; here it is known that there was none."""

from __future__ import annotations

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.inbox.stops import COMMAND as NAME


async def _run(context: CommandContext) -> Reply:
    return Reply(context.texts("stop-nothing"))


COMMAND = Command(name=NAME, run=_run, private_reply=True, order=25)
