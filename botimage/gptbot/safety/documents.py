"""Russian passports and tax numbers (INN, SNILS): by check digits where there are such, else by the words around."""

from __future__ import annotations

import re

_WORDS_BEFORE = 80  # characters
_GAP = r"[ \u00a0\u202f]"

# Series of two and two digits and a number of six; a passport for travelling abroad has two and seven (Russian
# government, decree 828 of 1997; Federal Migration Service, order 211 of 2010).
_PASSPORT = re.compile(
    rf"(?<![\w.,+-])(?:[0-9]{{2}}{_GAP}?[0-9]{{2}}[ \u00a0,]{{0,2}}(?:№|N|no\.?|номер:?)?{_GAP}?[0-9]{{6}}"
    rf"|[0-9]{{2}}{_GAP}?(?:№|N)?{_GAP}?[0-9]{{7}})(?![\w-]|[.,][0-9])",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"(?P<passport>паспорт\w*|passport\w*|\bпасп\b|загран\w*"
    r"|\bсери[яиюей]\b(?= ?[0-9]{2} ?[0-9]{2}[ ,]{0,2}(?:№|номер)))"
    r"|(?P<other>заказ\w*|\border\w*|сч[её]т\w*|account|invoice|артикул\w*|серийн\w*|serial|трек\w*|track\w*|\bтел\b"
    r"|телефон\w*|phone\w*|\bинн\b|\binn\b|снилс|snils|лицев\w*|договор\w*|contract\w*|парти[яи]|\bкарт[аы]\b|\bcard\b)",
    re.IGNORECASE,
)

_INN = re.compile(r"(?<![\w.,+-])[0-9]{12}(?![\w-]|[.,][0-9])")
_INN_SPOKEN_OF = re.compile(
    rf"(?P<words>\b(?:инн|inn|налогоплательщик\w*|taxpayer\w*)\b[^0-9\n]{{0,30}}?)"
    rf"(?<![\w+-])(?:[0-9](?:{_GAP}?[0-9]){{11}}|[0-9](?:{_GAP}?[0-9]){{9}})(?![\w-])",
    re.IGNORECASE,
)
_SNILS = re.compile(r"(?<![\w+-])[0-9]{3}[ -][0-9]{3}[ -][0-9]{3}[ -]?[0-9]{2}(?![\w-])")
_SNILS_SPOKEN_OF = re.compile(
    r"(?P<words>\b(?:снилс|snils)\b[^0-9\n]{0,30}?)(?<![\w+-])[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{2}(?![\w-])",
    re.IGNORECASE,
)


def redact_passports(text: str) -> str:
    """Replace series and number of Russian passports, where the words before them speak of a passport."""
    return _PASSPORT.sub(_without_passport, text)


def _without_passport(candidate: re.Match[str]) -> str:
    # A number on a line of its own belongs to the line above.
    before = candidate.string[max(0, candidate.start() - _WORDS_BEFORE) : candidate.start()].rstrip()
    line = f"{before.rpartition(chr(10))[2]} {candidate[0]}"
    kinds = [word.lastgroup for word in _DOCUMENT.finditer(line)]
    return "[passport]" if kinds and kinds[-1] == "passport" else candidate[0]


def redact_tax_ids(text: str) -> str:
    """Replace INN and SNILS: those with right check digits, and any after the word."""
    text = _SNILS_SPOKEN_OF.sub(_after_words, text)
    text = _SNILS.sub(lambda found: "[taxid]" if _is_snils(found[0]) else found[0], text)
    text = _INN_SPOKEN_OF.sub(_after_words, text)
    return _INN.sub(lambda found: "[taxid]" if _is_inn(found[0]) else found[0], text)


def _after_words(found: re.Match[str]) -> str:
    return found["words"] + "[taxid]"


def _is_inn(number: str) -> bool:
    from stdnum.ru import inn

    return inn.is_valid(number)


def _is_snils(number: str) -> bool:
    """Nine digits weighted 9 to 1, modulo 101 (Pension Fund, order 192p of 2006)."""
    digits = [int(digit) for digit in number if digit.isdigit()]
    total = sum(digit * weight for digit, weight in zip(digits[:9], range(9, 0, -1), strict=True)) % 101
    return total % 100 == digits[9] * 10 + digits[10]
