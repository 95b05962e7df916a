"""Phone numbers, Russian and international.

Any ten digits could be somebody's phone, so a number must look or be spoken of like one: a leading `+`, a Russian
`8` or `7`, the usual grouping, or a word such as "phone" before it. phonenumbers then says whether it can exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gptbot.safety.shadow import Span
from gptbot.safety.subjects import Subjects

_GAP = r"[ \u00a0.-]{0,3}+"
_SEP = r"[ \u00a0.-]{1,3}"

_CANDIDATE = re.compile(
    # International: a plus (or 00) and the country code.
    rf"(?P<international>(?<!\w)(?:\+|00(?=[1-9])){_GAP}[0-9](?:{_GAP}[()]?{_GAP}[0-9]){{6,14}}(?![\w]))"
    # Russian with the trunk digit: 8 916 123-45-67, 7(4852)12-34-56.
    rf"|(?P<trunk>(?<![\w+.,])[78]{_GAP}(?:\([0-9]{{3,5}}\)|[0-9]{{3,5}})(?:{_GAP}[0-9]){{5,7}}(?!\w|[.,][0-9]))"
    # Grouped as phones are, and prices and dates are not: (916) 123-45-67, 4852 12-34-56, 415-555-2671.
    rf"|(?P<grouped>(?<![\w+.,])(?:1{_SEP})?(?:\([0-9]{{3}}\){_GAP}|[0-9]{{3}}{_SEP})[0-9]{{3}}{_SEP}?"
    rf"(?:[0-9]{{2}}{_SEP}[0-9]{{2}}|[0-9]{{4}})(?!\w|[.,][0-9])"
    rf"|(?<![\w+.,])\([0-9]{{4}}\){_GAP}[0-9]{{2}}{_SEP}?[0-9]{{2}}{_SEP}?[0-9]{{2}}(?!\w|[.,][0-9]))"
    # Anything else only where the words before it speak of a phone.
    rf"|(?P<plain>(?<![\w+.,])\(?[0-9](?:{_GAP}[()]?{_GAP}[0-9]){{5,13}}(?!\w|[.,][0-9]))"
)

SPOKEN_OF = re.compile(
    r"(?=[^\W\d_]|[№#])"  # else each of the words is tried at each digit and space
    r"(?:(?P<phone>(?:\bтел\b|телефон\w*|мобил\w+|моб\b|\bсотов\w+|\bсот\b|звон\w+|звякн\w+|набер\w+|набра\w+"
    r"|ват?с+ап\w*|вайбер\w*|смс\w*|факс\w*|(?:мой|твой|ваш|наш|его|её|ее) номер|номер\w* для связи"
    r"|\b(?:tele)?phones?\b=?|\btel\b=?|\bcall(?:ing|ed)?\b|\bmobile\b=?|\bcell\b|\bfax\b|whats\s?app|wa\.me/"
    r"|viber|\bsms\b|\btext(?:ed)? (?:me|us|him|her)\b|\b(?:my|your|our|his|her|their) (?:number\b|#)"
    r"|\b(?:reach|ring|dial) )[ \t.:]{0,8}№?)"
    r"|(?P<other>заказ(?:а|у|ом|е|ы|ов)?\b|\borders?\b|накладн\w+|сч[её]т(?:а|у|ом|е|ов)?\b|договор\w*|contract\w*"
    r"|заявк\w+|обращени\w+|трек\w*|track\w*|посылк\w+|артикул\w*|\bsku\b|\binn\b|\bинн\b|\bкпп\b|\bогрн\w*"
    r"|\bснилс\b|\bбик\b|паспорт\w*|passport\w*|полис\w*|invoice\w*|ticket\w*|билет\w*|\bcase\b|\bserial\b"
    r"|серийн\w+|\bid\b|\bisbn\b|barcode|штрих\w*|\bкод\w*|\bcodes?\b|\bpin\b|account\w*|\bл/с\b|лицев\w+"
    r"|\bмодел\w+|\bmodel\w*|\bpart\b|\bдетал\w+|\bcommit\b|\bbuild\b|[№#]))",
    re.IGNORECASE,
)
_MONEY = re.compile(r"\s?(?:руб|р\.|₽|\$|€|£|usd|eur|rub|тенге|₸|шт\b|кг\b|kg\b|км\b|km\b|%)", re.IGNORECASE)
_THOUSANDS = re.compile(r"[0-9](?:[ \u00a0.][0-9]{3}){3}")  # 8 045 311 447: nobody groups a phone so
_HOME = ("RU", "US", "GB", "DE", "FR", "UA", "BY")
_LOCAL = re.compile(rf"[1-9][0-9]{{2}}{_SEP}[0-9]{{2}}{_SEP}[0-9]{{2}}")
_DIGITS = re.compile("[0-9]+")
_PART_OF_A_NAME = re.compile(r"[a-zA-Z]\S{0,39}[/=_]\Z")  # orders/89161234567, id=79161234567
_WORDS_BEFORE = 40  # characters
_SHORTEST = 7  # digits of a number with its country: +683 7012 of Niue


_MOST_CHECKS = 200
"""Numbers of one text that phonenumbers is asked about, 30 µs each; those beyond count as phones by their form."""


def find_phones(text: str, wanted: Callable[[int, int], bool] | None = None) -> Iterator[Span]:
    """Find phone numbers; only those `wanted`, by where they begin and what may belong to them ends."""
    search = _Search(text)
    for candidate in _CANDIDATE.finditer(text):
        if (wanted is None or wanted(*candidate.span())) and (length := search.length(candidate)):
            yield Span(candidate.start(), candidate.start() + length, "[phone]")


class Numbers:
    """Which numbers exist."""

    def __init__(self) -> None:
        """Begin to count what is asked."""
        self._left = _MOST_CHECKS

    def exists(self, found: str, *regions: str | None) -> bool:
        """Whether the number can exist in one of the regions; None: it begins with a country."""
        return any(self._exists(found, region) for region in regions)

    def _exists(self, found: str, region: str | None) -> bool:
        if self._left <= 0:
            return sum(map(str.isdigit, found)) >= _SHORTEST
        self._left -= 1
        import phonenumbers

        number = "+" + found[2:] if region is None and found.startswith("00") else found
        try:
            return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
        except phonenumbers.NumberParseException:
            return False


class _Search:
    """The search of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._numbers = Numbers()
        self._subjects = Subjects(SPOKEN_OF, text, _WORDS_BEFORE)

    def length(self, candidate: re.Match[str]) -> int:
        """How many characters of a candidate are a phone."""
        found, kind = candidate[0], candidate.lastgroup
        if _is_dotted_quad(found):
            return 0
        counted = _THOUSANDS.fullmatch(found) is not None
        if kind == "trunk" and not found.isdigit() and not counted:  # nothing else is written like 8 916 123-45-67
            return self._whole(found, "RU", "BY")
        if kind == "international" and found[0] == "+":
            return self._longest(found, None)
        subject = self._subject(candidate.start())
        if kind == "international" and subject == "phone":
            return self._longest(found, None)
        if subject == "other" or (subject is None and (counted or _MONEY.match(self._text, candidate.end()))):
            return 0
        if kind in ("trunk", "grouped"):
            return self._whole(found, "RU", "US")
        if subject != "phone":
            return 0
        if _LOCAL.fullmatch(found):
            return len(found)
        return next((length for region in _HOME if (length := self._longest(found, region))), 0)

    def _whole(self, found: str, *regions: str) -> int:
        return len(found) if self._numbers.exists(found, *regions) else 0

    def _longest(self, found: str, region: str | None) -> int:
        """Length of the longest number at the beginning; a number ends where a group of digits does."""
        ends, digits = list[int](), 0
        for group in _DIGITS.finditer(found):
            digits += group.end() - group.start()
            if digits >= _SHORTEST:
                ends.append(group.end())
        return next((end for end in reversed(ends) if self._numbers.exists(found[:end], region)), 0)

    def _subject(self, start: int) -> str | None:
        """What the words before a number say it is: `phone`, `other` or None."""
        subject = self._subjects.of(start)
        if self._text[start - 1 : start] in ("/", "=", "_") and start:
            part = _PART_OF_A_NAME.search(self._text, max(0, start - _WORDS_BEFORE), start)
            if part is not None and not self._subjects.ends_at(start):
                return "other"
        return subject


def _is_dotted_quad(found: str) -> bool:
    """An IPv4 address or a version; at least one group of a phone is too large for it."""
    parts = found.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)
