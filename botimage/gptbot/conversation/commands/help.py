"""`!help [COMMAND]`: what the bot can do here, and how one command works, made of the commands' own definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gptbot.conversation import commands
from gptbot.conversation.arguments import example, form
from gptbot.conversation.commands.base import Argument, Choice, Command, CommandContext, Reply
from gptbot.conversation.delivered import ALWAYS, undelivered
from gptbot.conversation.duration import spoken
from gptbot.files.limits import readable
from gptbot.locales import Texts, languages
from gptbot.platforms.base import HasCommands
from gptbot.platforms.inbound import Attachment
from gptbot_api import GptBotSpec

_SURELY = 0.8
"""How much of a word has to be a command's name for that to be meant: people say `/help please` as well."""


async def _run(context: CommandContext) -> Reply:
    name: str | None = context.arguments.get("command")
    if name is None:
        return Reply(await _overview(context))
    word = name.strip().lstrip("!/")
    found = commands.find(word)
    if found is not None:
        item, spec = commands.command(found), context.config.bot.spec
        if not item.offered(spec):
            return Reply(context.texts("command-unknown"))
        return Reply(explanation(item, spec, context.texts, _delivers(context)))
    near = commands.nearest(word, _SURELY)
    if near is None:  # no name of a command, not even nearly: `/help please`
        return Reply(await _overview(context))
    return Reply(context.texts("command-unknown-near", near=f"help {near}"))


def explanation(item: Command, spec: GptBotSpec, said: Texts, delivers: Callable[[str], bool] = lambda _: True) -> str:
    """How one command works: its form, examples, where it may be used and by whom, what is kept because of it.

    `delivers`: which of its further names arrive where this is read.
    """
    name = item.name
    lines = [said("help-one", form=form(item, said), text=said(f"command-{name}"))]
    if said.has(f"command-{name}-long"):
        lines.append(said(f"command-{name}-long"))
    for argument in item.arguments:
        about = said(f"command-{name}-argument-{argument.name}")
        lines.append(said("help-argument", word=said(f"argument-{argument.name}"), text=about))
    lines += ["", *(f"• {example(item, number, spec, said)}" for number in range(1, item.examples + 1)), ""]
    if others := [f"`!{alias}`" for alias in _other_names(item, said) if delivers(alias)]:
        lines.append(said("help-aliases", names=", ".join(others)))
    if item.where == frozenset({"group"}):
        lines.append(said("help-where-group"))
    if item.where == frozenset({"private"}):
        lines.append(said("help-where-private"))
    if item.administrators:
        lines.append(said("help-administrators"))
    if item.private_reply is True:
        lines.append(said("help-private-reply"))
    stores = f"command-{name}-stores"
    lines.append(said("help-stores", text=said(stores) if said.has(stores) else said("help-stores-nothing")))
    return "\n".join(lines)


def _delivers(context: CommandContext) -> Callable[[str], bool]:
    sender = context.sender
    if isinstance(sender, HasCommands):
        return lambda alias: sender.delivers(alias, direct=context.direct)
    return lambda _: True


async def _overview(context: CommandContext) -> str:
    spec, said = context.config.bot.spec, context.texts
    lines = [said("help-start", ttl=spoken(spec.context.ttl, said)), addressing(context)]
    if not context.direct and _when(context) == ALWAYS:
        lines += await undelivered(context)
    files = [Attachment(kind=kind, mime="", size=None, reference={}) for kind in ("image", "audio", "text")]
    readables = [said(f"file-can-{file.kind}") for file in files if readable(file, spec.llm)]
    lines.append(said("help-files", kinds=", ".join(readables)))
    lines += ["", said("help-commands")]
    place = "private" if context.direct else "group"
    shown = [item for item in commands.offered(spec) if place in item.where]
    lines += [_line(item, said) for item in shown if not item.administrators]
    bosses = [_line(item, said) for item in shown if item.administrators]
    if bosses and context.administrator:
        lines += ["", said("help-for-administrators"), *bosses]
    lines += ["", said("help-buttons"), said("help-limits")]
    kinds = ", ".join(said(f"kind-{kind}") for kind in spec.privacy.redact)
    lines.append(said("help-privacy", kinds=kinds) if kinds else said("help-privacy-none"))
    return "\n".join(lines)


def addressing(context: CommandContext) -> str:
    """How the bot is spoken to here."""
    if context.direct:
        commands_alone = context.config.bot.spec.answer_in.direct == "commands"
        return context.texts("help-direct-commands" if commands_alone else "help-direct")
    return context.texts(f"help-group-{_when(context)}")


def _when(context: CommandContext) -> str:
    """When it answers in this group."""
    return context.settings.get("answer_in") or context.config.bot.spec.answer_in.groups


def _line(item: Command, said: Texts) -> str:
    return said("help-line", form=form(item, said), text=said(f"command-{item.name}"))


def _other_names(item: Command, said: Texts) -> list[str]:
    """Names in the reader's language and in English; the rest of them work too."""
    found = [alias for language in (said.language, *languages()[:1]) for alias in commands.aliases(item, language)]
    return list(dict.fromkeys(found))


def _choices(spec: GptBotSpec, said: Texts, _given: Mapping[str, str]) -> list[Choice]:
    return [Choice(item.name, f"{item.name} – {said(f'command-{item.name}')}") for item in commands.offered(spec)]


COMMAND = Command(
    name="help", run=_run, arguments=[Argument(name="command", most=40, choices=_choices)],
    asks_administrator=True, private_reply=True, examples=2, order=0,
)  # fmt: skip
