"""`!help`: what the bot can do, made of the commands' own definitions."""

from __future__ import annotations

from gptbot.conversation import commands
from gptbot.conversation.arguments import form
from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.conversation.duration import spoken


async def _run(context: CommandContext) -> Reply:
    spec, texts = context.config.bot.spec, context.texts
    lines = [texts("help-start", ttl=spoken(spec.context.ttl, texts)), ""]
    lines.append(texts("help-direct") if context.direct else texts(f"help-group-{spec.answer_in.groups}"))
    lines += ["", texts("help-commands")]
    for item in commands.all_commands():
        text = texts(f"command-{item.name}")
        lines.append(texts("help-line", form=form(item, texts), text=text))
    kinds = ", ".join(texts(f"kind-{kind}") for kind in spec.privacy.redact)
    lines += ["", texts("help-privacy", kinds=kinds) if kinds else texts("help-privacy-none")]
    return Reply("\n".join(lines))


COMMAND = Command(name="help", run=_run, private_reply=True, order=0)
