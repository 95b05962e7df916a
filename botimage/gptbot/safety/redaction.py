"""Takes personal data out of a text and leaves a placeholder, such as `[email]`, so that the sentence still reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from gptbot.safety import broken, documents, emails, identifiers, joined, phones, secrets
from gptbot.safety.shadow import Span, View, folded

_SIGNS = frozenset("@0123456789&%\\")
_WORDS = (
    "-----", "akia", "asia", "passw", "passp", "pwd", "парол", "secret", "секрет", "://", "bearer",
    "(at", "[at", "( at", "[ at", "собак",
    "sk-", "sk_", "rk_", "pk_", "whsec_", "ghp_", "glpat-", "xox", "aiza", "gocspx", "hf_", "npm_", "dckr_pat",
)  # fmt: skip

_Find = Callable[[str], Iterable[Span]]
_KINDS: Mapping[str, tuple[_Find, ...]] = {
    # In the order in which they run: the digits of an IBAN could be taken for a card, those of a card for a phone.
    "secret": (
        broken.across(secrets.find_marked, broken.is_secret), broken.across(secrets.find_in_headers, broken.is_secret),
        broken.across(secrets.find_keys, broken.is_secret),
        secrets.find_private_keys, secrets.find_in_urls, secrets.find_marked, secrets.find_in_headers,
        secrets.find_in_options, secrets.find_keys, secrets.find_passwords,
    ),
    "email": (broken.across(emails.find_emails, broken.is_email), emails.find_emails, emails.find_spelled),
    "iban": (identifiers.find_ibans,),
    "card": (broken.across(identifiers.find_cards, broken.is_card), identifiers.find_cards, joined.find_joined_cards),
    "passport": (broken.across(documents.find_passports, broken.proven), documents.find_passports),
    "taxid": (
        broken.across(documents.find_inn_spoken_of, broken.proven), broken.across(documents.find_snils, broken.proven),
        documents.find_snils_spoken_of, documents.find_snils, documents.find_inn_spoken_of, documents.find_inn,
        joined.find_joined_tax_numbers,
    ),
    "ip": (
        broken.across(identifiers.find_ipv6, broken.is_ip), broken.across(identifiers.find_ips, broken.is_ip),
        identifiers.find_ipv6, identifiers.find_ips,
    ),
    "phone": (broken.across_wanted(phones.find_phones, broken.is_phone), phones.find_phones, joined.find_joined_phones),
}  # fmt: skip


def _may_hold_personal_data(text: str) -> bool:
    if not _SIGNS.isdisjoint(text):
        return True
    text = text.lower()
    return any(word in text for word in _WORDS)


_AT_ONCE = 1000
"""Characters that are searched on the event loop: 17 ms at most. A longer text is searched beside it, in a thread."""


class Redactor:
    """Redacts the chosen kinds of personal data, as `spec.privacy.redact` names them."""

    def __init__(self, kinds: Iterable[str]) -> None:
        """`kinds` as in `spec.privacy.redact`. Raises ValueError for a kind that there is not."""
        wanted = set(kinds)
        if unknown := wanted - _KINDS.keys():
            raise ValueError(f"cannot redact {', '.join(sorted(unknown))}; there are: {', '.join(_KINDS)}")
        self._steps = tuple(step for kind, steps in _KINDS.items() if kind in wanted for step in steps)

    def redact(self, text: str) -> str:
        """The text with placeholders. Most messages hold nothing that could be any, and come back at once."""
        if not _may_hold_personal_data(folded(text)):
            return text
        view = View(text)
        for find in self._steps:
            view.replace(find(view.text))
        return view.result()

    async def redact_any(self, text: str) -> str:
        """As `redact`, of a text of any allowed length: a long one does not hold the event loop up."""
        return self.redact(text) if len(text) <= _AT_ONCE else await asyncio.to_thread(self.redact, text)
