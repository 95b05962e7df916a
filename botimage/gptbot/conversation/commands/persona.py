"""`!persona [NAME]`: show the roles, or change the one in force in this conversation."""

from __future__ import annotations

from gptbot.conversation.commands.base import Argument, Choice, Command, CommandContext, Reply
from gptbot.conversation.persona import title
from gptbot.locales import Texts
from gptbot.platforms.base import MAX_COMMAND, Button
from gptbot_api import GptBotSpec

OFF = "off"
"""Brings back the role that the bot has by itself."""


async def _run(context: CommandContext) -> Reply:
    spec, texts = context.config.bot.spec, context.texts
    wanted: str | None = context.arguments.get("name")
    if wanted is None:
        lines = [texts("persona-list", current=title(spec, context.persona)), ""]
        lines += [texts("persona-line", name=p.name, title=title(spec, p.name)) for p in spec.personas]
        others = [p.name for p in spec.personas if p.name != context.persona]
        if others:
            lines += ["", texts("persona-how", example=others[0])]
        return Reply("\n".join(lines), _buttons(spec, others))
    chosen = spec.persona(None if wanted == OFF else wanted)
    assert chosen is not None  # one of the choices
    await context.choose({"persona": "" if wanted == OFF else chosen.name})
    return Reply(texts("persona-set", title=title(spec, chosen.name), back=context.persona))


def _choices(spec: GptBotSpec, texts: Texts) -> list[Choice]:
    roles = [Choice(p.name, title(spec, p.name)) for p in spec.personas]
    return [*roles, Choice(OFF, texts("persona-off"))]


def _buttons(spec: GptBotSpec, names: list[str]) -> list[Button]:
    """A button for each role, as long as its command is short enough to be one."""
    commands = {f"persona {name}": title(spec, name) for name in names}
    return [Button(label, command) for command, label in commands.items() if len(command) <= MAX_COMMAND]


def _private(spec: GptBotSpec, argument: str) -> bool:
    """A list of roles, or that there is no such role: of interest to who asked. A change concerns everyone."""
    wanted = argument.strip().casefold()
    return wanted != OFF and all(wanted not in (p.name, p.title.casefold()) for p in spec.personas)


COMMAND = Command(
    name="persona", run=_run, arguments=[Argument(name="name", kind="choice", choices=_choices)],
    private_reply=_private, examples=2, order=20,
)  # fmt: skip
