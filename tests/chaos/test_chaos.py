"""A short run of what `make chaos` does at length."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.run import run
from tests.chaos.tally import table

MESSAGES, KILLS = 240, 6


@pytest.mark.timeout(400)
async def test_nothing_is_lost_doubled_or_out_of_order(tmp_path: Path) -> None:
    outcome = await run(tmp_path, messages=MESSAGES, conversations=42, kills=KILLS, lease=4, patience=180, seed=7)
    assert (outcome.messages, outcome.kills) == (MESSAGES, KILLS)
    assert {trouble.what for trouble in outcome.troubles} == {
        "worker killed", "gateway killed", "worker paused", "gateway paused", "store restarted", "answers lost",
        "telegram cut", "discord cut", "model cut", "store cut", "web cut",
    }  # fmt: skip
    assert set(outcome.tallies) == {"telegram", "discord", "web"}
    assert outcome.repeated > 0
    assert outcome.resumed > 0
    assert sum(tally.merged for tally in outcome.tallies.values()) > 0
    assert not outcome.broken, "\n".join([*outcome.broken, *outcome.histories, table(outcome.tallies)])
