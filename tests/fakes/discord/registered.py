"""What Discord takes as a slash command, and what its client lets people fill in.

See docs/interactions/application-commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tests.fakes.discord.errors import Json, invalid_form

_NAME = re.compile(r"^[-_'\w]{1,32}$")
_STRING, _INTEGER, _NUMBER = 3, 4, 10
_MOST_CHARACTERS: Final = 8000
_LOCALES: Final = frozenset(
    (
        "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR",
        "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko",
    )
)  # fmt: skip


def check_command(command: Any, at: str) -> None:
    """Raise what Discord answers to a command that it does not take."""
    if not isinstance(command, dict):
        raise invalid_form(at, "MODEL_TYPE_CONVERT", "Only dictionaries may be used.")
    _check_texts(command, at)
    contexts = command.get("contexts")
    if contexts is not None and (not isinstance(contexts, list) or not contexts or not set(contexts) <= {0, 1, 2}):
        raise invalid_form(f"{at}.contexts", "BASE_TYPE_CHOICES", "Value must be one of {0, 1, 2}.")
    permissions = command.get("default_member_permissions")
    if permissions is not None and not re.fullmatch(r"\d+", str(permissions)):
        raise invalid_form(f"{at}.default_member_permissions", "PERMISSIONS_PARSE_INVALID", "Invalid permissions.")
    options: list[Any] = command.get("options") or []
    if len(options) > 25:
        raise invalid_form(f"{at}.options", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    seen, optional = set[str](), False
    for number, option in enumerate(options):
        where = f"{at}.options.{number}"
        _check_option(option, where)
        if option["name"] in seen:
            raise invalid_form(where, "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option names must be unique")
        seen.add(option["name"])
        if option.get("required") and optional:
            raise invalid_form(
                where, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must be placed before others"
            )
        optional = optional or not option.get("required")
    if _size(command) > _MOST_CHARACTERS:
        raise invalid_form(at, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({_MOST_CHARACTERS})")


def kept_option(option: Json) -> Json:
    """An option as Get Global Application Commands tells it: defaults are left out."""
    kept = {key: value for key, value in option.items() if value or key not in ("required", "autocomplete")}
    if "choices" in kept:
        kept["choices"] = [{"name_localizations": None, **choice} for choice in kept["choices"]]
    return kept


def filled(command: Json, argument: str | Mapping[str, Any] | None) -> list[Json]:
    """The options as a person fills them in: all by name, or the first one. Raises ValueError where the client would
    not let them.
    """
    known: list[Json] = command.get("options") or []
    if isinstance(argument, str):
        if not known:
            raise ValueError(f"the command {command['name']!r} takes no argument")
        argument = {known[0]["name"]: argument}
    given = dict(argument or {})
    if missing := [option["name"] for option in known if option.get("required") and option["name"] not in given]:
        raise ValueError(f"the options {missing} have to be filled in")
    by_name = {option["name"]: option for option in known}
    return [{"type": by_name[name]["type"], "name": name, "value": _value(by_name[name], value)}
            for name, value in given.items()]  # fmt: skip


def check_choices(command: Json, name: str, choices: Any) -> None:
    """Raise what Discord answers to the choices of an Autocomplete result that it does not take."""
    if not isinstance(choices, list) or len(choices) > 25:
        raise invalid_form("data.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    option = next(option for option in command["options"] if option["name"] == name)
    _check_choices(option["type"], choices, "data.choices")


def _value(option: Json, value: Any) -> Any:
    name, choices = option["name"], [choice["value"] for choice in option.get("choices") or ()]
    if option["type"] == _INTEGER:
        value = int(value)
        if not option.get("min_value", value) <= value <= option.get("max_value", value):
            raise ValueError(f"{value} is out of the bounds of {name!r}")
    elif len(value) > option.get("max_length", 6000):
        raise ValueError(f"the text of {name!r} is too long")
    if choices and value not in choices:
        raise ValueError(f"{value!r} is none of the choices of {name!r}: {choices}")
    return value


def _check_option(option: Any, where: str) -> None:
    if not isinstance(option, dict) or option.get("type") not in range(1, 12):
        raise invalid_form(f"{where}.type", "BASE_TYPE_CHOICES", "Value must be one of {1, ..., 11}.")
    _check_texts(option, where)
    kind, choices = option["type"], option.get("choices")
    if choices is not None:
        if len(choices) > 25:
            raise invalid_form(f"{where}.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        _check_choices(kind, choices, f"{where}.choices")
    if option.get("autocomplete") and (choices or kind not in (_STRING, _INTEGER, _NUMBER)):
        raise invalid_form(
            where, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID", "Autocomplete options may not have choices"
        )
    if ("min_value" in option or "max_value" in option) and kind not in (_INTEGER, _NUMBER):
        raise invalid_form(where, "APPLICATION_COMMAND_OPTIONS_MIN_MAX_INVALID", "Only numbers have bounds")
    if "max_length" in option and (kind != _STRING or not 1 <= option["max_length"] <= 6000):
        raise invalid_form(f"{where}.max_length", "NUMBER_TYPE_MAX", "Value must be between 1 and 6000 on a string.")


def _check_choices(kind: int, choices: Iterable[Any], at: str) -> None:
    names: set[str] = set()
    for number, choice in enumerate(choices):
        where = f"{at}.{number}"
        name, value = choice.get("name"), choice.get("value")
        for text in (name, *(choice.get("name_localizations") or {}).values()):
            if not isinstance(text, str) or not 1 <= len(text) <= 100:
                raise invalid_form(f"{where}.name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        if not set(choice.get("name_localizations") or {}) <= _LOCALES:
            raise invalid_form(f"{where}.name_localizations", "ENUM_TYPE_COERCE", "Value is not a valid enum value.")
        fits = len(value) <= 100 if isinstance(value, str) else isinstance(value, int | float)
        if not fits or isinstance(value, str) != (kind == _STRING):
            raise invalid_form(f"{where}.value", "BASE_TYPE_BAD_LENGTH", "Must be 100 or fewer in length.")
        if name in names:
            raise invalid_form(where, "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_EXISTS", "Choice names must be unique")
        names.add(name)


def _check_texts(thing: Json, at: str) -> None:
    name, description = thing.get("name"), thing.get("description")
    if not isinstance(name, str) or not _NAME.match(name) or name != name.lower():
        raise invalid_form(f"{at}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    texts = {"description": description, **(thing.get("description_localizations") or {})}
    for key, text in texts.items():
        where = f"{at}.description" if key == "description" else f"{at}.description_localizations.{key}"
        if key != "description" and key not in _LOCALES:
            raise invalid_form(where, "ENUM_TYPE_COERCE", f"Value '{key}' is not a valid enum value.")
        if not isinstance(text, str) or not 1 <= len(text) <= 100:
            raise invalid_form(where, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")


def _size(thing: Json) -> int:
    """Characters of a command: names, descriptions and values of all it has, in the longest language."""
    total = 0
    for key in ("name", "description"):
        texts = [thing.get(key) or "", *(thing.get(f"{key}_localizations") or {}).values()]
        total += max(map(len, texts))
    total += len(str(thing["value"])) if "value" in thing else 0
    return total + sum(map(_size, [*(thing.get("options") or ()), *(thing.get("choices") or ())]))
