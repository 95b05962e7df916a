"""API keys, tokens and passwords: by the marks their makers give them, or by the name before them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gptbot.safety.shadow import Span

# Every run that has no bound is possessive (`*+`) or begins where no other match begins: the cost is linear.

_MARKED = re.compile(
    r"(?:(?<![A-Za-z0-9_-])|(?<=/bot))(?:"
    r"sk-[A-Za-z0-9_-]{20,}"  # OpenAI, Anthropic, OpenRouter and others
    r"|(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}"  # Stripe
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}"  # Slack
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}"  # AWS access key id
    r"|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}"  # Google
    r"|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|dckr_pat_[A-Za-z0-9_-]{20,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # JSON Web Token, RFC 7519
    r"|[0-9]{8,10}:[A-Za-z0-9_-]{35}"  # a bot token: number, colon, 35 characters
    r"|[MNO][A-Za-z0-9_-]{23,27}={0,2}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"  # a bot token of three parts
    r")(?![A-Za-z0-9_-])"
)
_PEM = re.compile(
    r"-----BEGIN (?P<what>[A-Z ]{0,32}PRIVATE KEY)-----.*?(?:-----END (?P=what)-----|\Z)", re.DOTALL
)  # RFC 7468
_IN_URL = re.compile(r"(?<=://)(?P<user>[^\s/@:]*+):[^\s/]+(?=@)")

_PASSWORD = re.compile(
    # A name may be the end of a variable's: DB_PASSWORD; "[secret]" is a placeholder.
    r"(?P<name>(?<![^\W_])(?<!\[)(?:password|passwd|passphrase|pwd|парол(?:ь|я|ю|ем)|secret|секрет"
    r"|(?:pass|пасс?)(?=\s{0,8}[:=]|\s{1,8}is\b))\b[\"']?"
    r"(?P<sign>\s*+(?:is\s*+(?=[:=]))?+(?::=|[:=—–-]|\bis\b|\bare\b)?+\s*+)[\"'`«]?)(?P<value>[^\s\"'`»,;]{4,})",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"(?P<name>(?<![^\W_])(?:api[_ -]?key|key|token|secret|ключ|токен)\b[\"']?\s*+(?::=|[:=])\s*+[\"'`«]?)"
    r"(?P<value>[A-Za-z0-9_+/=.-]{16,})",
    re.IGNORECASE,
)

_IN_HEADER = re.compile(
    r"(?P<name>\b(?:bearer|basic)\s++)(?P<value>[A-Za-z0-9_+/=.~-]{16,})", re.IGNORECASE
)  # RFC 6750
_IN_OPTION = re.compile(r"(?P<name>\b(?:login|mysql\w*|mariadb|sshpass)\b[^\n]{0,80}?\s-p ?)(?P<value>[^\s\"']{4,})")


_REST_OF_LINE = re.compile(r"[ \"'`».,;]*+(?:\n|\Z)")
# `value_of_something_long1`, `settings.apiKey`: words and what joins them, as programs name things.
_NAME = re.compile(r"(?:[a-z]{2,24}|[A-Z]{2,24}|[A-Z]?[a-z]{1,24}(?:[A-Z][a-z]{2,24}){0,8})[0-9]{0,2}")
_JOINTS = re.compile(r"[_.-]+")
_DIGIT = re.compile("[0-9]")
_LETTER = re.compile(r"[^\W\d_]")


def find_private_keys(text: str) -> Iterator[Span]:
    """Find private keys in PEM."""
    if "-----BEGIN" in text:
        yield from (Span(*found.span(), "[secret]") for found in _PEM.finditer(text))


def find_in_urls(text: str) -> Iterator[Span]:
    """Find the passwords in URLs."""
    if "://" in text:
        yield from (Span(found.end("user") + 1, found.end(), "[secret]") for found in _IN_URL.finditer(text))


def find_marked(text: str) -> Iterator[Span]:
    """Find what its maker gave a mark."""
    yield from (Span(*found.span(), "[secret]") for found in _MARKED.finditer(text))


def find_in_headers(text: str) -> Iterator[Span]:
    """Find what follows `Bearer` or `Basic`."""
    yield from _random_values(_IN_HEADER, text)


def find_in_options(text: str) -> Iterator[Span]:
    """Find the password in an option `-p`."""
    yield from _random_values(_IN_OPTION, text)


def find_keys(text: str) -> Iterator[Span]:
    """Find what is called a key or a token."""
    return (span for span in _random_values(_KEY, text) if not _is_name(text[span.start : span.end]))


def find_passwords(text: str) -> Iterator[Span]:
    """Find what is called a password: a word that ends the line is one, in a sentence it has to look like one."""
    for found in _PASSWORD.finditer(text):
        value = found["value"].rstrip(".!?)")
        sign = found["sign"].strip()
        alone = sign.endswith((":", "=")) and "[" not in value and not value.startswith("//")
        alone = alone and _REST_OF_LINE.match(text, found.end()) is not None
        named = sign.endswith("=") and found["sign"].endswith(" ") and _is_name(value)
        if not named and (alone or (len(value) >= 6 and _random(value))):
            start = found.start("value")
            yield Span(start, start + len(value), "[secret]")


def _random_values(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    return (Span(*found.span("value"), "[secret]") for found in pattern.finditer(text) if _random(found["value"]))


def _random(value: str) -> bool:
    """Whether it mixes letters and digits, as words and numbers do not."""
    return _DIGIT.search(value) is not None and _LETTER.search(value) is not None


def _is_name(value: str) -> bool:
    """Whether it is a name in a program: at least two words, joined as programs join them."""
    words = _JOINTS.split(value)
    return len(words) > 1 and all(map(_NAME.fullmatch, words))
