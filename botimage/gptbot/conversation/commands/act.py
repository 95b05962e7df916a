"""`!act ROLE`: a role in the user's own words, kept for the conversation."""

from __future__ import annotations

from gptbot.conversation.commands.base import Argument, Command, CommandContext, Reply
from gptbot.conversation.commands.persona import way_back
from gptbot.conversation.persona import in_force, locked, own_role, role, title
from gptbot.conversation.spoken import MOST_CHARACTERS
from gptbot_api import GptBotSpec


async def _run(context: CommandContext) -> Reply:
    spec, said = context.config.bot.spec, context.texts
    wanted: str | None = context.arguments.get("role")
    if wanted is None:
        if own_role(spec, context.settings) is None:
            return Reply(said("act-how"))
        return Reply(said("act-now", role=role(spec, context.settings, said)), [way_back(spec, said)])
    if locked(context.settings) and not context.administrator:
        return Reply(said("persona-locked", role=role(spec, context.settings, said)))
    if await context.bot.moderator.flags_question([wanted]):
        return Reply(said("moderation-input"))
    await context.choose({"act": wanted, "persona": ""})
    shown = role(spec, {"act": wanted}, said)
    return Reply(said("act-set", role=shown, usual=title(spec, in_force(spec, {}).name)), [way_back(spec, said)])


def _offered(spec: GptBotSpec) -> bool:
    return spec.custom_persona == "allowed"


def _private(_spec: GptBotSpec, argument: str) -> bool:
    """How it is used is of interest to who asked. A change concerns everyone."""
    return not argument.strip()


COMMAND = Command(
    name="act", run=_run, arguments=[Argument(name="role", most=MOST_CHARACTERS)], asks_administrator=True,
    private_reply=_private, offered=_offered, examples=2, order=21,
)  # fmt: skip
