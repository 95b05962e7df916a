"""`!reset`: forget the conversation, and the role chosen in it."""

from __future__ import annotations

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.conversation.persona import in_force, title


async def _run(context: CommandContext) -> Reply:
    await context.forget()
    spec = context.config.bot.spec
    return Reply(context.texts("reset-done", title=title(spec, in_force(spec, {}).name)))


COMMAND = Command(name="reset", run=_run, order=30)
