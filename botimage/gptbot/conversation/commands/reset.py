"""`!reset`: forget the conversation, and the role chosen in it. Its language and its settings stay."""

from __future__ import annotations

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.conversation.persona import in_force, locked, role, title

_ROLE = ("persona", "act")


async def _run(context: CommandContext) -> Reply:
    spec, said = context.config.bot.spec, context.texts
    if locked(context.settings) and not context.administrator:
        await context.forget(())
        return Reply(said("reset-done-locked", role=role(spec, context.settings, said)))
    await context.forget(_ROLE)
    return Reply(said("reset-done", title=title(spec, in_force(spec, {}).name)))


COMMAND = Command(name="reset", run=_run, asks_administrator=True, order=30)
