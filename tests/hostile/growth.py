"""Whether a function takes linear time: CPU seconds of this thread at n, 2n and 4n characters.

All inputs are tried at n, and those that take long at half of it. Those that take longest, and all that cost much more
than twice what their half does, are measured at 2n and 4n too. Four times the length may cost `MOST_GROWTH` times as
much; what is quadratic costs sixteen times. A machine that is busy can only make a figure larger, so the least of
several runs counts, and what looks too much is measured again before it is said.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.hostile.inputs import Hostile

Call = Callable[[str], object]

MOST_GROWTH = 9.0
"""Between linear (4) and quadratic (16) for four times the length; what grows with n log n stays below."""
_LONG = 0.002
"""Seconds at n: what is quadratic takes 32 ms or less at 4n below it."""
_SUSPICIOUS = 2.25
"""Times as much at n as at half of it: linear is 2, and what reaches `MOST_GROWTH` from n to 4n is at 2.5 here."""
_WORST = 6
_ENOUGH = 4
_AGAIN = 4
_CLOCK = 0.0005
"""Seconds that are added to a figure before it is divided: below them the clock says little."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What one input costs."""

    name: str
    seconds: tuple[float, float, float]
    """At n, 2n and 4n."""

    @property
    def ratio(self) -> float:
        """How many times as much 4n costs as n does."""
        return (self.seconds[2] + _CLOCK) / (self.seconds[0] + _CLOCK)

    def __str__(self) -> str:
        took = ", ".join(f"{1000 * seconds:.1f}" for seconds in self.seconds)
        return f"{self.name}: {took} ms at n, 2n, 4n"


def worst(call: Call, largest: int, inputs: Iterable[Hostile], most: float = MOST_GROWTH) -> list[Growth]:
    """What the most expensive inputs cost, the worst first. `largest`: the 4n, the function's largest allowed size.

    Ends early where many inputs grow more than `most`: an engine that backtracks has hundreds of them.
    """
    small = largest // 4
    found: list[Growth] = []
    others: list[tuple[float, Hostile]] = []
    for item in inputs:
        seconds = _once(call, item.make(small)[:small])
        if seconds <= _LONG or not _looks_steep(call, item, small, seconds):
            others.append((seconds, item))
            continue
        found.append(measured(call, largest, item))
        if sum(growth.ratio > most for growth in found) >= _ENOUGH:
            break
    else:
        others.sort(key=lambda pair: -pair[0])
        found += [measured(call, largest, item) for _, item in others[:_WORST]]
    return sorted(found, key=lambda growth: -growth.seconds[2])


def _looks_steep(call: Call, item: Hostile, size: int, seconds: float) -> bool:
    half = _once(call, item.make(size // 2)[: size // 2])
    return seconds > _SUSPICIOUS * half


def measured(call: Call, largest: int, item: Hostile) -> Growth:
    """The cost of one input; measured again, and the least taken, while it looks like more than linear."""
    sizes = (largest // 4, largest // 2, largest)
    texts = [item.make(size)[:size] for size in sizes]
    best = [_once(call, text) for text in texts]
    for _ in range(_AGAIN):
        growth = Growth(item.name, (best[0], best[1], best[2]))
        if growth.ratio <= MOST_GROWTH or best[2] > 20:
            return growth
        best = [min(before, _once(call, text)) for before, text in zip(best, texts, strict=True)]
    return Growth(item.name, (best[0], best[1], best[2]))


def least(work: Callable[[], object], tries: int = 3, enough: float = 0.0) -> float:
    """CPU seconds of this thread, the least of some tries; after one that takes no longer than `enough` there are none.

    The garbage collector looks through what the work makes, not through all that other tests left.
    """
    found = float("inf")
    gc.freeze()
    try:
        for _ in range(tries):
            started = time.thread_time()
            work()
            found = min(found, time.thread_time() - started)
            if found <= enough:
                break
    finally:
        gc.unfreeze()
    return found


def _once(call: Call, text: str) -> float:
    return least(lambda: call(text), tries=1)
