"""Texts of the page, from `locales/web.LANGUAGE.ftl`, or `LANGUAGE.ftl` where a language is one file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, cast

from fluent.runtime import FluentBundle, FluentResource
from fluent.syntax.ast import Message

FALLBACK = "en"


class Texts:
    """Texts in one language."""

    def __init__(self, language: str, source: str) -> None:
        self.language = language
        self._bundle = FluentBundle([language], use_isolating=False)
        resource = FluentResource(source)
        self._bundle.add_resource(resource)
        self._plain = tuple(entry.id.name for entry in resource.body if isinstance(entry, Message))

    def text(self, name: str, **values: Any) -> str:
        """A text by its name. Raises KeyError when there is none, ValueError when a value is missing."""
        pattern = self._bundle.get_message(name).value
        if pattern is None:
            raise KeyError(name)
        text, errors = self._bundle.format_pattern(pattern, values)
        if errors:
            raise ValueError(f"text {name} in {self.language}: {errors[0]}")
        return cast(str, text)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all texts."""
        return self._plain

    def duration(self, seconds: int) -> str:
        """A length of time in words, in the largest unit that divides it."""
        for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
            if seconds % size == 0 and seconds > size:
                return self.text(f"web-{unit}", count=seconds // size)
        return self.text("web-seconds", count=seconds)


@cache
def languages() -> dict[str, Texts]:
    """All languages there are."""
    found: dict[str, Texts] = {}
    for file in sorted(files("gptbot.locales").iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".ftl"):
            continue
        *topic, language = file.name.removesuffix(".ftl").split(".")
        if topic in ([], ["web"]) and "\nweb-" in (text := file.read_text(encoding="utf-8")):
            found[language] = Texts(language, text)
    return found


def preferred(accept_language: str) -> list[str]:
    """The tags of an Accept-Language header, most wanted first (RFC 9110, 12.5.4)."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language[:1000].split(","):
        tag, _, parameters = part.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            continue
        if tag and weight > 0 and all(piece.isalnum() for piece in tag.split("-")):
            wanted.append((weight, tag))
    return [tag for _, tag in sorted(wanted, key=lambda item: -item[0])]


def choose(accept_language: str) -> Texts:
    """The best language there is for an Accept-Language header."""
    offered = languages()
    for tag in preferred(accept_language):
        if found := offered.get(tag.split("-")[0].lower()):
            return found
    return offered[FALLBACK]
