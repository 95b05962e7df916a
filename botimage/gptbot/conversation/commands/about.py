"""`!about`: who runs the bot, its model and role, what it keeps in three lines, and where its source is."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.conversation.duration import spoken
from gptbot.conversation.persona import role
from gptbot.embedded.file import ModelFile
from gptbot_api.base import seconds
from gptbot_api.llm import Llm


async def _run(context: CommandContext) -> Reply:
    bot, said = context.config.bot, context.texts
    spec, about = bot.spec, bot.spec.about
    lines = [
        said("about-name", name=bot.metadata.name, model=spec.llm.model or _embedded(spec.llm)),
        *([said("about-small")] if spec.llm.built_in else []),
        said("about-owner", owner=about.owner) if about.owner else said("about-owner-unknown"),
    ]
    if about.contact:
        lines.append(said("about-contact", contact=about.contact))
    lines += [
        said("about-role", role=role(spec, context.settings, said)),
        said("about-program", version=version("gptbot")),
    ]
    if about.source is not None:
        lines.append(said("about-source", source=about.source))
    ttl = min(spec.context.ttl, spec.privacy.retention, key=seconds)
    kinds = ", ".join(said(f"kind-{kind}") for kind in spec.privacy.redact)
    lines += [
        "",
        said("about-kept", messages=spec.context.max_messages, ttl=spoken(ttl, said)),
        said("about-taken-out", kinds=kinds) if kinds else said("about-nothing-taken-out"),
        said("about-more"),
    ]
    return Reply("\n".join(lines))


def _embedded(llm: Llm) -> str:
    """The embedded model's name for people."""
    file = None if llm.embedded is None else llm.embedded.file
    return "SmolLM2-135M" if file is None else ModelFile(Path(file)).name


COMMAND = Command(name="about", run=_run, private_reply=True, order=10)
