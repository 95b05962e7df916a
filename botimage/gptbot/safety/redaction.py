"""Takes personal data out of a text and leaves a placeholder, such as `[email]`, so that the sentence still reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from gptbot.safety.documents import redact_passports, redact_tax_ids
from gptbot.safety.identifiers import redact_cards, redact_ibans, redact_ips
from gptbot.safety.phones import redact_phones
from gptbot.safety.secrets import redact_secrets

_MAY_HOLD_PERSONAL_DATA = re.compile(
    r"[@0-9]|-----|AKIA|ASIA|passw|pwd|парол|secret|секрет|://|bearer|[(\[] ?at ?[)\]]|собак", re.IGNORECASE
)

# RFC 5321 limits the local part to 64 octets. A domain needs a top level of letters: `react@18.2.0` is a version.
_EMAIL = re.compile(
    r"(?<!\w)(?!git@)\w[\w.+%'-]{0,63}@(?:\w(?:[\w-]{0,61}\w)?\.)+(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,63})(?!\w)",
    re.IGNORECASE,
)


# As people hide addresses from machines: anna (at) example (dot) org, and in Russian "anna собака example точка ru".
_DOT = r"(?:\.| ?[(\[] ?dot ?[)\]] ?| точка )"
_SPELLED = re.compile(
    rf"(?<![\w.])[a-z0-9][a-z0-9_.+-]{{0,63}}(?: ?[(\[] ?(?:at|собака) ?[)\]] ?| собака )"
    rf"[a-z0-9][a-z0-9-]{{0,62}}(?:{_DOT}[a-z0-9-]{{1,63}}){{1,4}}(?!\w)",
    re.IGNORECASE | re.ASCII,
)


def redact_emails(text: str) -> str:
    """Replace e-mail addresses (RFC 5321, and RFC 6531 for those not in ASCII), also those spelled out."""
    if "@" in text:
        text = _EMAIL.sub("[email]", text)
    return _SPELLED.sub("[email]", text)


_KINDS: Mapping[str, Callable[[str], str]] = {
    # In the order in which they run: the digits of an IBAN could be taken for a card, those of a card for a phone.
    "secret": redact_secrets,
    "email": redact_emails,
    "iban": redact_ibans,
    "card": redact_cards,
    "passport": redact_passports,
    "taxid": redact_tax_ids,
    "ip": redact_ips,
    "phone": redact_phones,
}


class Redactor:
    """Redacts the chosen kinds of personal data, as `spec.privacy.redact` names them."""

    def __init__(self, kinds: Iterable[str]) -> None:
        """`kinds` as in `spec.privacy.redact`. Raises ValueError for a kind that there is not."""
        wanted = set(kinds)
        if unknown := wanted - _KINDS.keys():
            raise ValueError(f"cannot redact {', '.join(sorted(unknown))}; there are: {', '.join(_KINDS)}")
        self._steps = tuple(step for kind, step in _KINDS.items() if kind in wanted)

    def redact(self, text: str) -> str:
        """The text with placeholders. Most messages hold nothing that could be any, and come back at once."""
        if _MAY_HOLD_PERSONAL_DATA.search(text) is None:
            return text
        for step in self._steps:
            text = step(text)
        return text
