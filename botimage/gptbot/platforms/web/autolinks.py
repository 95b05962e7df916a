"""Addresses in plain text: `https://…`, `example.org/a`, `a@example.org`. Each run that is looked for is bounded."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 2000
"""Characters of an address: what is longer is no link to click on."""
_TLD: Final = (
    "biz|com|edu|gov|net|org|pro|web|xxx|aero|asia|coop|info|museum|name|shop|app|dev|рф"
    "|a[cdefgilmnoqrstuwxz]|b[abdefghijmnorstvwyz]|c[acdfghiklmnoruvwxyz]|d[ejkmoz]|e[cegrstu]|f[ijkmor]"
    "|g[abdefghilmnpqrstuwy]|h[kmnrtu]|i[delmnoqrst]|j[emop]|k[eghimnprwyz]|l[abcikrstuvy]|m[acdeghklmnopqrstuvwxyz]"
    "|n[acefgilopruz]|om|p[aefghklmnrstwy]|qa|r[eosuw]|s[abcdeghijklmnortuvxyz]|t[cdfghjklmnortvwz]|u[agksyz]"
    "|v[aceginu]|w[fs]|y[et]|z[amw]"
)
_ADDRESS = re.compile(
    rf"https?://[^\s<>\"`|\[\]]{{1,{_LONGEST}}}"
    rf"|(?<![\w.+-])(?P<mail>[\w.+-]{{1,64}}@(?:[\w-]{{1,63}}\.){{1,8}}(?:{_TLD}))(?![\w-])"
    rf"|(?<![\w.@/-])(?P<host>(?:[\w-]{{1,63}}\.){{1,8}}(?:{_TLD})(?![\w-])(?!\.\w))"
    rf"(?::[0-9]{{1,5}})?(?:[/?#][^\s<>\"`|\[\]]{{0,{_LONGEST}}})?",
    re.IGNORECASE,
)
_MAYBE = re.compile(r"[.:@]\w|://")
_BRACKET = re.compile(r"[()]")
_BEHIND: Final = ".,;:!?'…"
"""What ends the sentence, not the address."""


def addresses(text: str) -> list[tuple[int, int, str]]:
    """Where addresses start and end, and what each links to."""
    if _MAYBE.search(text) is None:
        return []
    found: list[tuple[int, int, str]] = []
    for match in _ADDRESS.finditer(text):
        shown = _trimmed(match[0])
        if match["mail"]:
            link = f"mailto:{shown}"
        elif match["host"]:
            link = f"http://{shown}"
        elif shown.partition("://")[2]:
            link = shown
        else:
            continue
        found.append((match.start(), match.start() + len(shown), link))
    return found


def _trimmed(address: str) -> str:
    """The address without the brackets and the sentence's end behind it."""
    opened = 0
    for match in _BRACKET.finditer(address):
        opened += 1 if match[0] == "(" else -1
        if opened < 0:
            address = address[: match.start()]
            break
    return address.rstrip(_BEHIND)
