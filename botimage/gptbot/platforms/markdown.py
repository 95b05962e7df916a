"""Markdown of a model, made safe to parse: no HTML in it, no depth without end, and a budget of events.

The parser is pulldown-cmark (by pyromark), whose time is linear in its input but for one thing: each line is held
against all the containers that are open, so their number is bounded here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from gptbot.platforms.flanking import loosened
from gptbot.platforms.formulas import replaced

if TYPE_CHECKING:
    from pyromark import Options

MOST_EVENTS: Final = 10_000
"""Events of one text: 25 ms to render, and 10 before it to find the last block of one that grows. An ordinary answer
of 32,768 characters has 2,000 to 6,000."""
_DEEPEST: Final = 32
_MARKS: Final = "⸖⸎⸙⁜⁂⁕⸕⸛⹁⹋⹏⹌"
"""Rare characters that Unicode has as punctuation, as `<` is: emphasis beside them means the same."""
_MASKED = re.compile(
    r"\\[^\w\s]"  # an escape, which stays
    r"|<(?=[A-Za-z/!?])"  # what may begin HTML
    r"(?![A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*>|[\w.#$%&'*+=^`{|}~-]+@[\w.-]+>)"  # but is no autolink
    r"(?<!\]\(<)(?<!\]: <)"  # and begins no address
    r"|(?<=://)[^\s<>()\[\]|\"'`\\]+"  # an address that no brackets hold: its underscores are no emphasis
)
_DEEP = re.compile(rf"^(?:[ \t]*(?:>|(?:[*+-]|\d{{1,9}}[.)])(?=[ \t]))){{{_DEEPEST}}}(?=[ \t]*[>*+\d-])", re.MULTILINE)

Event = tuple[Any, dict[str, int]]
"""An event of pulldown-cmark, and where it stands, in bytes of the source."""


class Unrenderable(Exception):
    """A text whose Markdown costs too much to render, or cannot be: it is shown as it is."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text as it is parsed: nothing in it is HTML, and no line opens more than 32 containers at once."""

    text: str
    less: str
    """Stands for `<` where that might begin HTML."""
    underscore: str
    """Stands for `_` inside an address."""
    end: str
    """Stands for nothing: it ends the containers that a line may open, and parts emphasis from its neighbours."""

    formula: str = ""
    """Stands on both sides of the number of a formula, in its place; empty where there are none."""
    formulas: Sequence[str] = ()
    """As they were written."""

    def restore(self, text: str, less: str = "<") -> str:
        """What was written, with `less` for each `<` that was masked."""
        if self.formula and self.formula in text:
            text = "".join(self.formulas[int(part)] if odd else part for odd, part in self.parts(text))
        return text.replace(self.less, less).replace(self.underscore, "_").replace(self.end, "")

    def parts(self, text: str) -> Iterator[tuple[bool, str]]:
        """A masked text in pieces: whether each is the number of a formula."""
        for place, part in enumerate(text.split(self.formula) if self.formula else [text]):
            yield place % 2 == 1, part


def masked(text: str, *, formulas: bool = False) -> Source:
    """Mask what a parser would take for HTML, and `formulas` from it altogether.

    Raises Unrenderable for a text that has all of our marks itself.
    """
    free = [mark for mark in _MARKS if mark not in text][:4]
    if len(free) < 4:
        raise Unrenderable("no mark is left")
    less, underscore, end, formula = free
    found: list[str] = []

    def take(written: str) -> str:
        found.append(written)
        return f"{formula}{len(found) - 1}{formula}"

    if formulas:
        text = replaced(text, take)

    def mask(match: re.Match[str]) -> str:
        found = match[0]
        if found == "<":
            return less
        if found[0] == "\\" or "_" not in found:
            return found
        inner = found.rstrip("*_~.,;:!?")
        return inner.replace("_", underscore) + found[len(inner) :]

    plain = loosened(_DEEP.sub(rf"\g<0>{end}", _MASKED.sub(mask, text)), end)
    return Source(plain, less, underscore, end, formula if found else "", found)


def free_mark(text: str) -> str | None:
    """A character that stands nowhere in a text, and counts as punctuation; None where there is none."""
    return next((mark for mark in _MARKS if mark not in text), None)


class Budget:
    """How many events may be taken yet."""

    def __init__(self, most: int = MOST_EVENTS) -> None:
        self.left = most

    def events(self, text: str, options: Options) -> Iterator[Event]:
        """The events of a text, made one by one. Raises Unrenderable when there are too many."""
        import pyromark

        for event in pyromark.events_with_range(text, options=options):
            self.left -= 1
            if self.left < 0:
                raise Unrenderable("too many events")
            yield cast("Event", event)


def without_lone_surrogates(text: str) -> str:
    """Replace what UTF-8 cannot carry: half of a surrogate pair, as a cut JSON escape leaves it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
