"""The redaction, measured on labelled sentences: `python -m tests.safety.corpus` prints the figures."""

from __future__ import annotations

from tests.safety.corpus.measure import MOST_FALSE_ALARMS, WORST_RECALL, measure


def test_recall_and_false_alarms() -> None:
    result = measure(range(3))
    assert result.sentences >= 300
    assert result.clean >= 150
    assert result.recall >= WORST_RECALL, "\n".join(result.faults)
    assert min(result.by_kind.values()) >= WORST_RECALL, result.by_kind
    assert result.false_alarms <= MOST_FALSE_ALARMS, "\n".join(result.faults)
