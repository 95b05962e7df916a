"""What strangers can hold a process up with: the longest stall over all hostile inputs; and what a burst overruns.

Each function that reads what strangers write gets each input at its largest allowed size; an input that looks too long
is measured again, and the least counts. The figure is CPU time of the thread: on the loop, a stall of that length.
"""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks import budget
from benchmarks.results import Target, finish
from tests.hostile.inputs import Hostile
from tests.hostile.readers import Reader, readers

TARGETS = [Target("hostile_longest_stall_ms", 50.0)]
_AGAIN = 4


def main(pairs: int = 200) -> int:
    """Try everything; the exit code. `pairs`: of fragments, at each function."""
    tried, longest = 0, 0.0
    for reader in readers():
        worst, name, count = _worst(reader, pairs)
        print(f"  {reader.name:<24} {1000 * worst:8.1f} ms  {count:6} inputs, the worst: {name}", flush=True)
        tried, longest = tried + count, max(longest, worst)
    stalls = finish({"hostile_longest_stall_ms": 1000 * longest, "hostile_inputs_tried": tried}, TARGETS)
    return max(stalls, budget.main())


def _worst(reader: Reader, pairs: int) -> tuple[float, str, int]:
    worst, name, count = 0.0, "", 0
    for item in reader.hostile(pairs):
        count += 1
        seconds = _seconds(reader, item, at_most=worst)
        if seconds > worst:
            worst, name = seconds, item.name
    return worst, name, count


def _seconds(reader: Reader, item: Hostile, *, at_most: float) -> float:
    """CPU of one call; of what would be the worst so far, the least of several calls."""
    text = item.make(reader.largest)[: reader.largest]
    least = float("inf")
    for _ in range(_AGAIN):
        started = time.thread_time()
        reader.call(text)
        least = min(least, time.thread_time() - started)
        if least <= at_most:
            break
    return least


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200, help="pairs of fragments, at each function")
    sys.exit(main(parser.parse_args().pairs))
