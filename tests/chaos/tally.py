"""What came of the questions: lost, doubled, out of order. Pure functions, so that they can be tested themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_TAG = re.compile(r"\bc\d{3}n\d{5}\b")
FEW, OF = 2, 6_700
"""So many of so many questions may be answered twice where the platform cannot tell: those that cannot be found."""
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
    """Something that went wrong."""

    what: str
    begin: float
    end: float
    unknown: bool = False
    """Whether it can keep the outcome of a message's first send from the one who sent it."""

    def hides(self, moment: float) -> bool:
        """Whether the outcome of a send of that moment may have become unknown by it."""
        return self.unknown and self.begin - _SETTLING <= moment <= self.end + _SETTLING


@dataclass(slots=True)
class Tally:
    """The sums of one platform."""

    questions: int = 0
    lost: list[str] = field(default_factory=list[str])
    """Tags without an answer."""
    doubled: list[str] = field(default_factory=list[str])
    """Tags, once for each message too many; empty for a message that has no tag at all."""
    unexplained: list[str] = field(default_factory=list[str])
    """Of the doubled, those of which the outcome of the first send cannot have been unknown."""
    out_of_order: list[str] = field(default_factory=list[str])
    """Tags answered after a later question."""
    merged: int = 0
    """Questions answered together with an earlier one."""

    def add(self, asked: Sequence[str], answers: Iterable[Answer], troubles: Sequence[Trouble]) -> None:
        """Count one conversation: tags in the order they were asked, and all messages of the bot in it."""
        self.questions += len(asked)
        first: dict[str, Answer] = {}
        before = ""
        for answer in sorted(answers, key=lambda answer: answer.id):
            names: list[str] = _TAG.findall(answer.text)
            new = [name for name in dict.fromkeys(names) if name not in first]
            self.merged += max(0, len(new) - 1)
            for name in new:
                first[name] = answer
                if name < before:
                    self.out_of_order.append(name)
                before = max(before, name)
            for name in [name for name in dict.fromkeys(names) if name not in new] or ([] if names else [""]):
                self.doubled.append(name)
                sent = first.get(name, answer).at
                if not any(trouble.hides(sent) for trouble in troubles):
                    self.unexplained.append(name)
        self.lost += [name for name in asked if name not in first]

    def broken(self, *, may_double: bool) -> dict[str, list[str]]:
        """The promises that were not kept: what happened, to which tags.

        `may_double`: the platform cannot tell a message sent again, so that a few may be there twice.
        """
        found = {"lost": self.lost, "out of order": self.out_of_order, "doubled without a reason": self.unexplained}
        if len(self.doubled) > (max(FEW, self.questions * FEW // OF) if may_double else 0):
            found["doubled"] = self.doubled
        return {what: tags for what, tags in found.items() if tags}


def table(tallies: Mapping[str, Tally]) -> str:
    """As a table for people."""
    lines = [
        f"{'':<10}{'questions':>10}{'merged':>8}{'lost':>8}{'doubled':>9}{'(unexplained)':>15}{'out of order':>14}"
    ]
    for name, tally in tallies.items():
        lost, doubled, unexplained, disordered = (
            len(tags) for tags in (tally.lost, tally.doubled, tally.unexplained, tally.out_of_order)
        )
        lines.append(
            f"{name:<10}{tally.questions:>10}{tally.merged:>8}{lost:>8}{doubled:>9}{unexplained:>15}{disordered:>14}"
        )
    return "\n".join(lines)
