"""The bot's commands as Discord's slash commands (docs/interactions/application-commands)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from gptbot.platforms.base import CommandInfo
from gptbot.platforms.discord.limits import COMMAND_NAME, LOCALES, MAX_DESCRIPTION

_CHAT_INPUT: Final = 1
_STRING: Final = 3
_USUAL: Final = {"es": "es-ES", "pt": "pt-BR", "sv": "sv-SE", "zh": "zh-CN"}
"""Discord's locale of a language that it only knows by country."""


def payload(commands: Sequence[CommandInfo]) -> list[dict[str, Any]]:
    """The body of Bulk Overwrite Global Application Commands. Raises ValueError for a name Discord does not take."""
    return [_command(info) for info in commands]


def same(wanted: Iterable[Mapping[str, Any]], there: Iterable[Mapping[str, Any]]) -> bool:
    """Whether what Get Global Application Commands told is what is wanted."""
    return sorted(map(_essence, wanted)) == sorted(map(_essence, there))


def _command(info: CommandInfo) -> dict[str, Any]:
    if not re.match(COMMAND_NAME, info.name) or info.name != info.name.lower():
        raise ValueError(f"{info.name!r} cannot be a slash command: 1 to 32 letters, digits, - or _, in lower case")
    command: dict[str, Any] = {
        "name": info.name,
        "type": _CHAT_INPUT,
        "description": _shorten(info.descriptions["en"]),
        "description_localizations": {
            locale: _shorten(text)
            for language, text in info.descriptions.items()
            if (locale := _USUAL.get(language, language)) in LOCALES
        },
        "options": [],
        "contexts": [0, 1],  # in a guild, in a direct message with the bot
        "integration_types": [0],  # installed to a guild
    }
    if info.argument is not None:
        name = re.sub(r"[^-'\w]+", "_", info.argument.lower())[:32]
        command["options"] = [
            {"type": _STRING, "name": name, "description": _shorten(info.argument), "required": False}
        ]
    return command


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_DESCRIPTION else text[: MAX_DESCRIPTION - 1] + "…"


def _essence(command: Mapping[str, Any]) -> str:
    """What of a command we set, in one form: Discord leaves defaults out and adds fields of its own."""
    options = [
        (option["type"], option["name"], option["description"], bool(option.get("required")))
        for option in command.get("options") or ()
    ]
    localizations = sorted((command.get("description_localizations") or {}).items())
    contexts = command.get("contexts")
    return repr((
        command["name"], command.get("type", _CHAT_INPUT), command.get("description", ""), localizations, options,
        sorted(contexts if contexts is not None else (0, 1)), sorted(command.get("integration_types") or (0,)),
    ))  # fmt: skip
