"""Reads what stands behind a command's name, by the command's own definition."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from difflib import get_close_matches
from functools import cache
from typing import Any

from gptbot.conversation.commands.base import Argument, Choice, Command
from gptbot.locales import Texts, languages, texts
from gptbot_api import GptBotSpec

_DAY = 86400.0
_UNITS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": _DAY, "weeks": 7 * _DAY}
_AMOUNT = re.compile(r"(\d{1,6})?\s*([^\W\d_]+)\.?")
_COUNT = re.compile(r"(\d{1,6})\s*([^\W\d_]*)")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?:\s*(?:utc|gmt)?\s*([+-]\d{1,2})?)")


@dataclass(frozen=True, slots=True)
class Period:
    """What part of a conversation is meant: exactly one of these is set."""

    messages: int | None = None
    """The last so many messages."""
    since: float | None = None
    """All since then, in seconds since 1970."""
    mine: bool = False
    """All since the caller's own last message."""


class WrongArgument(ValueError):
    """An argument is missing or not understood. The text is a line for the caller: the right form."""


def parse(command: Command, argument: str, spec: GptBotSpec, said: Texts) -> dict[str, Any]:
    """The arguments by name. Raises WrongArgument."""
    found: dict[str, Any] = {}
    rest = "" if command.ignores_argument else argument.strip()
    for place, wanted in enumerate(command.arguments):
        last = place == len(command.arguments) - 1
        word = rest if last else rest.partition(" ")[0]
        if not word:
            if not wanted.optional:
                raise WrongArgument(_line("wrong-missing", command, wanted, spec, said))
            break
        rest = rest[len(word) :].strip()
        found[wanted.name] = _value(command, wanted, word, spec, said, found)
    if rest:
        raise WrongArgument(_line("wrong-many", command, None, spec, said))
    return found


def form(command: Command, said: Texts) -> str:
    """How the command is written, such as `!persona [name]`: what may be left out stands in brackets."""
    words = [f"!{command.name}"]
    for argument in command.arguments:
        word = said(f"argument-{argument.name}")
        words.append(f"[{word}]" if argument.optional else word)
    return " ".join(words)


def example(command: Command, number: int, spec: GptBotSpec, said: Texts) -> str:
    """An example of the command. It may use `$persona`, a role that this bot has."""
    return said(f"command-{command.name}-example-{number}", persona=spec.personas[-1].name)


def choices(argument: Argument, spec: GptBotSpec, said: Texts, given: Mapping[str, str]) -> Sequence[Choice]:
    """The values that a choice has now, behind the arguments given."""
    return argument.choices(spec, said, given) if argument.choices is not None else ()


def _value(
    command: Command, wanted: Argument, word: str, spec: GptBotSpec, said: Texts, given: Mapping[str, Any]
) -> Any:
    def wrong(name: str = "wrong-value", **values: Any) -> WrongArgument:
        return WrongArgument(_line(name, command, wanted, spec, said, word=_shown(word), **values))

    match wanted.kind:
        case "choice":
            value = _choice(wanted, word, spec, given)
            if value is None:
                there = choices(wanted, spec, said, given)
                values = {choice.label.casefold(): choice.value for choice in there}
                values |= {choice.value: choice.value for choice in there}
                near = get_close_matches(word.casefold(), list(values), n=1, cutoff=0.6)
                listed = ", ".join(f"`{choice.value}`" for choice in there)
                raise wrong("wrong-choice-near", near=values[near[0]]) if near else wrong("wrong-choice", names=listed)
            return value
        case "text":
            if wanted.most is not None and len(word) > wanted.most:
                raise wrong("wrong-long", most=wanted.most)
            return word
        case "number":
            number = int(word) if re.fullmatch(r"\d{1,9}", word) else None
            if number is None or number < (wanted.least or 0) or (wanted.most is not None and number > wanted.most):
                raise wrong("wrong-number", least=wanted.least or 0, most=wanted.most or 999_999_999)
            return number
        case "duration":
            length = duration(word)
            if length is None:
                raise wrong()
            return length
        case "period":
            found = period(word)
            if found is None or (wanted.most is not None and (found.messages or 0) > wanted.most):
                raise wrong("wrong-period")
            return found


def duration(word: str) -> float | None:
    """Seconds of such as `2h`, `30 min`, `1 day`, `hour`, in the words of any language; None when it is no such."""
    found = _AMOUNT.fullmatch(word.strip().lower())
    if found is None or (not found[1] and len(found[2]) < 3):
        return None
    for unit, size in _UNITS.items():
        if found[2] in _all_words(f"words-{unit}"):
            return int(found[1] or 1) * size or None
    return None


def period(word: str) -> Period | None:
    """What part of a conversation is meant, in the words of any language; None: it is no such.

    That is `50`, `2h`, `last 2 hours`, `14:30` (UTC), `since 14:30+3`, `today`, `since yesterday`, or such as `me`.
    A number alone behind a word for a moment, `since 9`, is more likely a time of day than a count: neither is guessed.
    """
    moment = word.strip().lower().partition(" ")[0] in _all_words("words-moment")
    word = _without(word.strip().lower(), "words-since", "words-ago")
    count = _COUNT.fullmatch(word)
    if count is not None and (not count[2] or count[2] in _all_words("words-messages")):
        return Period(messages=int(count[1])) if int(count[1]) and (count[2] or not moment) else None
    if word in _all_words("words-mine"):
        return Period(mine=True)
    if (length := duration(word)) is not None:
        return Period(since=time.time() - length)
    for days, name in enumerate(("words-today", "words-yesterday")):
        if word in _all_words(name):
            midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            return Period(since=midnight.timestamp() - days * _DAY)
    clock = _CLOCK.fullmatch(word)
    if clock is None or int(clock[1]) > 23 or int(clock[2]) > 59 or abs(int(clock[3] or 0)) > 14:
        return None
    now = datetime.now(timezone(timedelta(hours=int(clock[3]))) if clock[3] else UTC)
    then = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0).timestamp()
    return Period(since=then if then <= now.timestamp() else then - _DAY)


def _without(text: str, before: str, behind: str) -> str:
    """A text without the words that may stand before and behind what it means."""
    while (parts := text.split(maxsplit=1)) and len(parts) == 2 and parts[0] in _all_words(before):
        text = parts[1]
    while (parts := text.rsplit(maxsplit=1)) and len(parts) == 2 and parts[1] in _all_words(behind):
        text = parts[0]
    return text


def _choice(wanted: Argument, word: str, spec: GptBotSpec, given: Mapping[str, Any]) -> str | None:
    typed = word.casefold()
    for language in languages():
        for choice in choices(wanted, spec, texts(language), given):
            if typed in (choice.value.casefold(), choice.label.casefold()):
                return choice.value
    return None


@cache
def _all_words(name: str) -> frozenset[str]:
    """The words of a list of the locales, in all languages."""
    return frozenset(word.strip() for language in languages() for word in texts(language)(name).split(","))


def _line(name: str, command: Command, wanted: Argument | None, spec: GptBotSpec, said: Texts, **values: Any) -> str:
    if wanted is not None:
        values["argument"] = said(f"argument-{wanted.name}")
    return said(name, form=form(command, said), example=example(command, 1, spec, said), **values)


def _shown(word: str) -> str:
    """What was typed, safe and short enough to be said again."""
    return re.sub(r"[`\s]+", " ", word)[:32]
