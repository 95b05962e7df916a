"""Values that look real and belong to nobody: drawn at random, with check digits that hold."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable

import phonenumbers
from stdnum import luhn
from stdnum.iso7064 import mod_97_10
from stdnum.ru import inn

_NAMES = ("anna", "ivan.petrov", "j.smith", "o_neill", "kate1987", "info", "m.mueller", "shop-support", "x")
_DOMAINS = (
    "example.com",
    "mail.example.org",
    "shop.example.co.uk",
    "example.ru",
    "my-firm.example.de",
    "ex-1.example.io",
)
_ALPHANUMERIC = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choices(string.digits, k=count))


def _text(chance: random.Random, count: int, alphabet: str = _ALPHANUMERIC) -> str:
    return "".join(chance.choices(alphabet, k=count))


def _groups(text: str, *sizes: int, by: str = " ") -> str:
    """`text` in groups; the last size is repeated."""
    parts: list[str] = []
    while text:
        size = sizes[min(len(parts), len(sizes) - 1)]
        parts.append(text[:size])
        text = text[size:]
    return by.join(parts)


def _broken(chance: random.Random, text: str) -> str:
    """`text` with one of its spaces as a line end."""
    words = text.split(" ")
    place = chance.randint(1, len(words) - 1)
    return " ".join(words[:place]) + "\n" + " ".join(words[place:])


def _card(chance: random.Random, prefix: str, length: int = 16) -> str:
    body = prefix + _digits(chance, length - 1 - len(prefix))
    return body + luhn.calc_check_digit(body)


def _iban(chance: random.Random, country: str, bank: str, digits: int) -> str:
    account = bank + _digits(chance, digits)
    return f"{country}{mod_97_10.calc_check_digits(account + country)}{account}"


def _phone(chance: random.Random, pattern: str) -> str:
    """A number of that pattern (`#` is a digit) that exists in its country's numbering plan."""
    while True:
        text = "".join(_digits(chance, 1) if character == "#" else character for character in pattern)
        if phonenumbers.is_valid_number(phonenumbers.parse(text, "RU" if text.startswith("8") else "US")):
            return text


def _inn10(chance: random.Random) -> str:
    body = "77" + _digits(chance, 7)
    return body + inn.calc_company_check_digit(body)


def _inn12(chance: random.Random) -> str:
    body = "50" + _digits(chance, 8)
    return body + inn.calc_personal_check_digits(body)


def _snils(chance: random.Random) -> str:
    """Eleven digits, the last two of them a check sum (Pension Fund order 192p of 2006)."""
    body = str(chance.randint(2, 9)) + _digits(chance, 8)
    total = sum(int(digit) * (9 - place) for place, digit in enumerate(body)) % 101
    return f"{body}{total % 100:02}"


def _jwt(chance: random.Random) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(f'{{"sub":"{_digits(chance, 9)}"}}'.encode()).decode().rstrip("=")
    return f"{head}.{body}.{_text(chance, 43)}"


def _pem(chance: random.Random) -> str:
    body = "\n".join(_text(chance, 64) for _ in range(3))
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"


def _discord(chance: random.Random) -> str:
    user = base64.urlsafe_b64encode(_digits(chance, 18).encode()).decode()
    return f"{user}.G{_text(chance, 5)}.{_text(chance, 38)}"


def _email(chance: random.Random) -> str:
    return f"{chance.choice(_NAMES)}@{chance.choice(_DOMAINS)}"


def _series(chance: random.Random) -> str:
    return f"45{chance.randint(1, 23):02}"


def _bare(phone: str) -> str:
    return phone.removeprefix("+")


def _wide(text: str) -> str:
    """In full-width signs."""
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def _digits_from(text: str, zero: str) -> str:
    """With the digits that follow `zero` in Unicode."""
    return "".join(chr(ord(zero) + int(sign)) if sign in string.digits else sign for sign in text)


