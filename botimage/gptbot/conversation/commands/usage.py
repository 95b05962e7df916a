"""`!usage`: what the caller has used today, and what the limits leave."""

from __future__ import annotations

import time

from gptbot.conversation.commands.base import Command, CommandContext, Reply
from gptbot.conversation.duration import spoken
from gptbot.locales import Texts
from gptbot.safety.limits import Tokens, Window

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
    return Reply("\n".join([*lines, "", said("usage-day", seconds=_DAY - time.time() % _DAY)]))


def _messages(name: str, window: Window, said: Texts) -> str:
    return said(name, left=window.left, of=window.of, per=spoken(window.per, said))


def _tokens(name: str, tokens: Tokens, said: Texts) -> str:
    limited = "none" if tokens.left is None else "some"
    return said(name, used=tokens.used, left=tokens.left or 0, of=tokens.of, limited=limited)


COMMAND = Command(name="usage", run=_run, private_reply=True, order=40)
