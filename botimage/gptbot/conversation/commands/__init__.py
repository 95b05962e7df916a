"""The commands: one file each, found by being here. Help texts come from their own definitions.

A module defines `COMMAND = Command(name=…, run=…)`; its description is the text `command-NAME` of the locales.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from gptbot.conversation.commands.base import Command
from gptbot.locales import languages, texts
from gptbot.platforms.base import CommandInfo
from gptbot_api import GptBotSpec


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


def private(spec: GptBotSpec, name: str, argument: str) -> bool:
    """Whether the reply of a command is for its caller alone. Raises LookupError."""
    return command(name).private(spec, argument)


def menu() -> list[CommandInfo]:
    """The commands as platforms' menus show them."""
    infos: list[CommandInfo] = []
    for item in all_commands():
        descriptions = {language: texts(language)(f"command-{item.name}") for language in languages()}
        infos.append(CommandInfo(item.name, descriptions, item.arguments[0].name if item.arguments else None))
    return infos
