"""Texts: every language complete, every value used, every command described."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel import Locale
from fluent.syntax import FluentParser, ast

from gptbot import locales
from gptbot.conversation import commands
from gptbot.conversation.commands.help import explanation
from gptbot.conversation.duration import spoken
from gptbot.locales import languages, texts
from gptbot_api import parse

FOLDER = Path(locales.__file__).parent


BOT = parse({
    "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": "bot"},
    "spec": {"platforms": {"web": {}}, "llm": {"embedded": {}}},
})  # fmt: skip


AFTER_UP_TO = {("ru", "file-large"), ("ru", "file-many")}
"""Behind a word that wants the genitive, a few are named as many are."""


def plurals(path: Path) -> list[tuple[str, set[str], str]]:
    """Name, variants and default of each choice of a plural form in a Fluent file."""
    found: list[tuple[str, set[str], str]] = []
    entries = FluentParser().parse(path.read_text()).body
    for entry in [entry for entry in entries if isinstance(entry, ast.Message)]:
        for element in entry.value.elements if entry.value else ():
            expression = element.expression if isinstance(element, ast.Placeable) else None
            if isinstance(expression, ast.SelectExpression):
                keys = {v.key.name: v.default for v in expression.variants if isinstance(v.key, ast.Identifier)}
                if keys.keys() & {"one", "few", "many", "other"}:
                    default = next(name for name, chosen in keys.items() if chosen)
                    found.append((entry.id.name, set(keys), default))
    return found


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


@pytest.mark.parametrize("language", languages())
def test_every_language_says_all_that_english_says(language: str) -> None:
    """In one file or in several."""
    said, english = (
        {name: values for path in FOLDER.glob(f"*{code}.ftl") for name, values in messages(path).items()}
        for code in (language, "en")
    )
    assert said == english


def test_the_nearest_language_is_found() -> None:
    assert languages()[0] == "en"
    assert [texts(name).language for name in ("ru", "ru-RU", "RU_ru", "fr", None)] == ["ru", "ru", "ru", "en", "en"]


def test_every_command_is_described_and_in_the_menu() -> None:
    menu = commands.menu(lambda: BOT.spec)
    assert [info.name for info in menu] == [item.name for item in commands.all_commands()]
    for info in menu:
        for thing in (info, *info.arguments):
            assert set(thing.descriptions) == set(languages())
            assert all(0 < len(text) <= 100 for text in thing.descriptions.values()), "Discord's limit"


def test_every_command_has_its_texts_and_no_text_has_lost_its_command() -> None:
    wanted: set[str] = set()
    for item in commands.all_commands():
        examples = [f"example-{number}" for number in range(1, item.examples + 1)]
        arguments = [f"argument-{argument.name}" for argument in item.arguments]
        assert item.examples
        wanted |= {f"command-{item.name}"} | {f"command-{item.name}-{text}" for text in (*examples, *arguments)}
        wanted |= set(arguments)
        may = {f"command-{item.name}-{text}" for text in ("long", "stores", "aliases")}
        wanted |= {name for name in may if texts("en").has(name)}
    refusals = {"unknown", "unknown-near", "not-offered", "groups-only", "private-only", "administrators-only"}
    wanted |= {f"command-{name}" for name in refusals}
    there = {name for path in FOLDER.glob("*en.ftl") for name in messages(path)}
    assert {name for name in there if name.startswith(("command-", "argument-"))} == wanted


def test_no_two_commands_share_a_name() -> None:
    seen: dict[str, str] = {}
    for item in commands.all_commands():
        for name in {item.name, *(alias for language in languages() for alias in commands.aliases(item, language))}:
            assert seen.setdefault(name, item.name) == item.name, name
            assert name == name.casefold()
            assert not any(letter.isspace() for letter in name)
            assert commands.find(name.upper()) == item.name


def test_every_text_is_used() -> None:
    """By its name in the code, or by the beginning of one that is put together there."""
    sources = [*FOLDER.parent.rglob("*"), *(FOLDER.parents[2] / "scripts").glob("*.py")]
    code = "".join(path.read_text() for path in sources if path.suffix in (".py", ".html", ".js"))
    names = set(re.findall(r"[\"'`]([a-z][a-z0-9_]*(?:-[a-z0-9_]+)+)[\"'`]", code))
    begun = tuple(set(re.findall(r"f[\"']([a-z][a-z-]*-)\{", code)))
    unused = {
        name for path in FOLDER.glob("*en.ftl") for name in messages(path)
        if name not in names and not name.startswith(begun)
    }  # fmt: skip
    assert unused == set()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ftl")), ids=lambda path: path.name)
def test_plural_forms_are_those_of_the_language(path: Path) -> None:
    language = path.stem.rpartition(".")[2]
    forms = set(Locale(language).plural_form.tags) | {"other"}
    for name, variants, default in plurals(path):
        wanted = forms if language == "en" else forms - {"other"}
        assert variants == wanted - ({"few"} if (language, name) in AFTER_UP_TO else set()), name
        assert default == ("other" if language == "en" else "many"), name


def test_a_language_is_added_by_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in FOLDER.glob("*.ftl"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "eo.ftl").write_text("command-help = Montri kion mi povas\ncommand-help-aliases = helpo\n")
    caches = (locales._languages, locales._texts, locales._bundle, commands._by_name)
    monkeypatch.setattr(locales, "_HERE", tmp_path)
    for cache in caches:
        cache.cache_clear()
    try:
        assert languages() == ["en", "eo", "ru"]
        assert texts("eo-XX")("command-help") == "Montri kion mi povas"
        assert texts("eo")("stop-done") == texts("en")("stop-done"), "what is missing is said in English"
        assert commands.find("Helpo") == "help"
        assert commands.menu(lambda: BOT.spec)[0].descriptions["eo"] == "Montri kion mi povas"
        assert "`!helpo`" in explanation(commands.command("help"), BOT.spec, texts("eo"))
    finally:
        monkeypatch.undo()
        for cache in caches:
            cache.cache_clear()


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
