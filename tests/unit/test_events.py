"""Events: one for each change of a condition, and few of one that goes to and fro."""

from __future__ import annotations

from typing import Any

from gptbot_operator.events import Budget, changes

BOT: dict[str, Any] = {"metadata": {"name": "bot", "namespace": "store", "uid": "u"}}


def status(ready: str, reason: str, **others: tuple[str, str]) -> dict[str, Any]:
    conditions = {"Ready": (ready, reason)} | others
    return {"conditions": [{"type": t, "status": s, "reason": r, "message": ""} for t, (s, r) in conditions.items()]}


def told(before: dict[str, Any], after: dict[str, Any], budget: Budget | None = None) -> list[tuple[str, str]]:
    return [(e["type"], e["reason"]) for e in changes(BOT, before, after, "me", budget or Budget())]


def test_a_change_of_status_or_reason_is_one_event() -> None:
    up, away = status("True", "Answering"), status("False", "KeyRefused")
    assert told({}, up) == [], "well from the start"
    assert told({}, away) == [("Warning", "KeyRefused")]
    assert told(up, up) == []
    assert told(up, away) == [("Warning", "KeyRefused")]
    assert told(away, status("False", "QuotaSpent")) == [("Warning", "QuotaSpent")]
    done, stuck = status("True", "Answering", Progressing=("False", "Complete")), ("False", "ImagePullBackOff")
    assert told({}, done) == []
    assert told(done, status("True", "Answering", Progressing=stuck)) == [("Warning", "ImagePullBackOff")]
    assert told(status("True", "Answering", Progressing=stuck), done) == [("Normal", "Complete")]


def test_a_condition_that_goes_to_and_fro_is_told_of_now_and_then() -> None:
    now = 0.0
    budget = Budget(burst=5, refill=300.0, clock=lambda: now)
    states = [status("True", "Answering"), status("False", "TooSlow")]
    events = 0
    for look in range(240):  # an hour of looks, 15 s apart
        now = look * 15.0
        events += len(told(states[look % 2], states[(look + 1) % 2], budget))
    assert events == 5 + 3585 // 300
    calm = status("True", "Answering", ModelReachable=("True", "Answering"))
    away = status("True", "Answering", ModelReachable=("False", "TooSlow"))
    assert told(calm, away, budget) == [("Warning", "TooSlow")], "another condition has its own"
