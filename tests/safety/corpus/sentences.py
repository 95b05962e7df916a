"""The sentences with their values put in, and where those are."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.safety.corpus.values import VALUES

_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One labelled sentence."""

    language: str
    text: str
    values: tuple[tuple[str, str], ...]
    """The kind and the text of each piece of personal data in it."""


def sentences(seed: int) -> Iterator[Sentence]:
    """All sentences, with the values that the seed draws; `\\n` in a file is a line break, `\\t` a tab."""
    chance = random.Random(seed)
    for path in sorted(Path(__file__).parent.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield _filled(path.stem.rpartition(".")[2], line.replace("\\n", "\n").replace("\\t", "\t"), chance)


def _filled(language: str, line: str, chance: random.Random) -> Sentence:
    values: list[tuple[str, str]] = []

    def fill(place: re.Match[str]) -> str:
        kind, make = VALUES[place[1]]
        values.append((kind, make(chance)))
        return values[-1][1]

    text = _PLACE.sub(fill, line)
    return Sentence(language, text, tuple(values))
