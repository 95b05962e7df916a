"""E-mail addresses: found from their sign, since what is before it may be long and nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gptbot.safety.shadow import Span

# RFC 5321 limits the local part to 64 octets; what is longer is somebody's all the same.
_LOCAL_BACKWARDS = re.compile(r"[\w.+%'-]{1,128}")
_LONGEST_LOCAL = 128
_LONGEST_DOMAIN = 255
# A domain needs a top level of letters: `react@18.2.0` is a version. Underscores around are emphasis in Markdown.
_DOMAIN = re.compile(
    r"(?:\w(?:[\w-]{0,61}\w)?(?:[ \t]{0,3}+\n?[ \t]{0,3}+)?+\.)+(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,63})(?![^\W_])",
    re.IGNORECASE,
)
_STARTS = re.compile(r"(?<!\w)\w")

_TO_DOMAIN = re.compile(r"[ \t]{0,3}+\n?[ \t]{0,3}+")
"""What may stand between the sign and the domain: a line that was wrapped there."""

_SPACES = " \t\u00a0"
_MOST_SPACES = 3
NO_WORD = re.compile(r"[^\W\d_]{1,64}+[0-9._+][\w.+%'-]{0,127}")  # anna.b, kate1987
SPOKEN_OF = re.compile(r"mail|почт|мыл[оау]\b|ящик|имейл", re.IGNORECASE)
_WORDS_BEFORE = 40  # characters

# As people hide addresses from machines: anna (at) example (dot) org, and in Russian "anna собака example точка ru".
_DOT = r"(?:\.| ?[(\[] ?dot ?[)\]] ?| точка )"
_AT = re.compile(r" ?[(\[] ?(?:at|собака) ?[)\]] ?| собака ", re.IGNORECASE)
_SPELLED_LOCAL_BACKWARDS = re.compile(r"[a-z0-9_.+-]{0,63}[a-z0-9]", re.IGNORECASE | re.ASCII)
_SPELLED_DOMAIN = re.compile(
    rf"[a-z0-9][a-z0-9-]{{0,62}}(?:{_DOT}[a-z0-9-]{{1,63}}){{1,4}}(?!\w)", re.IGNORECASE | re.ASCII
)


def find_emails(text: str) -> Iterator[Span]:
    """Find e-mail addresses (RFC 5321, and RFC 6531 for those not in ASCII)."""
    at = done = 0
    while (at := text.find("@", at)) >= 0:
        span = _around(text, at, done)
        at += 1
        if span is not None:
            yield span
            at = done = span.end


def _around(text: str, at: int, done: int) -> Span | None:
    before = text[max(done, at - _LONGEST_LOCAL - _MOST_SPACES) : at]
    spaces = len(before) - len(before.rstrip(_SPACES))
    end = at - spaces
    local = _LOCAL_BACKWARDS.match(before[::-1], spaces) if spaces <= _MOST_SPACES else None
    domain = None if local is None else _domain(text, at + 1)
    if local is None or domain is None:
        return None
    first = end - (local.end() - spaces)
    start = _STARTS.search(text, first, end)
    begin = first if start is None else start.start()
    if text[begin:end].lower() == "git" or (spaces and not _is_local(text, begin, end)):
        return None
    return Span(begin, domain.end(), "[email]")


def _domain(text: str, start: int) -> re.Match[str] | None:
    begins = _TO_DOMAIN.match(text, start)
    begin = start if begins is None else begins.end()
    return _DOMAIN.match(text, begin, begin + _LONGEST_DOMAIN)


def _is_local(text: str, begin: int, end: int) -> bool:
    """Whether a word that stands apart from the sign is no word of a sentence, as in `meet us @ example.com`."""
    return (
        NO_WORD.fullmatch(text, begin, end) is not None
        or SPOKEN_OF.search(text, max(0, begin - _WORDS_BEFORE), begin) is not None
    )


def find_spelled(text: str) -> Iterator[Span]:
    """Find e-mail addresses that are spelled out."""
    done = 0
    for sign in _AT.finditer(text):
        before = text[max(done, sign.start() - 64) : sign.start()]
        local = _SPELLED_LOCAL_BACKWARDS.match(before[::-1])
        domain = _SPELLED_DOMAIN.match(text, sign.end())
        if local is not None and domain is not None:
            done = domain.end()
            yield Span(sign.start() - local.end(), done, "[email]")
