"""Cards, IBANs and IP addresses: identifiers that carry their own proof, so that few other numbers pass for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

_SEPARATOR = r"[ \u00a0\u202f\u2009.\-\u2010-\u2013]"

_DIGIT_RUN = re.compile(rf"(?<![\w+])[0-9]+(?:{_SEPARATOR}{{1,2}}[0-9]+)*(?!\w)")
_DIGITS = re.compile(r"[0-9]+")

# Issuer ranges of ISO/IEC 7812 and the lengths they use: American Express, Diners Club, JCB, Visa, Mastercard, Mir,
# Maestro, Discover, UnionPay.
_CARD = re.compile(
    r"3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|4\d{15}(?:\d{3})?|5[1-5]\d{14}|2[2-7]\d{14}"
    r"|(?:50|5[6-8]|6[0-9])\d{14,17}"
)

_LONGEST_GROUP = 8  # digits of a card that is written in groups; a decimal fraction has more

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ \u00a0\u202f-]?[A-Za-z0-9]){11,30}")
_IBAN_LENGTHS = range(15, 35)  # ISO 13616: Norway has the shortest, 34 is the standard's limit

_IPV4 = re.compile(r"(?<![\w.-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|[.-]\w)")
# A number of four parts after one of these words is a version or a paragraph, not an address.
_COUNTED_WORD = (
    r"(?:\b(?:v|ver|vers|version|versions|release|build|rev|section|chapter|clause|paragraph|firmware|driver"
    r"|верси[яиюейй]+|верс|релиз\w*|сборк\w+|ревизи\w+|прошивк\w+|драйвер\w*|пункт\w*|пп?|раздел\w*|глав\w+|подпункт\w*)"
    r"\b\.?|§)[\s:=№]*"
)
_COUNTED = re.compile(_COUNTED_WORD + "$", re.IGNORECASE)
_COUNTED_AFTER = re.compile(r"(?: is| это| —| -)? ?" + _COUNTED_WORD, re.IGNORECASE)
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*[0-9A-Fa-f])[0-9A-Fa-f:.]{3,45}(?!\w)")
# Global unicast, unique local and link-local (RFC 4291, RFC 4193). `a1::b2` of a program is none of them.
_IPV6_FIRST_GROUP = re.compile(r"(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):", re.IGNORECASE)


def redact_cards(text: str) -> str:
    """Replace card numbers: a known issuer, its length, and the check digit of Luhn."""
    return _DIGIT_RUN.sub(_without_cards, text)


def _without_cards(run: re.Match[str]) -> str:
    if len(run[0]) < 14:
        return run[0]
    groups = [(found.start(), found.end()) for found in _DIGITS.finditer(run[0])]
    kept: list[str] = []
    done = first = 0
    while first < len(groups):
        last = next(_cards_from(run[0], groups, first), None)
        if last is None:
            first += 1
            continue
        kept += [run[0][done : groups[first][0]], "[card]"]
        done, first = groups[last][1], last + 1
    return "".join([*kept, run[0][done:]])


def _cards_from(run: str, groups: list[tuple[int, int]], first: int) -> Iterator[int]:
    """Which groups of digits a card that begins with group `first` ends with."""
    digits = ""
    for last in range(first, len(groups)):
        group = run[slice(*groups[last])]
        digits += group
        if len(digits) > 19 or (last > first and len(group) > _LONGEST_GROUP):
            return
        if len(digits) >= 14 and _CARD.fullmatch(digits) and _luhn(digits):
            yield last


def _luhn(digits: str) -> bool:
    from stdnum import luhn

    return luhn.is_valid(digits)


def redact_ibans(text: str) -> str:
    """Replace bank account numbers (ISO 13616): known country, its length and structure, right check digits."""
    kept: list[str] = []
    done = at = 0
    while (candidate := _IBAN.search(text, at)) is not None:
        end = _end_of_iban(candidate)
        if end is None:
            at = candidate.start() + 4  # the next one may begin within
            continue
        kept += [text[done : candidate.start()], "[iban]"]
        done = at = end
    return "".join([*kept, text[done:]])


def _end_of_iban(candidate: re.Match[str]) -> int | None:
    """The words after an IBAN look like more of it, so try every length; the check digits tell."""
    from stdnum import iban

    found, text = candidate[0], candidate.string
    length = 0
    for end, character in enumerate(found, 1):
        length += character.isalnum()
        whole = not text[candidate.start() + end : candidate.start() + end + 1].isalnum()
        if not (character.isalnum() and whole and length in _IBAN_LENGTHS):
            continue
        if iban.is_valid(_compact(found[:end]), check_country=False):
            return candidate.start() + end
    return None


def _compact(number: str) -> str:
    return "".join(filter(str.isalnum, number)).upper()


def redact_ips(text: str) -> str:
    """Replace IP addresses. Loopback, netmasks and the like stand for nobody and stay."""
    if ":" in text:
        text = _IPV6.sub(_without_ipv6, text)
    return _IPV4.sub(_without_ipv4, text) if "." in text else text


def _without_ipv4(candidate: re.Match[str]) -> str:
    return "[ip]" if _is_somebody(candidate[0]) and not _is_counted(candidate) else candidate[0]


def _is_counted(candidate: re.Match[str]) -> bool:
    """Whether words around say that it is a version or a paragraph, or that a near relation of it is one."""
    text, start = candidate.string, candidate.start()
    before = text[max(0, start - 80) : start].rpartition("\n")[2]
    if _COUNTED.search(before[-24:]) or _COUNTED_AFTER.match(text, candidate.end()):
        return True
    first, second, *_ = candidate[0].split(".")
    major = rf"{first}\.{second}\." if len(first) > 1 else rf"{first}\."
    return re.search(_COUNTED_WORD + major, before, re.IGNORECASE) is not None


def _is_somebody(found: str) -> bool:
    try:
        address = IPv4Address(found)
    except AddressValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_reserved or address.is_multicast)


def _without_ipv6(candidate: re.Match[str]) -> str:
    found = candidate[0].rstrip(":.")
    rest = candidate[0][len(found) :]
    try:
        address = IPv6Address(found)
    except AddressValueError:
        return candidate[0]
    mapped = address.ipv4_mapped
    if mapped is not None:
        return "[ip]" + rest if _is_somebody(str(mapped)) else candidate[0]
    whole = "::" not in found
    return "[ip]" + rest if whole or _IPV6_FIRST_GROUP.match(found) else candidate[0]
