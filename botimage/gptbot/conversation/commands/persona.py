"""`!persona [NAME]`: show the roles, or change the one in force in this conversation."""

from __future__ import annotations

from gptbot.conversation.commands.base import Command, CommandContext
from gptbot.conversation.persona import title
from gptbot_api.base import seconds


async def _run(context: CommandContext) -> str:
    spec, texts = context.config.bot.spec, context.texts
    wanted = context.argument.strip().lower()
    if not wanted:
        lines = [texts("persona-list", current=title(spec, context.persona)), ""]
        lines += [texts("persona-line", name=p.name, title=title(spec, p.name)) for p in spec.personas]
        others = [p.name for p in spec.personas if p.name != context.persona]
        if others:
            lines += ["", texts("persona-how", example=others[0])]
        return "\n".join(lines)
    chosen = next((p for p in spec.personas if wanted in (p.name, p.title.lower())), None)
    if chosen is None:
        return texts("persona-unknown", name=wanted[:32], names=", ".join(f"`{p.name}`" for p in spec.personas))
    await context.mailbox.choose(context.conversation, {"persona": chosen.name}, seconds(spec.privacy.retention))
    return texts("persona-set", title=title(spec, chosen.name), back=context.persona)


COMMAND = Command(name="persona", run=_run, argument=True, order=20)
