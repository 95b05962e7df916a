"""What came of the questions: lost, doubled, out of order. Pure functions, so that they can be tested themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_TAG = re.compile(r"\bc\d{3}n\d{5}\b")
_SETTLING = 1.0
"""Seconds around a trouble in which a request under way may have been hit by it."""


def tag(conversation: int, number: int) -> str:
    """The mark of a question, which its answer repeats."""
    return f"c{conversation:03d}n{number:05d}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A message of the bot."""

    id: int
    text: str
    """What it says in the end."""
    at: float
    """When it was sent, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A time in which the outcome of a request could stay unknown."""

    what: str
    begin: float
    end: float

    def hits(self, moment: float) -> bool:
        """Whether a request of that moment may have been hit."""
        return self.begin - _SETTLING <= moment <= self.end + _SETTLING


@dataclass(slots=True)
class Tally:
    """The sums of one platform."""

    questions: int = 0
    lost: list[str] = field(default_factory=list[str])
    """Tags without an answer."""
    doubled: list[str] = field(default_factory=list[str])
    """Tags, once for each message too many; empty for a message that has no tag at all."""
    unexplained: list[str] = field(default_factory=list[str])
    """Of the doubled, those whose first message no trouble was near to."""
    out_of_order: list[str] = field(default_factory=list[str])
    """Tags answered after a later question."""

    def add(self, asked: Sequence[str], answers: Iterable[Answer], troubles: Sequence[Trouble]) -> None:
        """Count one conversation: tags in the order they were asked, and all messages of the bot in it."""
        self.questions += len(asked)
        first: dict[str, Answer] = {}
        before = ""
        for answer in sorted(answers, key=lambda answer: answer.id):
            found = _TAG.search(answer.text)
            name = found.group() if found else ""
            if name and name not in first:
                first[name] = answer
                if name < before:
                    self.out_of_order.append(name)
                before = max(before, name)
                continue
            self.doubled.append(name)
            unknown = first.get(name, answer).at
            if not any(trouble.hits(unknown) for trouble in troubles):
                self.unexplained.append(name)
        self.lost += [name for name in asked if name not in first]


def table(tallies: Mapping[str, Tally]) -> str:
    """As a table for people."""
    lines = [f"{'':<10}{'questions':>10}{'lost':>8}{'doubled':>9}{'(unexplained)':>15}{'out of order':>14}"]
    for name, tally in tallies.items():
        counts = len(tally.lost), len(tally.doubled), len(tally.unexplained), len(tally.out_of_order)
        lost, doubled, unexplained, disordered = counts
        lines.append(f"{name:<10}{tally.questions:>10}{lost:>8}{doubled:>9}{unexplained:>15}{disordered:>14}")
    return "\n".join(lines)
