"""`!ping`: whether the bot is there, how long it took, and how its store and its model are."""

from __future__ import annotations

import time

from gptbot.conversation.commands.base import Command, CommandContext, Reply


async def _run(context: CommandContext) -> Reply:
    waited = max(0.0, time.time() - context.received)
    asked = time.perf_counter()
    await context.bot.store.command("PING")
    took = time.perf_counter() - asked
    said = context.texts
    times = said("ping-text", waited=round(waited * 1000), store=max(1, round(took * 1000)))
    return Reply(f"{times}\n{said(f'ping-model-{context.bot.model.health}')}")


COMMAND = Command(name="ping", run=_run, aliases=["пинг"], private_reply=True, order=95)
