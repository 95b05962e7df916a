"""Numbers whose groups are joined as no number is written: by tabs, line breaks, underscores, slashes, wide dashes.

Columns of a table, dates and paths look alike, so a number has to be the whole of what is joined, or all of what is
joined in one way, and to carry a proof: its check digits, or the word before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gptbot.safety.documents import SPOKEN_OF_TAX, is_inn, is_snils
from gptbot.safety.identifiers import is_card
from gptbot.safety.phones import SPOKEN_OF, Numbers
from gptbot.safety.shadow import JOINT, Span
from gptbot.safety.subjects import Subjects

_RUN = re.compile(rf"(?<![^\W_])(?<![^\W_]_)\+?[0-9]++(?:{JOINT}{{1,8}}+[0-9]++)*+")
_ODD = re.compile(r"[0-9 .\-][\t\n_/\\|·•∙⋅~*:]|[0-9][ .\-]{3}|_[+0-9]|--|\)\(|(?:[0-9] ){9}")
"""Without any of these other patterns find what there is."""
_GROUP = re.compile("[0-9]+")
_DIGITS = range(10, 20)
_WORDS_BEFORE = 40  # characters
_WHITE = "\u00a0 \t"

_IsOne = Callable[[str, list[str], str | None], bool]


def find_joined_cards(text: str) -> Iterator[Span]:
    """Find card numbers: issuer, length and check digit hold."""
    if _ODD.search(text) is None:
        return iter(())
    return _find(text, "[card]", lambda _, groups, __: is_card("".join(groups)))


def find_joined_tax_numbers(text: str) -> Iterator[Span]:
    """Find SNILS grouped as they are, if the check digits hold or the word is before; INN with both."""

    def is_tax_number(found: str, groups: list[str], subject: str | None) -> bool:
        digits = "".join(groups)
        if len(digits) == 11:
            usual = [*map(len, groups)] == [3, 3, 3, 2] or len(groups) == 11
            return subject == "snils" or (usual and is_snils(digits))
        # One number in ten has the check digit of a company, such as two dates.
        alike = len(digits) == 12 or len({_way(joint) for joint in _GROUP.split(found)[1:-1]}) == 1
        return subject == "inn" and alike and is_inn(digits)

    return _find(text, "[taxid]", is_tax_number, SPOKEN_OF_TAX)


def find_joined_phones(text: str) -> Iterator[Span]:
    """Find phones: with their country, with the trunk digit of Russia, or spoken of."""
    if _ODD.search(text) is None:
        return iter(())
    numbers = Numbers()

    def is_phone(found: str, groups: list[str], subject: str | None) -> bool:
        digits = "".join(groups)
        if found.startswith("+"):
            return len(digits) <= 15 and numbers.exists(f"+{digits}", None)
        if subject == "other" or len(digits) > 15:
            return False
        if len(digits) == 11 and digits[0] in "78" and (len(groups) > 3 or subject == "phone"):
            return numbers.exists(digits, "RU")
        plain = [*map(len, groups)] in ([3, 3, 4], [3, 3, 2, 2]) and "\n" not in found
        return (plain or subject == "phone") and len(digits) == 10 and numbers.exists(digits, "US", "RU")

    return _find(text, "[phone]", is_phone)


def _find(text: str, label: str, is_one: _IsOne, words: re.Pattern[str] = SPOKEN_OF) -> Iterator[Span]:
    subjects = Subjects(words, text, _WORDS_BEFORE)
    for run in _RUN.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
        if text[run.end() : run.end() + 1].isalnum():  # `12_4a`; a pattern that said so would begin again in each group
            groups.pop()
        if not groups:
            continue
        subject: str | None = None
        for first, last in _parts(text, groups):
            start = run.start() if first == 0 else groups[first][0]
            end = groups[last][1]
            digits = [text[slice(*group)] for group in groups[first : last + 1]]
            if sum(map(len, digits)) not in _DIGITS:
                continue
            subject = subject or subjects.of(run.start(), line_above=True)
            if is_one(text[start:end], digits, subject):
                yield Span(start, end, label)
                if first == 0 and last == len(groups) - 1:
                    break


def _parts(text: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """All groups of a run, then those in a row that are joined in the same way."""
    last = len(groups) - 1
    yield 0, last
    first, way = 0, ""
    for number in range(1, last + 1):
        joint = _way(text[groups[number - 1][1] : groups[number][0]])
        if number > first + 1 and joint != way:
            yield first, number - 1
            first = number
        else:
            way = joint
    if first:
        yield first, last


def _way(joint: str) -> str:
    """A joint without the white space around its signs; how much of it there is says nothing."""
    return joint.strip(_WHITE) or joint[:1]
