"""`!persona [NAME]`: show the roles, or change the one in force in this conversation."""

from __future__ import annotations

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.conversation.persona import title
from gptbot.platforms.base import MAX_COMMAND, Button
from gptbot_api import GptBotSpec
from gptbot_api.base import seconds
from gptbot_api.spec import Persona


async def _run(context: CommandContext) -> Reply:
    spec, texts = context.config.bot.spec, context.texts
    wanted = context.argument.strip().lower()
    if not wanted:
        lines = [texts("persona-list", current=title(spec, context.persona)), ""]
        lines += [texts("persona-line", name=p.name, title=title(spec, p.name)) for p in spec.personas]
        others = [p.name for p in spec.personas if p.name != context.persona]
        if others:
            lines += ["", texts("persona-how", example=others[0])]
        return Reply("\n".join(lines), _buttons(spec, others))
    chosen = _named(spec, wanted)
    if chosen is None:
        names = ", ".join(f"`{p.name}`" for p in spec.personas)
        return Reply(
            texts("persona-unknown", name=wanted[:32], names=names), _buttons(spec, [p.name for p in spec.personas])
        )
    await context.mailbox.choose(context.conversation, {"persona": chosen.name}, seconds(spec.privacy.retention))
    return Reply(texts("persona-set", title=title(spec, chosen.name), back=context.persona))


def _named(spec: GptBotSpec, wanted: str) -> Persona | None:
    return next((p for p in spec.personas if wanted in (p.name, p.title.lower())), None)


def _buttons(spec: GptBotSpec, names: list[str]) -> list[Button]:
    """A button for each role, as long as its command is short enough to be one."""
    commands = {f"persona {name}": title(spec, name) for name in names}
    return [Button(label, command) for command, label in commands.items() if len(command) <= MAX_COMMAND]


def _private(spec: GptBotSpec, argument: str) -> bool:
    """A list of roles, or that there is no such role: of interest to who asked. A change concerns everyone."""
    return _named(spec, argument.strip().lower()) is None


COMMAND = Command(name="persona", run=_run, private=_private, argument=True, order=20)
