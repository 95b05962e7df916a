"""Every text a person reads: `LANGUAGE.ftl` and `TOPIC.LANGUAGE.ftl`, English being the one that is always complete.

`texts("ru-RU")` finds the nearest language. A command stands in them as `!name argument`, in code; `Texts.showing`
has it as it is written where the text is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fluent.runtime import FluentBundle

DEFAULT = "en"
CommandForm = Callable[[str, str], str]
"""How a command is written on a platform, in Markdown, by its name and its argument."""
_COMMAND = re.compile(r"`!([^\s`]+)(?: ([^`\n]+))?`")
_LONGEST = 35
"""Characters of a language's name that are looked at (RFC 5646, 4.4.1)."""
_HERE = Path(__file__).parent
_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
_COARSER = ((60, 90), (3600, 90 * 60))
"""Seconds of a unit, and those above which a length of time is rounded up to a whole number of it."""


def languages() -> list[str]:
    """Languages there is a file of, the default first."""
    return list(_languages())


@cache
def _languages() -> tuple[str, ...]:
    found = sorted(path.stem for path in _HERE.glob("*.ftl") if "." not in path.stem)
    return (DEFAULT, *(language for language in found if language != DEFAULT))


def match(language: str | None) -> str:
    """The language there is that is nearest to the one asked for, such as `ru` for `ru-RU`."""
    short = (language or DEFAULT)[:_LONGEST].replace("_", "-").split("-")[0].lower()
    return short if short in _languages() else DEFAULT


class Texts:
    """The texts of one language."""

    def __init__(self, language: str, form: CommandForm | None = None) -> None:
        """`form`: how commands are written; None: with `!`."""
        self.language = language
        self._bundle = _bundle(language)
        self._form = form

    def showing(self, form: CommandForm) -> Texts:
        """The same texts with their commands written so."""
        return Texts(self.language, form)

    def into(self, language: str) -> Texts:
        """The texts of another language, with their commands written in the same way."""
        return Texts(match(language), self._form)

    def __call__(self, name: str, /, **values: Any) -> str:
        """The text of that name with its values put in; the default language's where this one lacks it.

        Raises KeyError when there is no such text at all.
        """
        bundle = self._bundle
        if not bundle.has_message(name):
            bundle = _bundle(DEFAULT)
        message = bundle.get_message(name)
        if message.value is None:
            raise KeyError(name)
        text, form = str(bundle.format_pattern(message.value, values)[0]), self._form
        return text if form is None else _COMMAND.sub(lambda found: form(found[1], found[2] or ""), text)

    def has(self, name: str) -> bool:
        """Whether there is such a text."""
        return self._bundle.has_message(name) or _bundle(DEFAULT).has_message(name)


def length(seconds: float, texts: Texts) -> str:
    """A length of time in words, rounded up: seconds up to a minute and a half, minutes up to an hour and a half."""
    total = max(1, math.ceil(seconds))
    for unit, least in _COARSER:
        if total > least:
            total = math.ceil(total / unit) * unit
    return exact_length(total, texts)


def exact_length(seconds: int, texts: Texts) -> str:
    """A length of time in words, in the largest unit that it is a whole number of; a day is `24 hours`."""
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    if unit == "days" and seconds == size:
        unit, size = "hours", 3600
    return texts(f"duration-{unit}", count=seconds // size)


def texts(language: str | None) -> Texts:
    """The texts of the nearest language."""
    return _texts(match(language))


def prepare() -> None:
    """Parse all texts now, and not while the first person who needs them waits, and everybody else with them."""
    for language in languages():
        texts(language)


@cache
def _texts(language: str) -> Texts:
    """Keep one a file: `texts` is asked for whatever people and platforms call a language."""
    return Texts(language)


@cache
def _bundle(language: str) -> FluentBundle:
    from fluent.runtime import FluentBundle, FluentResource

    # DURATION($seconds) in a text: a length of time in words, with the right plural form.
    functions: dict[str, Callable[[Any], Any]] = {"DURATION": lambda seconds: length(float(seconds), texts(language))}
    bundle = FluentBundle([language], use_isolating=False, functions=functions)
    for path in sorted([_HERE / f"{language}.ftl", *_HERE.glob(f"*.{language}.ftl")]):
        if path.exists():
            bundle.add_resource(FluentResource(path.read_text(encoding="utf-8")))
    return bundle
