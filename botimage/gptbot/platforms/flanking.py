"""Emphasis beside Chinese, Japanese and Korean, as their readers expect it.

CommonMark (0.31, section 6.2) takes `**注意：**正文` for no emphasis: no space stands behind the punctuation. Those
languages have none. Here their punctuation is no obstacle on the inner side of emphasis, nor are their letters on the
outer one, as in markdown-cjk-friendly's rules and micromark's and markdown-it's extensions after them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_CJK: Final = (
    "\u1100-\u11ff\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uffee\U0001aff0-\U0001b16f\U00020000-\U0003fffd"
)
"""Scripts without spaces, with Korean, and their wide punctuation."""
_HAS_CJK = re.compile(f"[{_CJK}]")
_BESIDE = re.compile(r"(?<=([^\s*~\\]))(?P<run>\*{1,3}+|~~)(?![*~])(?=(\S))", re.DOTALL)
"""A run of marks with something on both its sides."""


def loosened(text: str, mark: str) -> str:
    """The text with `mark`, a punctuation that stands for nothing, where it has emphasis begin or end."""
    if ("*" not in text and "~~" not in text) or _HAS_CJK.search(text) is None:
        return text

    def part(match: re.Match[str]) -> str:
        before, run, after = match[1], match["run"], match[3]
        if not (_is_cjk(before) or _is_cjk(after)):
            return run
        outside_first, inside_first = _is_punctuation(before), _is_punctuation(after)
        if outside_first == inside_first:
            return run
        return f"{run}{mark}" if outside_first else f"{mark}{run}"

    return _BESIDE.sub(part, text)


def _is_cjk(character: str) -> bool:
    return _HAS_CJK.match(character) is not None


def _is_punctuation(character: str) -> bool:
    """Whether the parser takes a character for punctuation, which symbols are too since CommonMark 0.31."""
    return unicodedata.category(character)[0] in "PS"
