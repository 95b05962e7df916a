"""`!persona [NAME]`: show the roles, or change the one in force in this conversation."""

from __future__ import annotations

from collections.abc import Mapping

from gptbot.conversation.commands.base import Argument, Choice, Command, CommandContext, Reply
from gptbot.conversation.persona import OFF, in_force, locked, named, own_role, role, title
from gptbot.locales import Texts
from gptbot.platforms.base import MAX_COMMAND, Button
from gptbot_api import GptBotSpec


async def _run(context: CommandContext) -> Reply:
    spec, said = context.config.bot.spec, context.texts
    wanted: str | None = context.arguments.get("name")
    barred = locked(context.settings) and not context.administrator
    if wanted is None:
        return _list(context, barred=barred)
    if barred:
        return Reply(said("persona-locked", role=role(spec, context.settings, said)))
    default = in_force(spec, {})
    back = wanted == OFF or wanted == default.name
    await context.choose({"persona": "" if back else wanted, "act": ""})
    if back:
        return Reply(said("persona-usual", title=title(spec, default.name)))
    return Reply(
        said("persona-set", title=title(spec, wanted), usual=title(spec, default.name)), [way_back(spec, said)]
    )


def _list(context: CommandContext, *, barred: bool) -> Reply:
    spec, said = context.config.bot.spec, context.texts
    own = own_role(spec, context.settings)
    lines = [said("persona-list", current=role(spec, context.settings, said)), ""]
    lines += [said("persona-line", name=p.name, title=title(spec, p.name)) for p in spec.personas]
    others = [p.name for p in spec.personas if own is not None or p.name != context.persona]
    if barred:
        return Reply("\n".join([*lines, "", said("persona-list-locked")]))
    if others or spec.custom_persona == "allowed":
        lines.append("")
    if others:
        lines.append(said("persona-how", example=others[0]))
    if spec.custom_persona == "allowed":
        lines.append(said("persona-own"))
    return Reply("\n".join(lines), _buttons(spec, others))


def way_back(spec: GptBotSpec, said: Texts) -> Button:
    """A button that brings the usual role back."""
    return Button(said("button-persona-off", title=title(spec, in_force(spec, {}).name)), f"persona {OFF}")


def _choices(spec: GptBotSpec, said: Texts, _given: Mapping[str, str]) -> list[Choice]:
    roles = [Choice(p.name, title(spec, p.name)) for p in spec.personas]
    return [*roles, Choice(OFF, said("persona-off"))]


def _buttons(spec: GptBotSpec, names: list[str]) -> list[Button]:
    """A button for each role, as long as its command is short enough to be one."""
    commands = {f"persona {name}": title(spec, name) for name in names}
    return [Button(label, command) for command, label in commands.items() if len(command) <= MAX_COMMAND]


def _private(spec: GptBotSpec, argument: str) -> bool:
    """A list of roles, or that there is no such role: of interest to who asked. A change concerns everyone."""
    return argument.strip().casefold() != OFF and named(spec, argument) is None


COMMAND = Command(
    name="persona", run=_run, arguments=[Argument(name="name", kind="choice", choices=_choices)],
    asks_administrator=True, private_reply=_private, examples=2, order=20,
)  # fmt: skip
