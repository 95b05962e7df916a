"""The bot's commands as Discord's slash commands (docs/interactions/application-commands)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from gptbot.platforms.base import ArgumentInfo, CommandInfo
from gptbot.platforms.discord.fields import fields, objects, word
from gptbot.platforms.discord.limits import COMMAND_NAME, LOCALES, MANAGE_GUILD, MAX_CHOICES, MAX_DESCRIPTION

_CHAT_INPUT: Final = 1
_STRING, _INTEGER = 3, 4
_GUILD, _BOT_DM = 0, 1
_USUAL: Final = {"es": "es-ES", "pt": "pt-BR", "sv": "sv-SE", "zh": "zh-CN"}
"""Discord's locale of a language that it only knows by country."""
_LONGEST_TEXT: Final = 6000
"""Characters of a text option at most (Application Command Option, `max_length`)."""


def payload(commands: Sequence[CommandInfo]) -> list[dict[str, Any]]:
    """The body of Bulk Overwrite Global Application Commands. Raises ValueError for a name Discord does not take."""
    return [_command(info) for info in commands]


def same(wanted: Iterable[Mapping[str, Any]], there: Iterable[Mapping[str, Any]]) -> bool:
    """Whether what Get Global Application Commands told is what is wanted."""
    return sorted(map(_essence, wanted)) == sorted(map(_essence, there))


def in_order(data: Mapping[str, Any], commands: Sequence[CommandInfo]) -> Mapping[str, Any]:
    """A slash command with its options in the order of the command's arguments: people fill them in as they like."""
    called = fields(data, "data")
    given = objects(called, "options")
    info = next((info for info in commands if info.name == called.get("name")), None)
    if info is None or len(given) < 2:
        return data
    places = {argument.name: place for place, argument in enumerate(info.arguments)}
    options = sorted(given, key=lambda option: places.get(word(option, "name"), len(places)))
    return {**data, "data": {**called, "options": options}}


def completions(data: Mapping[str, Any], commands: Sequence[CommandInfo]) -> list[dict[str, Any]]:
    """The choices for the option that is being typed (Interaction Response, Autocomplete)."""
    called = fields(data, "data")
    focused = next((option for option in objects(called, "options") if option.get("focused")), None)
    if focused is None:
        return []
    for info in commands:
        for argument in info.arguments:
            if (info.name, argument.name) != (word(called, "name"), word(focused, "name")):
                continue
            if argument.complete is not None:
                given = {word(option, "name"): str(option.get("value") or "") for option in objects(called, "options")}
                found = argument.complete(str(focused.get("value") or ""), word(data, "locale") or None, given)
                fitting = [(label, value) for label, value in found if 0 < len(value) <= MAX_DESCRIPTION]
                return [{"name": _shorten(label), "value": value} for label, value in fitting[:MAX_CHOICES]]
    return []


def _command(info: CommandInfo) -> dict[str, Any]:
    _check_name(info.name)
    contexts = [_GUILD] if "group" in info.where else []
    return {
        "name": info.name,
        "type": _CHAT_INPUT,
        **_described(info.descriptions),
        "options": [_option(argument) for argument in info.arguments],
        "contexts": [*contexts, _BOT_DM] if "private" in info.where else contexts,
        "integration_types": [0],  # installed to a guild
        "default_member_permissions": str(MANAGE_GUILD) if info.administrators else None,
    }


def _option(argument: ArgumentInfo) -> dict[str, Any]:
    _check_name(argument.name)
    option: dict[str, Any] = {
        "type": _INTEGER if argument.number else _STRING,
        "name": argument.name,
        **_described(argument.descriptions),
        "required": argument.required,
    }
    if argument.values and len(argument.values["en"]) <= MAX_CHOICES:
        option["choices"] = [_choice(argument, place) for place in range(len(argument.values["en"]))]
    elif argument.complete is not None:
        option["autocomplete"] = True
    elif argument.number:
        bounds = {"min_value": argument.least, "max_value": argument.most}
        option |= {name: bound for name, bound in bounds.items() if bound is not None}
    elif argument.most is not None:
        option["max_length"] = min(argument.most, _LONGEST_TEXT)
    return option


def _choice(argument: ArgumentInfo, place: int) -> dict[str, Any]:
    label, value = argument.values["en"][place]
    labels = {language: values[place][0] for language, values in argument.values.items()}
    return {"name": _shorten(label), "name_localizations": _by_locale(labels), "value": value}


def _described(descriptions: Mapping[str, str]) -> dict[str, Any]:
    return {"description": _shorten(descriptions["en"]), "description_localizations": _by_locale(descriptions)}


def _by_locale(texts: Mapping[str, str]) -> dict[str, str]:
    return {
        locale: _shorten(text)
        for language, text in texts.items()
        if (locale := _USUAL.get(language, language)) in LOCALES
    }


def _check_name(name: str) -> None:
    if not re.match(COMMAND_NAME, name) or name != name.lower():
        raise ValueError(f"{name!r} cannot be a slash command: 1 to 32 letters, digits, - or _, in lower case")


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_DESCRIPTION else text[: MAX_DESCRIPTION - 1] + "…"


def _essence(command: Mapping[str, Any]) -> str:
    """What of a command we set, in one form: Discord leaves defaults out and adds fields of its own."""
    contexts = command.get("contexts")
    return repr((
        command.get("name"), command.get("type", _CHAT_INPUT), _texts(command),
        [_option_essence(option) for option in objects(command, "options")],
        sorted(contexts if isinstance(contexts, list) else (_GUILD, _BOT_DM), key=repr),
        sorted(command.get("integration_types") or (0,), key=repr),
        command.get("default_member_permissions"),
    ))  # fmt: skip


def _option_essence(option: Mapping[str, Any]) -> tuple[Any, ...]:
    choices = [
        (choice.get("name"), choice.get("value"), sorted(fields(choice, "name_localizations").items()))
        for choice in objects(option, "choices")
    ]
    return (
        option.get("type"), option.get("name"), _texts(option), bool(option.get("required")), choices,
        bool(option.get("autocomplete")), option.get("min_value"), option.get("max_value"), option.get("max_length"),
    )  # fmt: skip


def _texts(thing: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    return thing.get("description", ""), sorted(fields(thing, "description_localizations").items())
