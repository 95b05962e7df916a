"""`!settings [NAME VALUE]`: what the administrators of a group decide for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gptbot.conversation.commands.base import Argument, Choice, Command, CommandContext, Reply
from gptbot.conversation.delivered import ALWAYS, undelivered
from gptbot.conversation.duration import spoken
from gptbot.inbox.overheard import OverheardMessages
from gptbot.locales import Texts
from gptbot.platforms.base import Button, Remembers
from gptbot_api import GptBotSpec
from gptbot_api.base import seconds

_DEFAULT, _ON, _OFF = "default", "on", "off"


@dataclass(frozen=True, slots=True)
class _Setting:
    """One setting of a group."""

    name: str
    """As it is typed."""
    key: str
    """As it is kept."""
    values: Sequence[str]
    usual: Callable[[GptBotSpec], str]
    """The value that counts while none is chosen."""

    def value(self, spec: GptBotSpec, settings: Mapping[str, str]) -> str:
        return settings.get(self.key) or self.usual(spec)


_ANSWER_IN = _Setting("answer-in", "answer_in", (ALWAYS, "mentioned", "commands"), lambda spec: spec.answer_in.groups)
_PERSONA_LOCK = _Setting("persona-lock", "persona_lock", (_ON, _OFF), lambda _: _OFF)
_SUMMARY_BUFFER = _Setting("summary-buffer", "summary_buffer", (_ON, _OFF), lambda _: _OFF)
_ALL = {setting.name: setting for setting in (_ANSWER_IN, _PERSONA_LOCK, _SUMMARY_BUFFER)}


async def _run(context: CommandContext) -> Reply:
    spec, said = context.config.bot.spec, context.texts
    name: str | None = context.arguments.get("setting")
    if name is None:
        return await _list(context)
    setting = _ALL[name]
    if setting is _SUMMARY_BUFFER and (why := _no_buffer(context)):
        return Reply(said(why))
    value: str | None = context.arguments.get("value")
    if value == _DEFAULT:
        value = setting.usual(spec)
    if value is None or value not in setting.values:
        values = ", ".join(f"`{value}`" for value in setting.values)
        return Reply(said("settings-values", name=name, values=values), _buttons(context, [setting]))
    await context.choose({setting.key: "" if value == setting.usual(spec) else value})
    if setting is _SUMMARY_BUFFER and value == _OFF:
        await OverheardMessages(context.bot.store, context.bot.keys).forget(context.conversation)
    ttl = min(spec.context.ttl, spec.privacy.retention, key=seconds)
    lines = [said(f"settings-{name}-{value}", most=spec.context.summary_buffer, ttl=spoken(ttl, said))]
    if setting is _ANSWER_IN and value == ALWAYS:
        lines += await undelivered(context)
    return Reply("\n\n".join(lines))


async def _list(context: CommandContext) -> Reply:
    spec, said = context.config.bot.spec, context.texts
    shown = [item for item in _ALL.values() if item is not _SUMMARY_BUFFER or not _no_buffer(context)]
    lines = [said("settings-list"), ""]
    for item in shown:
        now = item.value(spec, context.settings)
        lines.append(said("settings-line", name=item.name, title=said(f"settings-{item.name}"), now=_label(now, said)))
    if _ANSWER_IN.value(spec, context.settings) == ALWAYS:
        lines += [f"\n{line}" for line in await undelivered(context)]
    return Reply("\n".join([*lines, "", said("settings-how")]), _buttons(context, shown))


def _no_buffer(context: CommandContext) -> str | None:
    """Why no messages are kept for summaries: the name of a text. None: they may be."""
    if isinstance(context.sender, Remembers):
        return "settings-summary-buffer-needless"
    return None if context.config.bot.spec.context.summary_buffer else "settings-summary-buffer-never"


def _buttons(context: CommandContext, settings: Sequence[_Setting]) -> list[Button]:
    """A button for each value that is not in force."""
    spec, said = context.config.bot.spec, context.texts
    return [
        Button(said(f"button-{item.name}-{value}"), f"settings {item.name} {value}")
        for item in settings for value in item.values if value != item.value(spec, context.settings)
    ]  # fmt: skip


def _label(value: str, said: Texts) -> str:
    return said(f"settings-value-{value}")


def _names(_spec: GptBotSpec, said: Texts, _given: Mapping[str, str]) -> list[Choice]:
    return [Choice(name, said(f"settings-{name}")) for name in _ALL]


def _values(_spec: GptBotSpec, said: Texts, given: Mapping[str, str]) -> list[Choice]:
    """The values of the setting that was named before; of all, while none is."""
    setting = _ALL.get(given.get("setting", ""))
    values = setting.values if setting is not None else (*_ANSWER_IN.values, _ON, _OFF)
    return [Choice(value, _label(value, said)) for value in (*values, _DEFAULT)]


def _private(_spec: GptBotSpec, argument: str) -> bool:
    """What there is to decide is of interest to who asked. A change concerns everyone."""
    return len(argument.split()) < 2


COMMAND = Command(
    name="settings", run=_run, where=frozenset({"group"}), administrators=True, private_reply=_private, examples=2,
    order=60,
    arguments=[
        Argument(name="setting", kind="choice", choices=_names, fixed=True),
        Argument(name="value", kind="choice", choices=_values),
    ],
)  # fmt: skip
