"""`!usage`: what the caller has used today, and what the limits leave."""

from __future__ import annotations

import time

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.conversation.duration import spoken
from gptbot.locales import Texts
from gptbot.safety.limits import Use, Window

_DAY = 86_400


async def _run(context: CommandContext) -> Reply:
    said = context.texts
    left = await context.bot.limits.left(context.user, context.conversation)
    lines = [said("usage-start"), _messages("usage-user", left.user, said)]
    if not context.direct:
        lines.append(_messages("usage-chat", left.chat, said))
    if left.bot is not None:
        lines.append(_messages("usage-bot", left.bot, said))
    lines += [_tokens("usage-user-tokens", left.user_tokens, said), _tokens("usage-bot-tokens", left.bot_tokens, said)]
    prices = context.config.bot.spec.llm.prices
    if prices is not None:
        costs = (("usage-user-cost", left.user_cost), ("usage-bot-cost", left.bot_cost))
        lines += [_cost(name, cost, prices.currency, said) for name, cost in costs]
    return Reply("\n".join([*lines, "", said("usage-day", seconds=_DAY - time.time() % _DAY)]))


def _messages(name: str, window: Window, said: Texts) -> str:
    return said(name, left=window.left, of=window.of, per=spoken(window.per, said))


def _cost(name: str, cost: Use, currency: str, said: Texts) -> str:
    limited = "none" if cost.left is None else "some"
    used, left, of = (amount / 1_000_000 for amount in (cost.used, cost.left or 0, cost.of))
    return said(name, used=used, left=left, of=of, currency=currency, limited=limited)


def _tokens(name: str, tokens: Use, said: Texts) -> str:
    limited = "none" if tokens.left is None else "some"
    return said(name, used=tokens.used, left=tokens.left or 0, of=tokens.of, limited=limited)


COMMAND = Command(name="usage", run=_run, private_reply=True, order=40)
