"""The line of bots that get new pods: never too many at a time, none while pods fail, all of them in the end."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptbot_operator.waves import Most, Trouble, View, Waves

PAUSE = 30.0
State = Literal["old", "gateway", "between", "worker", "new"]
"""How far a bot's pods are: none is new, the gateway is and does not work yet, works, the workers likewise."""
_NEXT: dict[State, State] = {"gateway": "between", "worker": "new"}


class Fleet:
    """Bots as a cluster shows them, and an operator that looks at them and acts as it is told."""

    def __init__(self, most: str, bots: int) -> None:
        self.most = Most.parse(most)
        self.state: dict[str, State] = {f"ns/{number}": "old" for number in range(bots)}
        self.failing: set[str] = set()
        self.rested: dict[str, float] = {}
        """Bots that work again, and since when an operator knows."""
        self.now = 0.0
        self.begun_while_stopped = 0
        self.paused = False
        self.restart()

    def restart(self) -> None:
        """Another operator leads, and knows what the cluster shows and nothing else."""
        self.waves = Waves(self.most, PAUSE)
        self.waves.paused = self.paused
        for bot in self.state:
            self.waves.put(bot, self.view(bot), self.now)
        self.rested = {bot: self.now for bot, state in self.state.items() if state == "new"}
        self.waves.complete = True

    def view(self, bot: str) -> View:
        state = self.state[bot]
        return View(
            waits=state in ("old", "gateway", "between"), rolls=state in ("gateway", "worker"), fresh=state != "old",
            trouble=Trouble("it ends") if bot in self.failing else None,
        )  # fmt: skip

    def look(self, bot: str) -> None:
        """What the operator does: see, and apply what may be applied."""
        if self.waves.may_go(bot) and (state := self.state[bot]) in ("old", "between"):
            self.begun_while_stopped += self.paused or bool(self.failing)
            self.state[bot] = "gateway" if state == "old" else "worker"
        self.waves.put(bot, self.view(bot), self.now)
        if self.state[bot] == "new":
            self.rested.setdefault(bot, self.now)
        self.waves.begin(self.now)

    def works(self, bot: str) -> None:
        """What Kubernetes does: new pods get ready."""
        if bot not in self.failing:
            self.state[bot] = _NEXT.get(self.state[bot], self.state[bot])

    def taken(self) -> int:
        """Places that are taken: by bots in the middle, and by those that have just come through."""
        middle = sum(state in ("gateway", "between", "worker") for state in self.state.values())
        return middle + sum(self.now - since < PAUSE for since in self.rested.values())


STEPS = st.lists(
    st.tuples(st.sampled_from(["look", "look", "look", "works", "works", "wait", "fail", "mend", "pause", "restart"]),
              st.integers(0, 11)),
    min_size=60,
    max_size=120,
)  # fmt: skip


@given(most=st.sampled_from(["1", "3", "10%", "25%", "100%"]), bots=st.integers(1, 12), steps=STEPS)
@settings(max_examples=60)
def test_never_too_many_at_a_time_and_all_in_the_end(most: str, bots: int, steps: list[tuple[str, int]]) -> None:
    fleet = Fleet(most, bots)
    limit = Most.parse(most).of(bots)
    names = list(fleet.state)
    for what, number in steps:
        bot = names[number % bots]
        before = fleet.taken()
        match what:
            case "look":
                fleet.look(bot)
            case "works":
                fleet.works(bot)
            case "wait":
                fleet.now += PAUSE / 2
            case "fail" if fleet.state[bot] in ("gateway", "worker"):
                fleet.failing.add(bot)
                fleet.look(bot)
            case "mend":
                fleet.failing.discard(bot)
                fleet.look(bot)
            case "pause":
                fleet.paused = fleet.waves.paused = not fleet.paused
            case "restart":
                fleet.restart()
            case _:
                pass
        assert fleet.taken() <= max(limit, before) or what == "restart"
        assert sum(fleet.state[each] in ("gateway", "worker") for each in names) <= limit
        assert not fleet.begun_while_stopped
    fleet.failing.clear()
    fleet.paused = fleet.waves.paused = False
    for _ in range(4 * bots + 4):
        for bot in names:
            fleet.look(bot)
            fleet.works(bot)
        fleet.now += PAUSE
    assert set(fleet.state.values()) == {"new"}
    fleet.look(names[0])
    assert (fleet.waves.count().newest, fleet.waves.left) == (bots, False)


@pytest.mark.parametrize(
    ("text", "bots", "most"), [("10%", 5, 1), ("10%", 25, 2), ("100%", 7, 7), ("3", 100, 3), ("3", 1, 3), ("1%", 0, 1)]
)
def test_how_many(text: str, bots: int, most: int) -> None:
    assert Most.parse(text).of(bots) == most
    assert str(Most.parse(text)) == text


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "-1", "1.5", "ten", "10 %", "1" * 9])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a number from 1 on or a percentage"):
        Most.parse(text)


def test_nothing_is_begun_before_all_bots_are_known() -> None:
    waves = Waves(Most(1), PAUSE)
    waves.put("a", View(waits=True), 0)
    assert waves.begin(0) == []
    waves.put("b", View(waits=True, rolls=True, fresh=True), 0)  # another operator had begun it
    waves.complete = True
    assert waves.begin(0) == []
    waves.put("b", View(fresh=True), 5)
    assert waves.begin(5 + PAUSE - 1) == []
    assert waves.begin(5 + PAUSE) == ["a"]


def test_bots_that_are_down_or_begun_come_first() -> None:
    waves = Waves(Most(1), 0)
    waves.complete = True
    for name, view in (("a", View()), ("b", View(fresh=True)), ("c", View(down=True))):
        waves.put(name, View(waits=True, fresh=view.fresh, down=view.down), 0)
    order: list[str] = []
    for now in range(6):
        order += (begun := waves.begin(now))
        for bot in begun:
            waves.put(bot, View(fresh=True), now)
    assert order == ["c", "b", "a"]


def test_a_bot_that_is_refused_lets_others_go_first_and_stops_nothing() -> None:
    waves = Waves(Most(1), 0)
    waves.complete = True
    for name in ("a", "b"):
        waves.put(name, View(waits=True), 0)
    assert waves.begin(0) == ["a"]
    waves.put("a", View(waits=True), 0)
    waves.refused("a", "exceeded quota", 0, 10)
    assert not waves.stopped
    assert waves.begin(1) == ["b"]
    waves.put("b", View(fresh=True), 1)
    waves.put("a", View(waits=True), 2)
    assert waves.begin(2) == []
    assert waves.count().failed == 1, "it is told for as long as it is so"
    assert waves.begin(10) == ["a"]


def test_what_becomes_of_a_bot_later_holds_up_nobody() -> None:
    waves = Waves(Most(1), 10)
    waves.complete = True
    waves.put("a", View(waits=True), 0)
    waves.put("b", View(waits=True), 0)
    assert waves.begin(0) == ["a"]
    waves.put("a", View(fresh=True), 0)
    assert waves.begin(10) == ["b"]
    waves.put("a", View(rolls=True, fresh=True), 11)
    waves.put("b", View(fresh=True), 11)
    assert waves.begin(30) == []
    assert not waves.left
    waves.put("a", View(rolls=True, fresh=True, trouble=Trouble("it ends again and again")), 31)
    assert waves.halted, "but what ends again and again does"
    waves.leave("a")
    assert not waves.halted