_Make = Callable[[random.Random], str]
VALUES: dict[str, tuple[str, _Make]] = {
    "email": ("email", _email),
    "email_plus": ("email", lambda c: f"anna+shop@{c.choice(_DOMAINS)}"),
    "email_sub": ("email", lambda c: f"ivan@mx{c.randint(1, 9)}.mail.example.org"),
    "email_ru": ("email", lambda c: f"почта{c.randint(1, 99)}@пример.рф"),
    "email_upper": ("email", lambda c: _email(c).upper()),
    "email_at": ("email", lambda c: _email(c).replace("@", " (at) ")),
    "email_sobaka": ("email", lambda c: _email(c).replace("@", " собака ")),
    "phone_us_spaces": ("phone", lambda c: _phone(c, "212 7## ####")),
    "phone_us_1": ("phone", lambda c: _phone(c, "1-212-7##-####")),
    "phone_us_run": ("phone", lambda c: _phone(c, "2127######")),
    "phone_ru_loose": ("phone", lambda c: _phone(c, "8 916 ### ## ##")),
    "phone_ru_glued": ("phone", lambda c: _phone(c, "8(916)#######")),
    "phone_ru7": ("phone", lambda c: _bare(_phone(c, "+7916#######"))),
    "phone_ru_dots": ("phone", lambda c: _phone(c, "+7.903.###.##.##")),
    "phone_us": ("phone", lambda c: _phone(c, "(212) 7##-####")),
    "phone_us_plain": ("phone", lambda c: _phone(c, "415-7##-####")),
    "phone_us_dots": ("phone", lambda c: _phone(c, "312.7##.####")),
    "phone_uk": ("phone", lambda c: _phone(c, "+44 20 7### ####")),
    "phone_intl": ("phone", lambda c: _phone(c, "+1415########"[:12])),
    "phone_de": ("phone", lambda c: _phone(c, "+49 30 2#######")),
    "phone_fr": ("phone", lambda c: _phone(c, "+33 6 ## ## ## ##")),
    "phone_ru": ("phone", lambda c: _phone(c, "+7 (916) ###-##-##")),
    "phone_ru8": ("phone", lambda c: _phone(c, "8 (903) ###-##-##")),
    "phone_ru_dashes": ("phone", lambda c: _phone(c, "8-926-###-##-##")),
    "phone_ru_plain": ("phone", lambda c: _phone(c, "+7985#######")),
    "phone_ru8_plain": ("phone", lambda c: _phone(c, "8905#######")),
    "phone_msk": ("phone", lambda c: _phone(c, "8 (495) 7##-##-##")),
    "phone_by": ("phone", lambda c: _phone(c, "+375 29 6##-##-##")),
    "phone_kz": ("phone", lambda c: _phone(c, "+7 727 3##-##-##")),
    "card_plain": ("card", lambda c: _card(c, "4111")),
    "card_spaces": ("card", lambda c: _groups(_card(c, "5469"), 4)),
    "card_dashes": ("card", lambda c: _groups(_card(c, "4276"), 4, by="-")),
    "amex": ("card", lambda c: _groups(_card(c, "3782", 15), 4, 6, 5)),
    "mir": ("card", lambda c: _card(c, "2200")),
    "mir_spaces": ("card", lambda c: _groups(_card(c, "2202"), 4)),
    "iban_de": ("iban", lambda c: _iban(c, "DE", "", 18)),
    "iban_de_spaces": ("iban", lambda c: _groups(_iban(c, "DE", "", 18), 4)),
    "iban_gb": ("iban", lambda c: _iban(c, "GB", "WEST", 14)),
    "iban_gb_spaces": ("iban", lambda c: _groups(_iban(c, "GB", "WEST", 14), 4)),
    "iban_fr_spaces": ("iban", lambda c: _groups(_iban(c, "FR", "", 23), 4)),
    "iban_nl": ("iban", lambda c: _iban(c, "NL", "ABNA", 10)),
    "iban_es": ("iban", lambda c: _iban(c, "ES", "", 20)),
    "iban_pl_spaces": ("iban", lambda c: _groups(_iban(c, "PL", "", 24), 4)),
    "iban_kz": ("iban", lambda c: _iban(c, "KZ", "125KZT", 10)),
    "iban_by": ("iban", lambda c: _iban(c, "BY", "AKBB", 20)),
    "ip4": ("ip", lambda c: ".".join(str(c.randint(first, 223)) for first in (128, 1, 1, 1))),
    "ip6": ("ip", lambda c: "2a02:" + ":".join(_text(c, 4, _HEX) for _ in range(7))),
    "ip6_short": ("ip", lambda c: f"2a00:1450:{_text(c, 4, _HEX)}::{c.randint(1, 99)}"),
    "passport": ("passport", lambda c: f"{_series(c)} {_digits(c, 6)}"),
    "passport_plain": ("passport", lambda c: _series(c) + _digits(c, 6)),
    "passport_spaced": ("passport", lambda c: f"{_groups(_series(c), 2)} {_digits(c, 6)}"),
    "passport_split": ("passport", lambda c: f"{_series(c)} № {_digits(c, 6)}"),
    "passport_intl": ("passport", lambda c: f"75 {_digits(c, 7)}"),
    "passport_lines": ("passport", lambda c: f"{_series(c)} номер {_digits(c, 6)}"),
    "snils_spaces": ("taxid", lambda c: _groups(_snils(c), 3, 3, 3, 2)),
    "inn10": ("taxid", _inn10),
    "inn12": ("taxid", _inn12),
    "snils": ("taxid", lambda c: (s := _snils(c)) and f"{s[:3]}-{s[3:6]}-{s[6:9]} {s[9:]}"),
    "snils_plain": ("taxid", _snils),
    "snils_dashes": ("taxid", lambda c: (s := _snils(c)) and f"{s[:3]}-{s[3:6]}-{s[6:9]}-{s[9:]}"),
    "openai": ("secret", lambda c: "sk-" + _text(c, 48)),
    "openai_proj": ("secret", lambda c: "sk-proj-" + _text(c, 60, _ALPHANUMERIC + "_")),
    "github": ("secret", lambda c: "ghp_" + _text(c, 36)),
    "telegram": ("secret", lambda c: f"{c.randint(10**9, 10**10 - 1)}:AA{_text(c, 33)}"),
    "discord": ("secret", _discord),
    "aws": ("secret", lambda c: "AKIA" + _text(c, 16, string.ascii_uppercase + "234567")),
    "jwt": ("secret", _jwt),
    "slack": ("secret", lambda c: f"xoxb-{_digits(c, 12)}-{_digits(c, 12)}-{_text(c, 24)}"),
    "hexkey": ("secret", lambda c: _text(c, 32, _HEX)),
    "password": ("secret", lambda c: _text(c, 6) + c.choice("!#%") + _digits(c, 4)),
    "google": ("secret", lambda c: "AIza" + _text(c, 35)),
    "stripe": ("secret", lambda c: "sk_live_" + _text(c, 24)),
    "bearer": ("secret", lambda c: _text(c, 40)),
    "gitlab": ("secret", lambda c: "glpat-" + _text(c, 20)),
    "hf": ("secret", lambda c: "hf_" + _text(c, 34)),
    "aws_secret": ("secret", lambda c: _text(c, 40, _ALPHANUMERIC + "/+")),
    "pem": ("secret", _pem),
    "hid_email_wide": ("email", lambda c: _wide(_email(c))),
    "hid_email_dot": ("email", lambda c: _email(c).replace("@", "\uff20").replace(".", "\u3002")),
    "hid_email_joiner": ("email", lambda c: _email(c).replace("@", "\u200d@\u00ad")),
    "hid_email_html": ("email", lambda c: _email(c).replace("@", "&#64;")),
    "hid_email_url": ("email", lambda c: _email(c).replace("@", "%40")),
    "hid_email_json": ("email", lambda c: _email(c).replace("@", "\\u0040")),
    "hid_phone_wide": ("phone", lambda c: _wide(_phone(c, "+7985#######"))),
    "hid_phone_arabic": ("phone", lambda c: _digits_from(_phone(c, "+7 916 ###-##-##"), "\u0660")),
    "hid_phone_tabs": ("phone", lambda c: _phone(c, "8 916 ### ## ##").replace(" ", "\t")),
    "hid_phone_lines": ("phone", lambda c: _phone(c, "+7 916 ### ## ##").replace(" ", "\n")),
    "hid_phone_under": ("phone", lambda c: _phone(c, "+7 916 ### ## ##").replace(" ", "_")),
    "hid_phone_slashes": ("phone", lambda c: _phone(c, "8 916 ### ## ##").replace(" ", "/")),
    "hid_phone_dashes": ("phone", lambda c: _phone(c, "8 916 ### ## ##").replace(" ", "\u2014")),
    "hid_phone_us": ("phone", lambda c: _phone(c, "212 7## ####").replace(" ", "_")),
    "hid_card_math": ("card", lambda c: _digits_from(_groups(_card(c, "4111"), 4), "\U0001d7ce")),
    "hid_card_soft": ("card", lambda c: _groups(_card(c, "5469"), 4, by="\u00ad")),
    "hid_card_under": ("card", lambda c: _groups(_card(c, "4276"), 4, by="_")),
    "hid_card_slashes": ("card", lambda c: _groups(_card(c, "2200"), 4, by="/")),
    "hid_card_lines": ("card", lambda c: _groups(_card(c, "4276"), 4, by="\n")),
    "hid_card_minus": ("card", lambda c: _groups(_card(c, "4276"), 4, by="\u2212")),
    "hid_iban_under": ("iban", lambda c: _groups(_iban(c, "DE", "", 18), 4, by="_")),
    "hid_iban_tabs": ("iban", lambda c: _groups(_iban(c, "GB", "WEST", 14), 4, by="\t")),
    "hid_ip_dot": ("ip", lambda c: ".".join(str(c.randint(first, 223)) for first in (128, 1, 1, 1)).replace(".", "。")),
    "hid_key_wide": ("secret", lambda c: _wide("sk-" + _text(c, 48))),
    "hid_card_spaced": ("card", lambda c: _groups(_card(c, "4276"), 4, by=" - ")),
    "hid_card_dashes": ("card", lambda c: _groups(_card(c, "4276"), 4, by=" \u2013 ")),
    "hid_card_wide": ("card", lambda c: _groups(_card(c, "5469"), 4, by="   ")),
    "hid_card_shy": ("card", lambda c: _groups(_card(c, "2200"), 4, by="&shy;")),
    "hid_email_shy": ("email", lambda c: _email(c).replace("@", "@&#8203;").replace("e", "e&#173;")),
    "hid_email_lines": ("email", lambda c: _email(c).replace("@", "@\n")),
    "hid_email_zeros": ("email", lambda c: _email(c).replace("@", "&#00000064;")),
    "hid_key_dash": ("secret", lambda c: "sk\u2011" + _text(c, 48)),
    "hid_passport_spaced": ("passport", lambda c: f"{_groups(_series(c), 2, by=' - ')} - {_digits(c, 6)}"),
    "hid_passport_under": ("passport", lambda c: f"{_groups(_series(c), 2, by='_')}_{_digits(c, 6)}"),
    "hid_passport_slashes": ("passport", lambda c: f"{_groups(_series(c), 2, by='/')}/{_digits(c, 6)}"),
    "hid_passport_lines": ("passport", lambda c: f"{_groups(_series(c), 2)}\n{_digits(c, 6)}"),
    "hid_inn_dashes": ("taxid", lambda c: _groups(_inn12(c), 4, by="-")),
    "hid_inn_under": ("taxid", lambda c: _groups(_inn12(c), 4, by="_")),
    "hid_inn_lines": ("taxid", lambda c: _groups(_inn10(c), 4, by="\n")),
    "brk_card": ("card", lambda c: _broken(c, _groups(_card(c, "4276"), 4))),
    "brk_card_dash": ("card", lambda c: _groups(_card(c, "2202"), 4, by="-").replace("-", "-\n", 1)),
    "brk_phone": ("phone", lambda c: _broken(c, _phone(c, "+7 (916) ###-##-##"))),
    "brk_phone_us": ("phone", lambda c: _phone(c, "(212) 7##-####").replace(" ", "\n")),
    "brk_phone_ru8": ("phone", lambda c: _broken(c, _phone(c, "8 (903) ###-##-##"))),
    "brk_phone_quoted": ("phone", lambda c: _phone(c, "+7 (916) ###-##-##").replace(" ", "\n> ", 1)),
    "brk_email": ("email", lambda c: _email(c).replace("@", "\n@")),
    "brk_email_at": ("email", lambda c: _email(c).replace("@", " @ ")),
    "brk_email_spaces": ("email", lambda c: _email(c).replace("@", " @ ").replace(".", " . ")),
    "brk_ip": ("ip", lambda c: ".".join(str(c.randint(first, 223)) for first in (128, 1, 1, 1)).replace(".", ".\n", 1)),
    "brk_key": ("secret", lambda c: (key := "sk-" + _text(c, 48)) and f"{key[:24]}\n{key[24:]}"),
    "hid_snils_slashes": ("taxid", lambda c: _groups(_snils(c), 3, 3, 3, 2, by="/")),
}
"""Name in the sentences → kind of `spec.privacy.redact`, and what makes a value."""
