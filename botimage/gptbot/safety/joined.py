"""Numbers whose groups are joined as no number is written: by tabs, line breaks, underscores, slashes.

Columns of a table, dates and paths look alike, so a number has to be the whole of what is joined, or all of what is
joined in one way, and to carry a proof.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gptbot.safety.documents import is_snils
from gptbot.safety.identifiers import is_card
from gptbot.safety.phones import SPOKEN_OF, Numbers
from gptbot.safety.shadow import Span
from gptbot.safety.subjects import Subjects

_JOINT = r"[ \u00a0\u202f\t\n_/\\|·•∙⋅~.()\-\u2010-\u2013]"
_RUN = re.compile(rf"(?<![^\W_])(?<![^\W_]_)\+?[0-9]++(?:{_JOINT}{{1,6}}+[0-9]++)*+(?![^\W_])")
_ODD = re.compile(r"[0-9 ][\t\n_/\\|·•∙⋅~]|[0-9][ \-]{4}|_[+0-9]|--")
_GROUP = re.compile("[0-9]+")
_DIGITS = range(10, 20)
_WORDS_BEFORE = 40  # characters

_IsOne = Callable[[str, list[str], str | None], bool]


def find_joined_cards(text: str) -> Iterator[Span]:
    """Find card numbers: issuer, length and check digit hold."""
    return _find(text, "[card]", lambda _, groups, __: is_card("".join(groups)))


def find_joined_snils(text: str) -> Iterator[Span]:
    """Find SNILS: grouped as they are, and the check digits hold."""
    return _find(
        text, "[taxid]", lambda _, groups, __: [*map(len, groups)] == [3, 3, 3, 2] and is_snils("".join(groups))
    )


def find_joined_phones(text: str) -> Iterator[Span]:
    """Find phones: with their country, with the trunk digit of Russia, or spoken of."""
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


def _find(text: str, label: str, is_one: _IsOne) -> Iterator[Span]:
    if _ODD.search(text) is None:
        return
    subjects = Subjects(SPOKEN_OF, text, _WORDS_BEFORE)
    for run in _RUN.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
        subject: str | None = None
        for first, last in _parts(text, groups):
            start = run.start() if first == 0 else groups[first][0]
            end = groups[last][1]
            digits = [text[slice(*group)] for group in groups[first : last + 1]]
            if sum(map(len, digits)) not in _DIGITS:
                continue
            subject = subject or subjects.of(run.start())
            if is_one(text[start:end], digits, subject):
                yield Span(start, end, label)
                if first == 0 and last == len(groups) - 1:
                    break


def _parts(text: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """All groups of a run, then those in a row that are joined in the same way."""
    last = len(groups) - 1
    yield 0, last
    first = 0
    for number in range(1, last + 1):
        joint = text[groups[number - 1][1] : groups[number][0]]
        before = text[groups[first][1] : groups[first + 1][0]] if number > first + 1 else joint
        if joint != before:
            yield first, number - 1
            first = number
    if first:
        yield first, last
