"""Little is done at once; much is gathered."""

from __future__ import annotations

import pytest

from gptbot.inbox.gathering import BUSY, LONGEST, Gathering


def after(rate: float, seconds: float, *, each: int = 1) -> float:
    """How long the next step waits after so many seconds of `rate` commands a second."""
    gathering, now = Gathering(), 100.0
    for _ in range(int(seconds * rate / each)):
        now += each / rate
        gathering.took(each, now)
    return gathering.due - now


def test_the_busier_the_longer_and_never_longer_than_that() -> None:
    waits = [after(rate, 3.0) for rate in (10, 100, 500, BUSY, 10 * BUSY)]
    assert waits == sorted(waits)
    assert waits[0] < LONGEST / 50
    assert waits[2] == pytest.approx(LONGEST / 2, rel=0.05)
    assert waits[-1] == pytest.approx(LONGEST)


def test_a_single_burst_is_no_load() -> None:
    gathering = Gathering()
    gathering.took(30, 100.0)
    assert gathering.due - 100.0 < LONGEST / 10


def test_a_load_is_forgotten() -> None:
    gathering = Gathering()
    gathering.took(10_000, 100.0)
    assert gathering.due == pytest.approx(100.0 + LONGEST)
    gathering.took(1, 101.0)
    assert gathering.due - 101.0 < LONGEST / 100
