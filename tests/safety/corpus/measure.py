"""Recall and false alarms of the redaction over the labelled sentences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gptbot.safety.redaction import Redactor
from tests.safety.corpus.sentences import Sentence, sentences
from tests.safety.corpus.values import VALUES

WORST_RECALL = 0.95
MOST_FALSE_ALARMS = 0.02
SEEDS = range(10)
_RUN = 4
_KINDS = sorted({kind for kind, _ in VALUES.values()})
_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(_KINDS)})\]")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measurement found."""

    sentences: int
    clean: int
    """Sentences without personal data."""
    recall: float
    """Share of the values of which nothing is left."""
    by_kind: dict[str, float]
    """The same for each kind and language."""
    false_alarms: float
    """Share of the clean sentences, and of those with values, in which something else was taken out."""
    faults: list[str]
    """A line for each value missed and each false alarm."""


def measure(seeds: Sequence[int]) -> Measured:
    """Redact all sentences with the values of each seed."""
    redactor, faults = Redactor(_KINDS), list[str]()
    there, found = Counter[str](), Counter[str]()
    drawn = alarms = 0
    for seed in seeds:
        for sentence in sentences(seed):
            drawn += 1
            redacted = redactor.redact(sentence.text)
            for kind, value in sentence.values:
                there[f"{kind} {sentence.language}"] += 1
                if _left(value, sentence, redacted):
                    faults.append(f"missed {kind}: {sentence.text}")
                else:
                    found[f"{kind} {sentence.language}"] += 1
            if not _only_values_gone(sentence, redacted):
                alarms += 1
                faults.append(f"too much: {sentence.text} -> {redacted}")
    texts = list(sentences(0))
    return Measured(
        sentences=len(texts),
        clean=sum(not sentence.values for sentence in texts),
        recall=found.total() / there.total(),
        by_kind={name: found[name] / count for name, count in there.items()},
        false_alarms=alarms / drawn,
        faults=faults,
    )


def _left(value: str, sentence: Sentence, redacted: str) -> bool:
    """Whether a run of four characters of the value is still there, besides those that other words have too."""
    around, redacted = sentence.text.replace(value, " "), _PLACEHOLDER.sub(" ", redacted)
    runs = {value[at : at + _RUN] for at in range(max(1, len(value) - _RUN + 1))}
    return any(run in redacted and run not in around for run in runs)


def _only_values_gone(sentence: Sentence, redacted: str) -> bool:
    """Whether all words around the values are still there, in order."""
    place = 0
    rest = sentence.text
    for _, value in sentence.values:
        before, _, rest = rest.partition(value)
        at = redacted.find(before.strip(), place)
        if at < 0:
            return False
        place = at + len(before.strip())
    return redacted.find(rest.strip(), place) >= 0
