"""`!stop`: ends the answer being made. The intake does that past the mailbox; here it is known that there was none."""

from __future__ import annotations

import contextlib

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.inbox.stops import COMMAND as NAME
from gptbot.platforms.base import Clears
from gptbot.platforms.errors import SendError


async def _run(context: CommandContext) -> Reply:
    if isinstance(context.sender, Clears):
        with contextlib.suppress(SendError):  # the buttons of what is over do no harm
            await context.sender.clear(context.address)
    return Reply(context.texts("stop-nothing"))


COMMAND = Command(name=NAME, run=_run, private_reply=True, order=25)
