"""The commands: one file each, found by being here. Help, menus and documents come from their own definitions.

A module defines `COMMAND = Command(name=…, run=…)`; how its texts are named is in `base`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path

from gptbot.conversation.commands.base import Argument, Command
from gptbot.locales import languages, texts
from gptbot.platforms.base import ArgumentInfo, CommandInfo
from gptbot_api import GptBotSpec

_CLOSE = 0.7
"""How much of a word has to be right for another to be meant: one letter of four may be wrong, or two swapped."""
_MOST_COMPLETIONS = 25


@cache
def names() -> frozenset[str]:
    """Names of all commands, without loading them."""
    here = Path(__file__).parent
    return frozenset(path.stem for path in here.glob("*.py") if path.stem not in ("__init__", "base"))


@cache
def command(name: str) -> Command:
    """The command of that name. Raises LookupError."""
    if name not in names():
        raise LookupError(name)
    return import_module(f"{__name__}.{name}").COMMAND


def all_commands() -> list[Command]:
    """All commands, in the order that help shows them."""
    return sorted((command(name) for name in names()), key=lambda c: (c.order, c.name))


def offered(spec: GptBotSpec) -> list[Command]:
    """The commands that a bot has, in that order."""
    return [item for item in all_commands() if item.offered(spec)]


def aliases(item: Command, language: str) -> list[str]:
    """Further names of a command in a language, the most natural one first."""
    said, key = texts(language), f"command-{item.name}-aliases"
    return [*(word.strip().casefold() for word in (said(key).split(",") if said.has(key) else ())), *item.aliases]


@cache
def _by_name() -> dict[str, str]:
    """Every name, in every language, of every command."""
    items = all_commands()
    found = {alias: item.name for item in items for language in languages() for alias in aliases(item, language)}
    return found | {item.name: item.name for item in items}


def find(name: str) -> str | None:
    """The command that has this name in some language, in upper or lower case. None: there is no such."""
    return _by_name().get(name.casefold())


def nearest(name: str, close: float = _CLOSE) -> str | None:
    """The name of a command that was probably meant, in the language that it was typed in.

    `close`: how much of the word has to be right, from 0 to 1.
    """
    near = get_close_matches(name.casefold(), list(_by_name()), n=1, cutoff=close)
    return near[0] if near else None


def private(spec: GptBotSpec, name: str, argument: str) -> bool:
    """Whether the reply of a command is for its caller alone. Raises LookupError."""
    return command(name).private(spec, argument)


def asks_administrator(name: str) -> bool:
    """Whether a command has to know if its caller administers the chat. Raises LookupError."""
    return command(name).administrators or command(name).asks_administrator


def menu(spec: Callable[[], GptBotSpec]) -> list[CommandInfo]:
    """The commands as platforms' menus show them; `spec` is asked anew whenever choices are."""
    return [
        CommandInfo(
            item.name,
            {language: texts(language)(f"command-{item.name}") for language in languages()},
            [_argument(item, argument, spec) for argument in item.arguments],
            item.where,
            item.administrators,
        )
        for item in offered(spec())
    ]


def _argument(item: Command, argument: Argument, spec: Callable[[], GptBotSpec]) -> ArgumentInfo:
    choices = argument.choices

    def complete(typed: str, language: str | None, given: Mapping[str, str]) -> Sequence[tuple[str, str]]:
        assert choices is not None
        start, found = typed.strip().casefold(), choices(spec(), texts(language), given)
        fits = [(c.label, c.value) for c in found if start in c.label.casefold() or start in c.value.casefold()]
        fits.sort(key=lambda one: not one[0].casefold().startswith(start) and not one[1].casefold().startswith(start))
        return fits[:_MOST_COMPLETIONS]

    values: dict[str, list[tuple[str, str]]] = {}
    if choices is not None and argument.fixed:
        values = {
            language: [(c.label, c.value) for c in choices(spec(), texts(language), {})] for language in languages()
        }
    return ArgumentInfo(
        name=argument.name,
        descriptions={
            language: texts(language)(f"command-{item.name}-argument-{argument.name}") for language in languages()
        },
        number=argument.kind == "number",
        required=not argument.optional,
        values=values,
        complete=complete if choices is not None and not values else None,
        least=argument.least,
        most=argument.most,
    )
