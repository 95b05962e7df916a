"""Code spans of Markdown (CommonMark 0.31, section 6.1), found in linear time."""

from __future__ import annotations

import re
from collections import defaultdict, deque

_TICKS = re.compile(r"`+")


def code_spans(text: str, start: int = 0, end: int | None = None) -> tuple[list[tuple[int, int]], list[re.Match[str]]]:
    r"""Where code spans start and end, and the runs of backticks outside them, which nothing closes.

    A backtick behind a backslash opens no span; in a span, a backslash means nothing (CommonMark 0.31, section 2.4).
    """
    runs = list(_TICKS.finditer(text, start, len(text) if end is None else end))
    later: defaultdict[int, deque[int]] = defaultdict(deque)
    for number, run in enumerate(runs):
        later[run.end() - run.start()].append(number)
    spans: list[tuple[int, int]] = []
    unclosed: list[re.Match[str]] = []
    number = 0
    while number < len(runs):
        run = runs[number]
        begin = run.start() + _is_escaped(text, run.start(), start)
        same = later[run.end() - begin]
        while same and same[0] <= number:
            same.popleft()
        if same:
            number = same.popleft()
            spans.append((begin, runs[number].end()))
        elif begin < run.end():
            unclosed.append(run)
        number += 1
    return spans, unclosed


def _is_escaped(text: str, place: int, start: int) -> bool:
    first = place
    while first > start and text[first - 1] == "\\":
        first -= 1
    return (place - first) % 2 == 1
