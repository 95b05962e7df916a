"""`!language [LANGUAGE]`: the language of the bot's own texts in this conversation, whatever the platform says."""

from __future__ import annotations

from collections.abc import Mapping

from gptbot.conversation.commands.base import Argument, Choice, Command, CommandContext, Reply
from gptbot.locales import Texts, languages, texts
from gptbot.platforms.base import Button
from gptbot_api import GptBotSpec

_OFF = "off"


async def _run(context: CommandContext) -> Reply:
    wanted: str | None = context.arguments.get("language")
    chosen = context.settings.get("language") or _OFF
    if wanted is None:
        said = context.texts
        buttons = [Button(texts(name)("language-name"), f"language {name}") for name in languages() if name != chosen]
        if chosen != _OFF:
            buttons.append(Button(said("language-off"), f"language {_OFF}"))
        names = ", ".join(f"`{name}` ({texts(name)('language-name')})" for name in languages())
        now = said("language-now-off") if chosen == _OFF else said("language-now", language=said("language-name"))
        return Reply(f"{now}\n{said('language-how', names=names)}", buttons)
    await context.choose({"language": "" if wanted == _OFF else wanted})
    return Reply(context.texts("language-unset") if wanted == _OFF else context.texts.into(wanted)("language-set"))


def _choices(_spec: GptBotSpec, said: Texts, _given: Mapping[str, str]) -> list[Choice]:
    named = [Choice(name, texts(name)("language-name")) for name in languages()]
    return [*named, Choice(_OFF, said("language-off"))]


def _private(_spec: GptBotSpec, argument: str) -> bool:
    """Which there are is of interest to who asked. A change concerns everyone."""
    return not argument.strip()


COMMAND = Command(
    name="language", run=_run, private_reply=_private, order=50,
    arguments=[Argument(name="language", kind="choice", choices=_choices, fixed=True)],
)  # fmt: skip
