"""`!help`: what the bot can do, made of the commands' own definitions."""

from __future__ import annotations

from gptbot.conversation import commands
from gptbot.conversation.commands.base import Command, CommandContext, Reply, for_caller
from gptbot.conversation.duration import spoken


async def _run(context: CommandContext) -> Reply:
    spec, texts = context.config.bot.spec, context.texts
    lines = [texts("help-start", ttl=spoken(spec.context.ttl, texts)), ""]
    lines.append(texts("help-direct") if context.direct else texts(f"help-group-{spec.answer_in.groups}"))
    lines += ["", texts("help-commands")]
    for item in commands.all_commands():
        text = texts(f"command-{item.name}")
        if item.argument:
            argument = texts(f"command-{item.name}-argument")
            lines.append(texts("help-line-argument", name=item.name, argument=argument, text=text))
        else:
            lines.append(texts("help-line", name=item.name, text=text))
    kinds = ", ".join(texts(f"kind-{kind}") for kind in spec.privacy.redact)
    lines += ["", texts("help-privacy", kinds=kinds) if kinds else texts("help-privacy-none")]
    return Reply("\n".join(lines))


COMMAND = Command(name="help", run=_run, private=for_caller, order=0)
