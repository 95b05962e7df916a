"""Texts: every language complete, every value used, every command described."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gptbot import locales
from gptbot.conversation import commands
from gptbot.conversation.duration import spoken
from gptbot.locales import languages, texts

FOLDER = Path(locales.__file__).parent


def messages(path: Path) -> dict[str, set[str]]:
    """Name to the values it uses, of a Fluent file."""
    found: dict[str, set[str]] = {}
    name = ""
    for line in path.read_text().splitlines():
        if match := re.match(r"([a-z][\w-]*) =", line):
            name = match[1]
            found[name] = set()
        if name and not line.startswith("#"):
            found[name] |= set(re.findall(r"\$(\w+)", line))
    return found


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ftl")), ids=lambda path: path.name)
def test_every_file_says_all_that_english_says(path: Path) -> None:
    english = FOLDER / re.sub(r"(\w\w)\.ftl$", "en.ftl", path.name)
    assert messages(path) == messages(english)


def test_the_nearest_language_is_found() -> None:
    assert languages()[0] == "en"
    assert [texts(name).language for name in ("ru", "ru-RU", "RU_ru", "fr", None)] == ["ru", "ru", "ru", "en", "en"]


def test_every_command_is_described_and_in_the_menu() -> None:
    menu = commands.menu()
    assert [info.name for info in menu] == ["help", "about", "persona", "stop", "retry", "reset"]
    for info in menu:
        assert set(info.descriptions) == set(languages())
        assert all(0 < len(text) <= 100 for text in info.descriptions.values()), "Discord's limit"


@pytest.mark.parametrize(
    ("duration", "english", "russian"),
    [
        ("24h", "24 hours", "24 часа"), ("1h", "1 hour", "1 час"), ("7d", "7 days", "7 дней"),
        ("90s", "90 seconds", "90 секунд"), ("120s", "2 minutes", "2 минуты"), ("1d", "24 hours", "24 часа"),
    ],
)  # fmt: skip
def test_durations_are_said_in_words(duration: str, english: str, russian: str) -> None:
    assert spoken(duration, texts("en")) == english
    assert spoken(duration, texts("ru")) == russian


@pytest.mark.parametrize(
    ("seconds", "english", "russian"),
    [
        (0.2, "1 second", "1 секунду"), (42, "42 seconds", "42 секунды"), (60, "1 minute", "1 минуту"),
        (90, "90 seconds", "90 секунд"), (91, "2 minutes", "2 минуты"), (599, "10 minutes", "10 минут"),
        (3600, "1 hour", "1 час"), (3601, "61 minutes", "61 минуту"), (5401, "2 hours", "2 часа"),
        (86_400, "24 hours", "24 часа"), (40_000, "12 hours", "12 часов"),
    ],
)  # fmt: skip
def test_a_wait_is_said_in_words_and_never_too_short(seconds: float, english: str, russian: str) -> None:
    assert f" for {english}. " in texts("en")("limit-mute", seconds=seconds)
    assert f" {russian} я не " in texts("ru")("limit-mute", seconds=seconds)


def test_an_unknown_text_is_an_error() -> None:
    with pytest.raises(LookupError):
        texts("en")("no-such-text")
