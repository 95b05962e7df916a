"""What people say of a rollout on the Lease."""

from __future__ import annotations

import json

import pytest

from gptbot_operator.board import Board
from gptbot_operator.settings import Settings
from gptbot_operator.turns import Turns
from gptbot_operator.workqueue import WorkQueue


@pytest.mark.parametrize(
    ("annotations", "paused", "excused"),
    [
        ({}, False, set()),
        ({"gptbot.dev/rollout": "paused"}, True, set()),
        ({"gptbot.dev/rollout": "true"}, False, set()),
        ({"gptbot.dev/rollout-excused": "0123abcd,89abcdef"}, False, {"0123abcd", "89abcdef"}),
        ({"gptbot.dev/rollout-excused": ",x,0123ABCD,0123abcd0,*,\n"}, False, set()),
    ],
)
def test_orders(annotations: dict[str, str], paused: bool, excused: set[str]) -> None:
    board = Board()
    board.read(annotations)
    assert (board.paused, board.excused) == (paused, excused)
    board.read({})
    assert (board.paused, board.excused) == (False, frozenset())


def test_the_report_is_there_when_there_is_something_to_report() -> None:
    board = Board()
    assert board.written() == {}
    Turns(Settings(image="gptbot:2"), WorkQueue(), board)
    report = json.loads(board.written()["gptbot.dev/rollout-status"])
    assert (report["state"], report["image"], report["maxUnavailableBots"]) == ("starting", "gptbot:2", "10%")
