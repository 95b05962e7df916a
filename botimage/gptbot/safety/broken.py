"""Values that are broken in one place by a line end, or by spaces around their signs.

Mail programs wrap lines, scans and copies add spaces. The search looks once more at the text with its line ends taken
out, every other one at a time, and with the spaces around signs taken out. What it finds across such a place has to
look like a value in both of its parts, since lists, tables and sentences end lines too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from gptbot.safety import emails, phones
from gptbot.safety.shadow import Span

# The line of a quoted mail begins with `>`.
_LINE_END = re.compile(r"(?<=\S)[ \t]{0,8}+\n[ \t]{0,8}+(?:> ?){0,3}+(?=\S)")
_SPACED = re.compile(
    r"(?<=[^\W_])(?P<before>[ \t]{0,3}+)[@.:_+-](?P<after>[ \t]{0,3}+)(?=[^\W_])"
    r"|[(+](?P<opened>[ \t]{1,3}+)(?=[0-9])|(?<=[0-9])(?P<closed>[ \t]{1,3}+)\)"
)
_GROUPS = ("before", "after", "opened", "closed")

_SIGNS = "@.-_+"
_COMMON = re.compile(
    r"(?:com|org|net|info|biz|edu|gov|io|dev|app|shop|online|ru|su|рф|by|ua|kz|uk|de|fr|es|pl|nl|cz|ch|se|eu|cn|jp|br|ca|au|co)"
)
"""Top levels of most addresses; after a full stop other short words begin a sentence: `ssh root@server. it hangs`."""
_OF_IP = re.compile(r"\bip\b|address|адрес|server|сервер|\bhost|хост|\bping\b|\bssh\b", re.IGNORECASE)
_LARGE = re.compile(r"(?<![0-9])[0-9]{3}(?![0-9])")
_MORE_GROUPS = re.compile(r"[ \t.-]{1,3}[0-9]{4}(?![0-9])")
_RUSSIAN_OR_AMERICAN = re.compile(r"(?:\+\D{0,4}[17]|[78]|1)?[0-9]{10}")
_NO_DIGITS = re.compile(r"[^0-9+]+")
_REST = re.compile(r"[A-Za-z0-9_+/=.:~-]{6,}")
_DIGIT, _LETTER = re.compile("[0-9]"), re.compile("[A-Za-z]")
_WORDS_BEFORE = 40  # characters

Find = Callable[[str], Iterable[Span]]
Wanted = Callable[[int, int], bool]
"""Whether what begins and ends there is looked for."""


class _Place(NamedTuple):
    """A value found across a place where something was taken out."""

    text: str
    """The text without what was taken out."""
    span: Span
    at: int
    """The first such place within the value."""
    spaces: bool
    """Whether spaces were taken out; else one line end."""

    @property
    def first(self) -> str:
        return self.text[self.span.start : self.at]

    @property
    def second(self) -> str:
        return self.text[self.at : self.span.end]

    @property
    def value(self) -> str:
        return self.text[self.span.start : self.span.end]

    def before(self) -> str:
        return self.text[max(0, self.span.start - _WORDS_BEFORE) : self.span.start]


Accept = Callable[[_Place], bool]


class _Joined:
    """A text without some of its pieces, and where those were."""

    def __init__(self, text: str, pieces: list[tuple[int, int]]) -> None:
        """`pieces` come in order and do not overlap."""
        kept, done, removed = list[str](), 0, 0
        self._places, self._removed = list[int](), list[int]()
        for start, end in pieces:
            kept.append(text[done:start])
            done = end
            self._places.append(start - removed)
            removed += end - start
            self._removed.append(removed)
        self.text = "".join([*kept, text[done:]])

    def crossed(self, start: int, end: int) -> int | None:
        """The first place within these bounds from which something was taken out."""
        number = bisect_right(self._places, start)
        if number == len(self._places) or self._places[number] >= end:
            return None
        return self._places[number]

    def is_crossed(self, start: int, end: int) -> bool:
        """Whether there is such a place."""
        return self.crossed(start, end) is not None

    def original(self, span: Span) -> Span:
        """The span in the text as it was."""
        return Span(self._origin(span.start), self._origin(span.end - 1) + 1, span.label)

    def _origin(self, place: int) -> int:
        number = bisect_right(self._places, place)
        return place + (self._removed[number - 1] if number else 0)


def across(find: Find, accept: Accept) -> Find:
    """A search that finds what `find` does once a text is put together again, where `accept` agrees."""
    return _across(lambda joined: find(joined.text), accept)


def across_wanted(find: Callable[[str, Wanted], Iterable[Span]], accept: Accept) -> Find:
    """As `across`, of a search that is costly for each candidate: it is told which of them can be taken."""
    return _across(lambda joined: find(joined.text, joined.is_crossed), accept)


def _across(find: Callable[[_Joined], Iterable[Span]], accept: Accept) -> Find:
    def search(text: str) -> Iterator[Span]:
        spans = [span for spaces, joined in _views(text) for span in _taken(find(joined), accept, joined, spaces)]
        done = 0
        for span in sorted(spans):
            if span.start >= done:
                done = span.end
                yield span

    return search


def _views(text: str) -> Iterator[tuple[bool, _Joined]]:
    ends = [end.span() for end in _LINE_END.finditer(text)] if "\n" in text else []
    for pieces in (ends[::2], ends[1::2]):
        if pieces:
            yield False, _Joined(text, pieces)
    spaced = [
        sign.span(group) for sign in _SPACED.finditer(text) if _is_apart(text, sign) for group in _GROUPS if sign[group]
    ]
    if spaced:
        yield True, _Joined(text, spaced)


def _is_apart(text: str, sign: re.Match[str]) -> bool:
    """Whether a sign with spaces is no punctuation: `Look. There`, `name: value`."""
    if sign["before"] or sign["after"] is None or text[sign.start()] not in ".:":
        return True
    return text[sign.start() - 1].isdigit() or text[sign.end()].islower()


def _taken(found: Iterable[Span], accept: Accept, joined: _Joined, spaces: bool) -> Iterator[Span]:
    for span in found:
        at = joined.crossed(span.start, span.end)
        if at is not None and accept(_Place(joined.text, span, at, spaces)):
            yield joined.original(span)


def proven(_: _Place) -> bool:
    """Accept: words around or check digits are the proof."""
    return True


def is_card(place: _Place) -> bool:
    """Accept a card that is no part of a table: no further group of its size beside it."""
    before = place.text[max(0, place.span.start - 4) : place.span.start].rstrip(" \t")
    return not before[-1:].isdigit() and _MORE_GROUPS.match(place.text, place.span.end) is None


def is_phone(place: _Place) -> bool:
    """Accept a phone with its country or brackets, one that a hyphen goes on, and one that is spoken of."""
    digits = _NO_DIGITS.sub("", place.value)
    if _RUSSIAN_OR_AMERICAN.fullmatch(digits) is None and place.first[-1:] != "+":
        # Others have no fixed length: what is on the next line may be the next item of a list.
        return len(_NO_DIGITS.sub("", place.first)) < 8 and place.value.startswith("+")
    if place.value[0] in "+(" or "(" in place.value or place.value[place.at - place.span.start - 1] == "-":
        return True
    return place.second[0] == "-" or phones.SPOKEN_OF.search(place.before()) is not None or (
        len(digits) == 11 and digits[0] in "78" and not place.value.isdigit()
    )  # fmt: skip


def is_email(place: _Place) -> bool:
    """Accept an address that is broken at one of its signs, and whose parts are no sentences."""
    local, _, domain = place.value.rpartition("@")
    last, next_ = place.first[-1:], place.second[:1]
    if last not in _SIGNS and next_ not in _SIGNS:
        return False
    common = _COMMON.fullmatch(domain.rpartition(".")[2]) is not None
    sign = place.span.start + len(local)
    if place.at > sign + 1:  # in the domain
        head = place.text[sign + 1 : place.at].rstrip(".")
        whole = "." in head and _COMMON.fullmatch(head.rpartition(".")[2]) is not None
        return common and not whole and place.second[:1] != "@" and place.second == place.second.lower()
    if place.at > sign:  # right behind the sign
        return True
    if place.at == sign or next_ == "@":
        return common and (not place.spaces or _stands_alone(place, local))
    if last == "." or next_ == "-" or (place.spaces and last == "-"):
        return False  # `Write to us.` `- anna@…` `Sales - anna@…`
    return common


def _stands_alone(place: _Place, local: str) -> bool:
    """Whether a word apart from the sign is no word of a sentence, as in `meet us @ example.com`."""
    if emails.NO_WORD.fullmatch(local) is not None or emails.SPOKEN_OF.search(place.before()) is not None:
        return True
    return not place.before().rpartition("\n")[2].strip() and place.text[place.span.end : place.span.end + 1] in (
        "",
        "\n",
    )


def is_ip(place: _Place) -> bool:
    """Accept an address that is no end of a sentence before a number, such as `see 1.2.` and `3.4 Payment` below."""
    if ":" in place.value:
        return place.value.count(":") >= 7 or place.second[:1] == ":" or place.first[-1:] == ":"
    return (
        place.second[:1] == "." or _LARGE.search(place.value) is not None or _OF_IP.search(place.before()) is not None
    )


def is_secret(place: _Place) -> bool:
    """Accept a key whose second part is random, not the next word."""
    rest = place.second.lstrip("_:-")
    return (
        _REST.fullmatch(rest) is not None
        and _DIGIT.search(rest) is not None
        and _LETTER.search(rest) is not None
        and not rest.startswith(("sk-", "ghp_", "xox", "eyJ"))
    )
