"""Cards, IBANs and IP addresses: identifiers that carry their own proof, so that few other numbers pass for them."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from gptbot.safety.shadow import JOINT, Span

_DIGIT_RUN = re.compile(r"(?<![\w+])[0-9]+(?:(?: [.-] |[ \u00a0.-]{1,2})[0-9]+)*(?!\w)")
_DIGITS = re.compile(r"[0-9]+")

# Issuer ranges of ISO/IEC 7812 and the lengths they use: American Express, Diners Club, JCB, Visa, Mastercard, Mir,
# Maestro, Discover, UnionPay.
_CARD = re.compile(
    r"3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|4\d{15}(?:\d{3})?|5[1-5]\d{14}|2[2-7]\d{14}"
    r"|(?:50|5[6-8]|6[0-9])\d{14,17}"
)

_LONGEST_GROUP = 8  # digits of a card that is written in groups; a decimal fraction has more

_CARD_LENGTHS = range(14, 20)
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")

_IBAN = re.compile(
    rf"(?<![A-Za-z0-9])(?P<country>[A-Za-z]{JOINT}{{0,8}}+[A-Za-z]){JOINT}{{0,8}}+[0-9]{JOINT}{{0,8}}+[0-9]"
)
_IBAN_REST = re.compile(rf"(?:{JOINT}{{0,8}}+[A-Za-z0-9]){{11,30}}+")
_LETTERS_OR_DIGITS = re.compile("[A-Za-z0-9]")

_IPV4 = re.compile(r"(?<![\w.-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|[.-]\w)")
# A number of four parts after one of these words is a version or a paragraph, not an address.
_COUNTED_WORD = (
    r"(?:\b(?:v|ver|vers|version|versions|release|build|rev|section|chapter|clause|paragraph|firmware|driver"
    r"|верси[яиюейй]+|верс|релиз\w*|сборк\w+|ревизи\w+|прошивк\w+|драйвер\w*|пункт\w*|пп?|раздел\w*|глав\w+|подпункт\w*)"
    r"\b\.?|§)[ \t:=№]{0,8}"
)
_COUNTED = re.compile(_COUNTED_WORD + r"(?P<major>[0-9]{1,3}\.(?:[0-9]{1,3}\.)?)?", re.IGNORECASE)
_NEAR = 80  # characters
_COUNTED_AFTER = re.compile(r"(?: is| это| —| -)? ?" + _COUNTED_WORD, re.IGNORECASE)
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{0,44}[0-9A-Fa-f])[0-9A-Fa-f:.]{3,45}(?!\w)")
# Global unicast, unique local and link-local (RFC 4291, RFC 4193). `a1::b2` of a program is none of them.
_IPV6_FIRST_GROUP = re.compile(r"(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):", re.IGNORECASE)


def find_cards(text: str) -> Iterator[Span]:
    """Find card numbers: a known issuer, its length, and the check digit of Luhn."""
    for run in _DIGIT_RUN.finditer(text):
        if run.end() - run.start() >= _CARD_LENGTHS[0]:
            groups = [found.span() for found in _DIGITS.finditer(text, *run.span())]
            for first, last in cards_of([text[slice(*group)] for group in groups]):
                yield Span(groups[first][0], groups[last][1], "[card]")


def cards_of(groups: list[str]) -> Iterator[tuple[int, int]]:
    """Which groups of digits in a row are cards: the first and the last group of each."""
    digits, ends, length = "".join(groups), dict[int, int](), 0
    for number, group in enumerate(groups):
        length += len(group)
        ends[length] = number
    at = first = 0
    while first < len(groups):
        last = _card_from(digits, at, ends, groups, first)
        if last is not None:
            yield first, last
        for group in groups[first : (first if last is None else last) + 1]:
            at, first = at + len(group), first + 1


def _card_from(digits: str, at: int, ends: dict[int, int], groups: list[str], first: int) -> int | None:
    for length in _CARD_LENGTHS:
        last = ends.get(at + length)
        if last is not None and is_card(digits[at : at + length]):
            return last if all(len(group) <= _LONGEST_GROUP for group in groups[first + 1 : last + 1]) else None
    return None


def is_card(digits: str) -> bool:
    """Whether issuer, length and check digit (Luhn, ISO/IEC 7812-1) are those of a card; too often asked for stdnum."""
    if _CARD.fullmatch(digits) is None:
        return False
    number = digits.encode()
    total = sum(number[-1::-2]) + sum(number[-2::-2].translate(_DOUBLED)) - 48 * len(number)
    return total % 10 == 0


def find_ibans(text: str) -> Iterator[Span]:
    """Find bank account numbers (ISO 13616): known country, its length and structure, right check digits."""
    at = 0
    while (found := _IBAN.search(text, at)) is not None:
        end = _end_of_iban(text, found)
        if end is None:
            at = found.start() + 2  # the next one may begin within
            continue
        yield Span(found.start(), end, "[iban]")
        at = end


def _end_of_iban(text: str, found: re.Match[str]) -> int | None:
    """The words after an IBAN look like more of it; its country says how long it is."""
    country = found["country"]
    length = _iban_length((country[0] + country[-1]).upper())
    if length is None or (rest := _IBAN_REST.match(text, found.end())) is None:
        return None
    places = [place.start() for place in _LETTERS_OR_DIGITS.finditer(text, found.start(), rest.end())]
    if len(places) < length:
        return None
    end = places[length - 1] + 1
    number = "".join(text[place] for place in places[:length]).upper()
    if text[end : end + 1].isalnum() or int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 != 1:
        return None
    from stdnum import iban

    return end if iban.is_valid(number, check_country=False) else None


@functools.cache
def _iban_lengths() -> dict[str, int]:
    return {}


def _iban_length(country: str) -> int | None:
    """How long the numbers of a country are; None if it has none."""
    known = _iban_lengths()
    if country not in known:
        from stdnum import numdb

        parts = numdb.get("iban").info(country)
        sizes = re.findall("[0-9]+", str(parts[0][1].get("bban", "")))
        known[country] = 4 + sum(map(int, sizes)) if sizes else 0
    return known[country] or None


def find_ips(text: str) -> Iterator[Span]:
    """Find IPv4 addresses. Loopback, netmasks and the like stand for nobody and stay."""
    if "." not in text:
        return
    counted: _Counted | None = None
    for found in _IPV4.finditer(text):
        if _is_somebody(found[0]):
            counted = counted or _Counted(text)
            if not counted.is_counted(found):
                yield Span(*found.span(), "[ip]")


class _Counted:
    """Where the words of a text say that numbers of four parts are versions or paragraphs."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends = set[int]()
        self._majors: dict[str, list[int]] = {}
        for word in _COUNTED.finditer(text):
            major: str | None = word["major"]
            self._ends.add(word.end() if major is None else word.start("major"))
            if major is not None:
                for known in {major, major[: major.index(".") + 1]}:
                    self._majors.setdefault(known, []).append(word.end())

    def is_counted(self, found: re.Match[str]) -> bool:
        """Whether words around say so, or a near relation before is one."""
        text, start = self._text, found.start()
        if start in self._ends or _COUNTED_AFTER.match(text, found.end()):
            return True
        first, second, *_ = found[0].split(".")
        near = self._majors.get(f"{first}.{second}." if len(first) > 1 else f"{first}.", [])
        place = near[bisect_left(near, start) - 1] if near and near[0] < start else start - _NEAR - 1
        return place >= start - _NEAR and "\n" not in text[place:start]


def _is_somebody(found: str) -> bool:
    try:
        address = IPv4Address(found)
    except AddressValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_reserved or address.is_multicast)


def find_ipv6(text: str) -> Iterator[Span]:
    """Find IPv6 addresses; of those in short form such as stand for somebody."""
    if ":" in text:
        for found in _IPV6.finditer(text):
            address = found[0].rstrip(":.")
            if _is_somebodys_ipv6(address):
                yield Span(found.start(), found.start() + len(address), "[ip]")


def _is_somebodys_ipv6(found: str) -> bool:
    try:
        address = IPv6Address(found)
    except AddressValueError:
        return False
    if address.ipv4_mapped is not None:
        return _is_somebody(str(address.ipv4_mapped))
    return "::" not in found or _IPV6_FIRST_GROUP.match(found) is not None
