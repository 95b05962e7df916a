"""What the redaction finds and what it takes for personal data by mistake: `python -m tests.safety.corpus`."""

from __future__ import annotations

import sys

from tests.safety.corpus.measure import MOST_FALSE_ALARMS, SEEDS, WORST_RECALL, measure

if __name__ == "__main__":
    result = measure(SEEDS)
    for name, share in sorted(result.by_kind.items()):
        print(f"recall of {name:9} {share:.3f}")
    for line in result.faults:
        print(line)
    print(f"sentences: {result.sentences}, {result.clean} of them without personal data; drawn {len(SEEDS)} times")
    print(f"recall: {result.recall:.4f} (at least {WORST_RECALL})")
    print(f"false alarms: {result.false_alarms:.4f} (at most {MOST_FALSE_ALARMS})")
    sys.exit(result.recall < WORST_RECALL or result.false_alarms > MOST_FALSE_ALARMS)
