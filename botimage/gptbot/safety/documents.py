"""Russian passports and tax numbers (INN, SNILS): by check digits where there are such, else by the words around."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gptbot.safety.shadow import JOINT, Span
from gptbot.safety.subjects import Subjects

_WORDS_BEFORE = 80  # characters
_GAP = r"[ \u00a0]"
_ANY = rf"{JOINT}{{0,8}}+"
_SOME = rf"{JOINT}{{1,8}}+"

# Series of two and two digits and a number of six; a passport for travelling abroad has two and seven (Russian
# government, decree 828 of 1997; Federal Migration Service, order 211 of 2010). However they are joined: the words
# around are the proof. A date and a time have as many digits, in other groups.
_NUMBER_SIGN = rf"[ \u00a0,]{{0,2}}{_ANY}(?:(?:№|No?\b\.?|номер:?){_ANY})?"
_PASSPORT = re.compile(
    rf"(?<![^\W_])(?<!\+)(?<![0-9][.,+_/-])(?:"
    rf"[0-9]{{2}}{_ANY}[0-9]{{2}}{_NUMBER_SIGN}(?:[0-9]{{6}}|[0-9]{{3}}{_SOME}[0-9]{{3}})"
    rf"|[0-9]{{2}}{_NUMBER_SIGN}(?:[0-9]{{7}}|[0-9]{{3}}{_SOME}[0-9]{{4}})"
    rf"|[0-9]{{2}}(?:{_SOME}[0-9]{{2}}){{4}}|[0-9](?:{_SOME}[0-9]){{8,9}})(?![\w-]|[.,][0-9])",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"(?P<passport>паспорт\w*|passport\w*|\bпасп\b|загран\w*"
    r"|\bсери[яиюей]\b(?= ?[0-9]{2} ?[0-9]{2}[ ,]{0,2}(?:№|номер)))"
    r"|(?P<other>заказ\w*|\border\w*|сч[её]т\w*|account|invoice|артикул\w*|серийн\w*|serial|трек\w*|track\w*|\bтел\b"
    r"|телефон\w*|phone\w*|\bинн\b|\binn\b|снилс|snils|лицев\w*|договор\w*|contract\w*|парти[яи]|\bкарт[аы]\b|\bcard\b)",
    re.IGNORECASE,
)

_INN_WORD = r"(?<![^\W_])(?:инн|inn|налогоплательщик[^\W_]{0,8}+|taxpayer[^\W_]{0,8}+)(?![^\W_])"
_SNILS_WORD = r"(?<![^\W_])(?:снилс|snils)(?![^\W_])"
SPOKEN_OF_TAX = re.compile(rf"(?P<inn>{_INN_WORD})|(?P<snils>{_SNILS_WORD})|{_DOCUMENT.pattern}", re.IGNORECASE)
_INN = re.compile(r"(?<![\w.,+-])[0-9]{12}(?![\w-]|[.,][0-9])")
_INN_SPOKEN_OF = re.compile(
    rf"(?P<words>{_INN_WORD}[^0-9\n]{{0,30}}?\n?[ \t]{{0,3}})"
    rf"(?<![^\W_+])(?:[0-9]{{12}}(?![\w-])|[0-9]{{10}}(?![\w-])|[0-9](?:{_GAP}?[0-9]){{11}}|[0-9](?:{_GAP}?[0-9]){{9}})(?![\w-])",
    re.IGNORECASE,
)
_SNILS = re.compile(r"(?<![\w+-])[0-9]{3}[ -][0-9]{3}[ -][0-9]{3}[ -]?[0-9]{2}(?![\w-])")
_SNILS_SPOKEN_OF = re.compile(
    r"(?P<words>"
    + _SNILS_WORD
    + r"[^0-9\n]{0,30}?\n?[ \t]{0,3})(?<![^\W_+])[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{2}(?![\w-])",
    re.IGNORECASE,
)


def find_passports(text: str) -> Iterator[Span]:
    """Find series and number of Russian passports, where the words before them speak of a passport."""
    subjects = Subjects(_DOCUMENT, text, _WORDS_BEFORE)
    for found in _PASSPORT.finditer(text):
        if subjects.of(found.start(), found.end(), line_above=True) == "passport":
            yield Span(*found.span(), "[passport]")


def find_snils_spoken_of(text: str) -> Iterator[Span]:
    """Find any SNILS after the word."""
    return (Span(found.end("words"), found.end(), "[taxid]") for found in _SNILS_SPOKEN_OF.finditer(text))


def find_snils(text: str) -> Iterator[Span]:
    """Find SNILS with right check digits."""
    return (Span(*found.span(), "[taxid]") for found in _SNILS.finditer(text) if is_snils(found[0]))


def find_inn_spoken_of(text: str) -> Iterator[Span]:
    """Find any INN after the word."""
    return (Span(found.end("words"), found.end(), "[taxid]") for found in _INN_SPOKEN_OF.finditer(text))


def find_inn(text: str) -> Iterator[Span]:
    """Find INN of persons with right check digits."""
    return (Span(*found.span(), "[taxid]") for found in _INN.finditer(text) if is_inn(found[0]))


def is_inn(number: str) -> bool:
    """Check digits of an INN, ten digits or twelve."""
    from stdnum.ru import inn

    return inn.is_valid(number)


def is_snils(number: str) -> bool:
    """Nine digits weighted 9 to 1, modulo 101 (Pension Fund, order 192p of 2006)."""
    digits = [int(digit) for digit in number if digit.isdigit()]
    total = sum(digit * weight for digit, weight in zip(digits[:9], range(9, 0, -1), strict=True)) % 101
    return total % 100 == digits[9] * 10 + digits[10]
