"""API keys, tokens and passwords: by the marks their makers give them, or by the name before them."""

from __future__ import annotations

import re

_HINT = re.compile(r"[0-9]|AKIA|ASIA|-----BEGIN|passw|\bpwd|парол|secret|секрет|://|bearer", re.IGNORECASE)

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
    r"-----BEGIN (?P<what>[A-Z ]*PRIVATE KEY)-----.*?(?:-----END (?P=what)-----|\Z)", re.DOTALL
)  # RFC 7468
_IN_URL = re.compile(r"(?<=://)(?P<user>[^\s/@:]*):[^\s/@]+(?=@)")

_PASSWORD = re.compile(
    # A name may be the end of a variable's: DB_PASSWORD; "[secret]" is a placeholder.
    r"(?P<name>(?<![^\W_])(?<!\[)(?:password|passwd|passphrase|pwd|парол(?:ь|я|ю|ем)|secret|секрет"
    r"|(?:pass|пасс?)(?=\s*[:=]|\s+is\b))\b[\"']?"
    r"(?P<sign>\s*(?:is\s*(?=[:=]))?(?::=|[:=—–-]|\bis\b|\bare\b)?\s*)[\"'`«]?)(?P<value>[^\s\"'`»,;]{4,})",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"(?P<name>\b(?:[a-z0-9]+[_-])*(?:api[_ -]?key|key|token|secret|ключ|токен)\b[\"']?\s*(?::=|[:=])\s*[\"'`«]?)"
    r"(?P<value>[A-Za-z0-9_+/=.-]{16,})",
    re.IGNORECASE,
)

_IN_HEADER = re.compile(r"(?P<name>\b(?:bearer|basic)\s+)(?P<value>[A-Za-z0-9_+/=.~-]{16,})", re.IGNORECASE)  # RFC 6750
_IN_OPTION = re.compile(r"(?P<name>\b(?:login|mysql\w*|mariadb|sshpass)\b[^\n]{0,80}?\s-p ?)(?P<value>[^\s\"']{4,})")


def redact_secrets(text: str) -> str:
    """Replace API keys, tokens, private keys and passwords."""
    if _HINT.search(text) is None:
        return text
    if "-----BEGIN" in text:
        text = _PEM.sub("[secret]", text)
    if "://" in text:
        text = _IN_URL.sub(r"\g<user>:[secret]", text)
    text = _MARKED.sub("[secret]", text)
    text = _IN_HEADER.sub(_without_random, text)
    text = _IN_OPTION.sub(_without_random, text)
    text = _KEY.sub(_without_random, text)
    return _PASSWORD.sub(_without_password, text)


def _without_random(found: re.Match[str]) -> str:
    return found["name"] + ("[secret]" if _random(found["value"]) else found["value"])


def _without_password(found: re.Match[str]) -> str:
    """A word after "password:" that ends the line is one; in a sentence it has to look like one."""
    value = found["value"].rstrip(".!?)")
    rest = found["value"][len(value) :]
    signed = found["sign"].strip().endswith((":", "="))
    last = not found.string[found.end() :].partition("\n")[0].strip(" \"'`».,;")
    alone = signed and last and "[" not in value and not found["value"].startswith("//")
    if alone or (_random(value) and len(value) >= 6):
        return f"{found['name']}[secret]{rest}"
    return found[0]


def _random(value: str) -> bool:
    """Whether it mixes letters and digits, as words and numbers do not."""
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))
