"""`!privacy`: what is kept, where and how long, who can see it, how it is erased; made of the bot's settings."""

from __future__ import annotations

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.conversation.duration import spoken
from gptbot.platforms.base import Remembers
from gptbot_api.base import seconds


async def _run(context: CommandContext) -> Reply:
    spec, said = context.config.bot.spec, context.texts
    ttl = spoken(min(spec.context.ttl, spec.privacy.retention, key=seconds), said)
    retention = spoken(spec.privacy.retention, said)
    kinds = ", ".join(said(f"kind-{kind}") for kind in spec.privacy.redact)
    keeps = [
        said("privacy-conversation", messages=spec.context.max_messages, ttl=ttl),
        said("privacy-waiting", retention=retention),
        said("privacy-chosen", retention=retention),
        said("privacy-counters"),
    ]
    if not context.direct and not isinstance(context.sender, Remembers) and spec.context.summary_buffer:
        state = "on" if context.settings.get("summary_buffer") == "on" else "off"
        keeps.append(said(f"privacy-buffer-{state}", most=spec.context.summary_buffer, ttl=ttl))
    sees = [said("privacy-owner", owner=spec.about.owner or said("privacy-owner-unknown"))]
    sees.append(
        said("privacy-model" if spec.llm.base_url else "privacy-model-own", model=spec.llm.model or "SmolLM2-135M")
    )
    if spec.safety.moderation is not None:
        sees.append(said("privacy-moderation"))
    if spec.llm.transcription is not None:
        sees.append(said("privacy-transcription"))
    lines = [
        said("privacy-start"),
        said("privacy-taken-out", kinds=kinds) if kinds else said("privacy-nothing-taken-out"),
        "", said("privacy-keeps"), *keeps,
        "", said("privacy-sees"), *sees,
        "", said("privacy-erase"),
    ]  # fmt: skip
    if spec.about.contact:
        lines.append(said("about-contact", contact=spec.about.contact))
    return Reply("\n".join(lines))


COMMAND = Command(name="privacy", run=_run, private_reply=True, order=80)
