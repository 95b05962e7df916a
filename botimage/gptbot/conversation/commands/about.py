"""`!about`: who the bot is and what it keeps."""

from __future__ import annotations

from importlib.metadata import version

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.conversation.duration import spoken
from gptbot.conversation.persona import title


async def _run(context: CommandContext) -> Reply:
    bot = context.config.bot
    return Reply(context.texts(
        "about-text", name=bot.metadata.name, version=version("gptbot"), messages=bot.spec.context.max_messages,
        model=bot.spec.llm.model or "SmolLM2-135M", persona=title(bot.spec, context.persona),
        ttl=spoken(bot.spec.context.ttl, context.texts),
    ))  # fmt: skip


COMMAND = Command(name="about", run=_run, private_reply=True, order=10)
