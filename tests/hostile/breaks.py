"""Values that a line end or spaces around a sign break in one place, as mail programs, scans and thumbs do it.

`test_broken_values.py` breaks each value at each of its places. A way that cannot be told from an ordinary sentence is
named with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Whole:
    """A value as people write it, in a sentence."""

    kind: str
    """As in `spec.privacy.redact`."""
    text: str
    before: str = "Look: "
    after: str = " ok"
    but: str = "$^"
    """Pattern of the broken forms that look like something else, and stay."""


WHOLE: Mapping[str, Whole] = {
    "e-mail": Whole("email", "ivan.petrov@example.ru", but=r"ivan\.\s"),  # the end of a sentence, and an address
    "e-mail spoken of": Whole("email", "anna@my-firm.example.de", "my e-mail is "),
    "e-mail with plus": Whole("email", "anna+shop@example.com", "Пишите: "),
    "e-mail alone": Whole("email", "anna@example.com", "", ""),
    "phone with country": Whole("phone", "+7 (916) 123-45-67"),
    "phone with country, dots": Whole("phone", "+7.916.123.45.67"),
    "phone of another country": Whole("phone", "+44 20 7946 0958"),
    "phone in one": Whole("phone", "+79161234567"),
    "phone with trunk digit": Whole("phone", "8 (916) 123-45-67", "Звоните "),
    "phone with trunk digit, dashes": Whole("phone", "8-916-123-45-67"),
    "phone with trunk digit in one": Whole("phone", "89161234567", "мой телефон "),
    "phone, American": Whole("phone", "(415) 555-2671"),
    "phone, American, dashes": Whole("phone", "415-555-2671"),
    "phone, American, spoken of": Whole("phone", "415 555 2671", "call me at "),
    "phone spoken of": Whole("phone", "916 123 45 67", "мой телефон "),
    "card": Whole("card", "4111 1111 1111 1111"),
    "card, dashes": Whole("card", "4111-1111-1111-1111"),
    "card in one": Whole("card", "4111111111111111"),
    "card and its date": Whole("card", "4111 1111 1111 1111", "карта ", " 12/26 123"),
    "card and its date below": Whole("card", "5555 5555 5555 4444", "card ", "\n12/26 123"),
    "card after a number": Whole("card", "5555 5555 5555 4444", "order 12 of 2024\n", "\nthanks"),
    "card, American Express": Whole("card", "3782 822463 10005"),
    "IBAN": Whole("iban", "DE89 3704 0044 0532 0130 00"),
    "IBAN in one": Whole("iban", "GB82WEST12345698765432"),
    "IPv4": Whole("ip", "93.184.216.34"),
    "IPv6": Whole("ip", "2001:db8:85a3:1:2:8a2e:370:7334", but="8a2e:  ?370"),  # `: 370` may be a value after a name
    "passport": Whole("passport", "45 10 123456", "Мой паспорт "),
    "passport in two groups": Whole("passport", "4510 123456", "passport: "),
    "passport in one": Whole("passport", "4510123456", "паспорт "),
    "INN": Whole("taxid", "500100732259", "ИНН "),
    "INN of a company": Whole("taxid", "7707083893", "ИНН: "),
    "SNILS": Whole("taxid", "112-233-445 95"),
    "SNILS spoken of": Whole("taxid", "112-233-445 00", "снилс "),
    "key": Whole("secret", "sk-abcdefghijkl0mnopqrstuvwx1234"),
    "key of GitHub": Whole("secret", "ghp_abcdefghijklmnopqrst0123456789ABCDEF"),
    "key of a bot": Whole("secret", "123456789:AAabcdefghijklmnopqrstuvwxyz1234567"),
    "bearer": Whole("secret", "abcdefgh12345678XYZabc0", "Authorization: Bearer "),
}

_LONG = re.compile(r"[A-Za-z0-9]{8,}")


def broken(value: Whole) -> list[str]:
    """A value broken at each of its places in turn."""
    return list(dict.fromkeys(form for form in _forms(value.text) if not re.search(value.but, form)))


def _forms(text: str) -> Iterator[str]:
    for sign in re.finditer(r"[^\w\s]+|_|\s+", text):
        before, found, after = text[: sign.start()], sign[0], text[sign.end() :]
        if found.isspace():
            for end in ("\n", " \n", "\n  ", "\r\n", "\u2028"):
                yield f"{before}{end}{after}"
            continue
        if before:
            for end in ("\n", "\n  "):
                yield f"{before}{end}{found}{after}"
        for end in ("\n", " \n", "\n  "):
            yield f"{before}{found}{end}{after}"
        for spaced in (f" {found}", f"{found} ", f" {found} ", f"  {found}  "):
            yield f"{before}{spaced}{after}".strip()
    yield re.sub(r" ?([^\w\s]) ?", r" \1 ", text).strip()
    for run in _LONG.finditer(text):
        middle = (run.start() + run.end()) // 2
        if text[middle - 1].isalnum() and not text[:middle].isalpha():
            yield f"{text[:middle]}\n{text[middle:]}"
