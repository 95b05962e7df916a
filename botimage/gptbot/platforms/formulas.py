r"""Formulas in TeX, as models write them: `\( x \)`, `\[ x \]`, `$$x$$`, `$x$`, `\begin{align}x\end{align}`.

Markdown would take their backslashes. They are shown as written. Whatever draws them has to take what strangers write,
and of the libraries that make MathML, math-core takes time that doubles with each bracket left open (200 ms at 24) and
overflows the stack where much is nested, while latex2mathml costs a gateway 15 MiB and its event loop 150 ms at the
first formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_LONGEST: Final = 4000
"""Characters of a formula."""
_LINE: Final = r"\n(?![ \t>]{0,80}\n)"
"""The end of a line that no blank one follows: that would end the paragraph."""
_BRACKETED: Final = rf"(?:[^`\\\n]|\\[^`()\[\]\n]|\\(?=\n)|{_LINE})++"
"""What stands in brackets, up to the next of them: so no two searches go over the same text."""
_ENVIRONMENT: Final = r"\\begin\{[A-Za-z]{1,20}\*?\}"
_INNER: Final = rf"(?:[^`\\\n]|\\(?!begin\{{|end\{{)[^`\n]|\\(?=\n)|{_LINE})"
_WITHIN: Final = rf"(?:{_INNER}|{_ENVIRONMENT}{_INNER}*+\\end\{{[^{{}}`\n]{{1,21}}\}})*+"
"""What stands in an environment, with others in it that have none themselves."""
_FORMULA = re.compile(
    rf"\\\((?P<round>{_BRACKETED})\\\)|\\\[(?P<square>{_BRACKETED})\\\]|\$\$(?P<double>(?:[^$`\n]|{_LINE})++)\$\$"
    r"|(?<![\w$\\])\$(?=[^\s$])(?P<single>[^$`\n]++)(?<![\s\\])\$(?![\w$])"
    rf"|(?P<environment>{_ENVIRONMENT}{_WITHIN}\\end\{{[^{{}}`\n]{{1,21}}\}})"
    r"|\\[^\w\s]"
)
"""A formula; or an escape, which begins none."""
_OPENING = re.compile(rf"(?P<bracket>\\[(\[])|(?P<dollars>\$\$)|(?P<environment>{_ENVIRONMENT})|\\[^\w\s]")
_CLOSING: Final = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_TEX = re.compile(r"\\[A-Za-z,;:!|{}\\]|[\^_=+<>≤≥≠±×·√∑∫∈→]|\w\s?[-*/]\s?\w")
"""What words and prices do not have."""
_WORD = re.compile(r"[^\W\d_]{3}")
_SYMBOL = re.compile(r"\s*(?:[^\W\d_]{1,2}'{0,3}|[0-9.,]+)\s*")


def replaced(text: str, by: Callable[[str], str]) -> str:
    """The text with `by(formula)` for each formula in it, delimiters and all. Code is not told from other text."""
    if "$" not in text and "\\" not in text:
        return text

    def change(match: re.Match[str]) -> str:
        kind = match.lastgroup
        return by(match[0]) if kind is not None and _is_formula(match, kind) else match[0]

    return _FORMULA.sub(change, text)


def closed(text: str) -> str | None:
    """A text that is still being written with the formula that is open at its end closed; None: there is none."""
    rest = replaced(text, lambda formula: " " * len(formula))
    openings = [match for match in _OPENING.finditer(rest) if match.lastgroup is not None]
    outer = [match for match in openings if match.lastgroup != "environment"] or openings
    if not outer or "`" in (inside := text[outer[-1].end() :]) or _TEX.search(inside[:_LONGEST]) is None:
        return None
    opening = outer[-1][0]
    return text + (_CLOSING.get(opening) or opening.replace("begin", "end", 1))


def _is_formula(match: re.Match[str], kind: str) -> bool:
    r"""Whether it is one, and not two prices, variables of a shell, or brackets that Markdown has escaped."""
    inside = match[kind]
    if len(inside) > _LONGEST:
        return False
    line = match.string.rfind("\n", 0, match.start()) + 1
    if kind == "environment":
        return True
    if kind == "double" and "\n" in inside.strip() and match.string[line : match.start()].strip(" \t>"):
        return False  # a list of prices
    if _TEX.search(inside) is not None:
        return True
    if kind == "round":
        return _WORD.search(inside) is None
    return kind != "square" and _SYMBOL.fullmatch(inside) is not None
