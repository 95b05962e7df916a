"""`!forget me|chat`: erases everything about the caller, or of the chat, and tells what that was.

The gateway has erased it already, past line and limits, when this is run (`conversation/erasing.py`): `noted` says how
much of what. Here it is done once more, for what came in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from gptbot.conversation.commands.base import Argument, Choice, Command, CommandContext, Reply
from gptbot.conversation.erasing import Erasing
from gptbot.inbox.chats import Chat
from gptbot.inbox.envelope import FORGET
from gptbot.locales import Texts
from gptbot.platforms.base import Button
from gptbot_api import GptBotSpec

_KINDS = ("messages", "waiting", "summary", "overheard", "settings", "letters", "usage")
_FLAGS = frozenset({"summary", "usage"})


async def _run(context: CommandContext) -> Reply:
    said = context.texts
    match context.arguments.get("what"):
        case "me":
            found = await _erase_again(context)
            told = said("forget-done-private") if context.direct else said("forget-done-me")
        case "chat" if context.administrator:
            found = await _erase_again(context)
            told = said("forget-done-private") if context.direct else said("forget-done-chat")
        case "chat":
            return Reply(said("forget-chat-administrators"), [Button(said("button-forget-me"), "forget me")])
        case _:
            return _explanation(context)
    lines = [said(f"forget-{kind}", count=count) for kind, count in _counted(found)]
    return Reply("\n".join([told, *(lines or [said("forget-nothing")]), "", said("forget-left")]))


async def _erase_again(context: CommandContext) -> Counter[str]:
    found = Counter[str](context.noted)
    erasing = Erasing(context.mailbox, context.sender, context.config.bot.spec, context.event, waiting=False)
    here = Chat(context.conversation, context.speaker)
    found.update(await erasing.run(context.arguments["what"], here, context.user, direct=context.direct))
    return found


def _counted(found: Counter[str]) -> list[tuple[str, int]]:
    return [(kind, 1 if kind in _FLAGS else found[kind]) for kind in _KINDS if found[kind]]


def _explanation(context: CommandContext) -> Reply:
    said = context.texts
    if context.direct:
        return Reply(said("forget-how-private"), [Button(said("button-forget-private"), "forget me")])
    buttons = [Button(said("button-forget-me"), "forget me")]
    if context.administrator:
        buttons.append(Button(said("button-forget-chat"), "forget chat"))
    return Reply(said("forget-how"), buttons)


def _choices(_spec: GptBotSpec, said: Texts, _given: Mapping[str, str]) -> list[Choice]:
    return [Choice("me", said("forget-choice-me")), Choice("chat", said("forget-choice-chat"))]


def _private(_spec: GptBotSpec, argument: str) -> bool:
    """What it does, and what was kept of oneself, is of interest to who asked. A chat's end concerns everyone."""
    return argument.strip().casefold() != "chat"


COMMAND = Command(
    name=FORGET, run=_run, asks_administrator=True, private_reply=_private, examples=2, order=70,
    arguments=[Argument(name="what", kind="choice", choices=_choices, fixed=True)],
)  # fmt: skip
