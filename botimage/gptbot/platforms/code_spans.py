"""Code spans of Markdown (CommonMark 0.31, section 6.1), found in linear time."""

from __future__ import annotations

import re
from collections import defaultdict, deque

_TICKS = re.compile(r"`+")


def code_spans(text: str, start: int = 0, end: int | None = None) -> tuple[list[tuple[int, int]], list[re.Match[str]]]:
    """Where code spans start and end, and the runs of backticks outside them, which nothing closes."""
    runs = list(_TICKS.finditer(text, start, len(text) if end is None else end))
    later: defaultdict[int, deque[int]] = defaultdict(deque)
    for number, run in enumerate(runs):
        later[run.end() - run.start()].append(number)
    spans: list[tuple[int, int]] = []
    unclosed: list[re.Match[str]] = []
    number = 0
    while number < len(runs):
        run = runs[number]
        same = later[run.end() - run.start()]
        while same and same[0] <= number:
            same.popleft()
        if same:
            number = same.popleft()
            spans.append((run.start(), runs[number].end()))
        else:
            unclosed.append(run)
        number += 1
    return spans, unclosed
