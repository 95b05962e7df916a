"""A short run of what `make chaos` does at length."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.run import run
from tests.chaos.tally import table

MESSAGES, KILLS = 400, 6


@pytest.mark.timeout(280)
async def test_nothing_is_lost_doubled_or_out_of_order(tmp_path: Path) -> None:
    outcome = await run(tmp_path, messages=MESSAGES, conversations=40, kills=KILLS, lease=4, patience=60, seed=7)
    assert (outcome.messages, outcome.kills) == (MESSAGES, KILLS)
    assert outcome.repeated > 0
    kinds = {trouble.what for trouble in outcome.troubles}
    assert kinds == {
        "worker killed", "gateway killed", "worker paused", "store restarted", "answers lost",
        "telegram cut", "discord cut", "model cut", "store cut",
    }  # fmt: skip
    shown = table(outcome.tallies)
    assert set(outcome.tallies) == {"telegram", "discord"}
    for tally in outcome.tallies.values():
        assert not tally.lost, f"lost: {tally.lost}\n{shown}"
        assert not tally.out_of_order, f"out of order: {tally.out_of_order}\n{shown}"
        assert not tally.unexplained, f"doubled without a reason: {tally.unexplained}\n{shown}"
    assert not outcome.tallies["discord"].doubled, shown
