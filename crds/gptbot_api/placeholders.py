"""Values of Secrets that nobody has filled in yet, or not as they were meant. What is said repeats nothing."""

from __future__ import annotations

import re

_TEMPLATES = {
    re.compile(r"\$\{[^{}\n]{1,200}\}"): "a variable that nothing has put in: gptbot and kubectl do not; envsubst does",
    re.compile(r"\$[A-Z_][A-Z0-9_]{1,100}"): "a variable that nothing has put in: gptbot and kubectl do not",
    re.compile(r"\{\{[^{}\n]{1,200}\}\}"): "a template that nothing has filled in: helm does, in a chart",
    re.compile(r"%[A-Z_][A-Z0-9_]{1,100}%"): "a variable that nothing has put in",
}
_STANDS_FOR = re.compile(
    r"put[-_ ](?:the|your|a|my|here)\b.{0,200}"
    r"|(?:your|my|the|insert|enter|paste|add)[-_ ].{0,100}(?:token|key|secret|password|here).{0,60}"
    r"|<[^<>\n]{1,100}>|\[[^\[\]\n]{1,100}\]"
    r"|(?:change|replace|fill)[-_ ]?(?:me|this|it|in)(?:[-_ .!].{0,60})?"
    r"|(?:todo|tbd|fixme|placeholder|null|none|undefined|redacted)"
    r"|(?:[x*.]{3,100}|sk-(?:proj-)?[x.*]{3,100}|sk-\.\.\.)",
    re.IGNORECASE | re.DOTALL,
)
PASSWORD = ".passwordSecretRef"  # noqa: S105 - name of a field
"""What fields end with whose value is a password: whatever people like may be one."""
LONGEST = 512
"""Characters; a longer value stands for nothing else."""


def unfilled(value: str) -> str | None:
    """What a value is in place of the secret that belongs there, and what to do; None: it may be one."""
    text = value.strip()
    if not text:
        return "is empty: put the value there"
    if len(text) > LONGEST:
        return None
    for pattern, what in _TEMPLATES.items():
        if pattern.fullmatch(text):
            return f"is {what}: put the value itself there"
    if _STANDS_FOR.fullmatch(text):
        return "is still what stands for the value in an example: put the value itself there"
    return None


def misshapen(value: str) -> str | None:
    """What is wrong with the form of a token or key, which has no white space inside; None: nothing."""
    text = value.strip()
    if text.lower().startswith(("bearer ", "bot ", "authorization:")):
        return "begins with the word that goes before it in a header: take that out"
    if any(ord(sign) < 32 or ord(sign) == 127 or sign.isspace() for sign in text):
        return "has white space or a line end inside, which no token or key has: copy it anew"
    if not text.isascii():
        return "has signs beyond ASCII, which no token or key has: copy it anew"
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        return "stands between quotes, which are a part of it then: take them out"
    return None
