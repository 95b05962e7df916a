"""`!start`: a greeting, with buttons for what the bot can do. Where a platform has it so, opening the bot sends it.

What stands behind it is of whoever made the link (`t.me/bot?start=ref_42` arrives as `/start ref_42`), and means
nothing here.
"""

from __future__ import annotations

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.conversation.commands.help import addressing
from gptbot.conversation.duration import spoken
from gptbot.conversation.persona import in_force, own_role
from gptbot.platforms.base import Button
from gptbot_api.base import seconds


async def _run(context: CommandContext) -> Reply:
    return Reply(_greeting(context), _buttons(context))


def _greeting(context: CommandContext) -> str:
    """That of the role in force, else the bot's own, else one in the reader's language."""
    spec, said = context.config.bot.spec, context.texts
    persona = in_force(spec, context.settings)
    of_role = "" if own_role(spec, context.settings) is not None else persona.greeting
    if own := of_role or spec.greeting:
        return own
    ttl = min(spec.context.ttl, spec.privacy.retention, key=seconds)
    return " ".join([said("start-hello"), addressing(context), said("start-remembers", ttl=spoken(ttl, said))])


def _buttons(context: CommandContext) -> list[Button]:
    spec, said = context.config.bot.spec, context.texts
    roles = len(spec.personas) > 1 or spec.custom_persona == "allowed"
    wanted = ["help", *(["persona"] if roles else []), "privacy"]
    return [Button(said(f"button-{name}"), name) for name in wanted]


COMMAND = Command(name="start", run=_run, ignores_argument=True, private_reply=True, order=5)
