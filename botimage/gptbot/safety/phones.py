"""Phone numbers, Russian and international.

Any ten digits could be somebody's phone, so a number must look or be spoken of like one: a leading `+`, a Russian
`8` or `7`, the usual grouping, or a word such as "phone" before it. phonenumbers then says whether it can exist.
"""

from __future__ import annotations

import re

_GAP = r"[ \u00a0\u202f.\-\u2010-\u2013]{0,3}"
_SEP = r"[ \u00a0\u202f.\-\u2010-\u2013]{1,3}"

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

_SPOKEN_OF = re.compile(
    r"(?P<phone>(?:\bтел\b|телефон\w*|мобил\w+|моб\b|\bсотов\w+|\bсот\b|звон\w+|звякн\w+|набер\w+|набра\w+"
    r"|ват?с+ап\w*|вайбер\w*|смс\w*|факс\w*|(?:мой|твой|ваш|наш|его|её|ее) номер|номер\w* для связи"
    r"|\b(?:tele)?phones?\b=?|\btel\b=?|\bcall(?:ing|ed)?\b|\bmobile\b=?|\bcell\b|\bfax\b|whats\s?app|wa\.me/"
    r"|viber|\bsms\b|\btext(?:ed)? (?:me|us|him|her)\b|\b(?:my|your|our|his|her|their) (?:number\b|#)"
    r"|\b(?:reach|ring|dial) )[\s.:]*№?)"
    r"|(?P<other>заказ(?:а|у|ом|е|ы|ов)?\b|\borders?\b|накладн\w+|сч[её]т(?:а|у|ом|е|ов)?\b|договор\w*|contract\w*"
    r"|заявк\w+|обращени\w+|трек\w*|track\w*|посылк\w+|артикул\w*|\bsku\b|\binn\b|\bинн\b|\bкпп\b|\bогрн\w*"
    r"|\bснилс\b|\bбик\b|паспорт\w*|passport\w*|полис\w*|invoice\w*|ticket\w*|билет\w*|\bcase\b|\bserial\b"
    r"|серийн\w+|\bid\b|\bisbn\b|barcode|штрих\w*|\bкод\w*|\bcodes?\b|\bpin\b|account\w*|\bл/с\b|лицев\w+"
    r"|\bмодел\w+|\bmodel\w*|\bpart\b|\bдетал\w+|\bcommit\b|\bbuild\b|[№#]|[a-z]\S*[/=_]$)",
    re.IGNORECASE,
)
_MONEY = re.compile(r"\s?(?:руб|р\.|₽|\$|€|£|usd|eur|rub|тенге|₸|шт\b|кг\b|kg\b|км\b|km\b|%)", re.IGNORECASE)
_THOUSANDS = re.compile(r"[0-9](?:[ \u00a0\u202f.][0-9]{3}){3}")  # 8 045 311 447: nobody groups a phone so
_HOME = ("RU", "US", "GB", "DE", "FR", "UA", "BY")
_WORDS_BEFORE = 40  # characters
_SHORTEST = 7  # digits of a number with its country: +683 7012 of Niue


def redact_phones(text: str) -> str:
    """Replace phone numbers."""
    return _CANDIDATE.sub(_without_phone, text)


def _without_phone(candidate: re.Match[str]) -> str:
    text, found, kind = candidate.string, candidate[0], candidate.lastgroup
    if _is_dotted_quad(found):
        return found
    counted = _THOUSANDS.fullmatch(found) is not None
    if kind == "trunk" and not found.isdigit() and not counted:  # nothing else is written like 8 916 123-45-67
        return _if_exists(found, "RU", "BY")
    subject = _subject(text[max(0, candidate.start() - _WORDS_BEFORE) : candidate.start()])
    if kind == "international" and (found[0] == "+" or subject == "phone"):
        return _longest(found, None)
    if subject == "other" or (subject is None and (counted or _MONEY.match(text, candidate.end()))):
        return found
    if kind in ("trunk", "grouped"):
        return _if_exists(found, "RU", "US")
    if subject != "phone":
        return found
    if _is_local(found):
        return "[phone]"
    return next((short for region in _HOME if (short := _longest(found, region)) != found), found)


def _if_exists(found: str, *regions: str) -> str:
    return "[phone]" if any(_exists(found, region) for region in regions) else found


def _subject(before: str) -> str | None:
    """What the words before a number say it is, the last one counting: `phone`, `other` or None."""
    kinds = [word.lastgroup for word in _SPOKEN_OF.finditer(before.rpartition("\n")[2])]
    return kinds[-1] if kinds else None


def _longest(found: str, region: str | None) -> str:
    """`found` with the longest number at its beginning replaced; a number ends where a group of digits does."""
    ends = [match.end() for match in re.finditer(r"[0-9]+", found)]
    for end in reversed(ends):
        digits = sum(map(str.isdigit, found[:end]))
        if digits < _SHORTEST:
            break
        if _exists(found[:end], region):
            return "[phone]" + found[end:]
    return found


def _exists(found: str, region: str | None) -> bool:
    import phonenumbers

    number = "+" + found[2:] if region is None and found.startswith("00") else found
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _is_local(found: str) -> bool:
    """A number without its area: 123-45-67."""
    return re.fullmatch(rf"[1-9][0-9]{{2}}{_SEP}[0-9]{{2}}{_SEP}[0-9]{{2}}", found) is not None


def _is_dotted_quad(found: str) -> bool:
    """An IPv4 address or a version; at least one group of a phone is too large for it."""
    parts = found.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)
