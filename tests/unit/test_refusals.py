"""How often what is refused is tried, whatever has a bot looked at."""

from __future__ import annotations

from gptbot_operator.refusals import FIRST_PAUSE, LONGEST_PAUSE, Fault, Refusals

SECRET = ("Secret", "shop-gptbot")
SERVICE = ("Service", "shop-web")
FAULT = Fault("Secret shop-gptbot: exceeded quota")


class Clock:
    """Stands until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def tries(refusals: Refusals, clock: Clock, seconds: float, uid: str | None = None) -> list[float]:
    """When a child is tried that is looked at a hundred times a second and refused each time."""
    found: list[float] = []
    start = clock.now
    while clock.now < start + seconds:
        if refusals.held(SECRET, uid) is None:
            found.append(clock.now)
            refusals.note(SECRET, uid, FAULT)
        clock.now += 0.01
    return found


def test_in_its_first_minute_a_child_is_tried_ten_times_at_most_and_then_once_a_minute() -> None:
    for _ in range(20):  # pauses are drawn
        clock = Clock()
        refusals = Refusals(clock)
        assert 6 <= len(tries(refusals, clock, 60)) <= 10
        tries(refusals, clock, 300)
        assert len(tries(refusals, clock, 600)) <= 600 / (LONGEST_PAUSE * 0.8) + 1


def test_another_spec_or_a_child_that_came_or_went_is_tried_at_once() -> None:
    clock = Clock()
    refusals = Refusals(clock)
    refusals.begin(1)
    tries(refusals, clock, 60)
    assert refusals.held(SECRET, None) == FAULT
    refusals.begin(1)
    assert refusals.held(SECRET, None) == FAULT
    assert refusals.held(SECRET, "somebody-else's") is None
    refusals.begin(2)
    assert refusals.held(SECRET, None) is None
    assert refusals.next_in() is None


def test_coming_and_going_does_not_make_the_pause_short_again() -> None:
    clock = Clock()
    refusals = Refusals(clock)
    for number in range(10):
        refusals.note(SECRET, f"u{number}", FAULT)
    clock.now += LONGEST_PAUSE * 0.79
    assert refusals.held(SECRET, "u9") == FAULT


def test_the_next_try_is_the_soonest_of_those_still_refused() -> None:
    clock = Clock()
    refusals = Refusals(clock)
    for _ in range(5):
        refusals.note(SECRET, None, FAULT)
    refusals.note(SERVICE, None, FAULT)
    assert 0 < (refusals.next_in() or 0) <= FIRST_PAUSE * 1.2
    refusals.keep([SECRET])
    assert (refusals.next_in() or 0) > FIRST_PAUSE * 1.2
    clock.now += 1000
    assert refusals.next_in() == 0
    refusals.lift(SECRET)
    assert refusals.next_in() is None
