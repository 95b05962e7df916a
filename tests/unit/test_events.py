"""Events: one for each change of a condition, none of what passes by itself, and few of one that goes to and fro."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gptbot_operator.events import Budget, News

BOT: dict[str, Any] = {"metadata": {"name": "bot", "namespace": "store", "uid": "u"}}
GRACE = 60.0


def status(ready: str, reason: str, **others: tuple[str, str]) -> dict[str, Any]:
    conditions = {"Ready": (ready, reason)} | others
    return {"conditions": [{"type": t, "status": s, "reason": r, "message": ""} for t, (s, r) in conditions.items()]}


UP, AWAY = status("True", "Answering"), status("False", "KeyRefused")


class Looks:
    """An operator that looks at one bot now and then."""

    def __init__(self, before: dict[str, Any] | None = None) -> None:
        self.now = 1000.0
        clock = lambda: self.now  # noqa: E731
        self.news = News(Budget(burst=5, refill=300.0, clock=clock), clock)
        self.status = before or {}

    def see(self, after: dict[str, Any], passed: float = 15.0) -> list[tuple[str, str]]:
        """A look, so many seconds after the one before it; type and reason of the Events of it."""
        self.now += passed
        before, self.status = self.status, after
        return [(e["type"], e["reason"]) for e in self.news.changes(BOT, before, after, "me", GRACE)]

    def see_for(self, seconds: float, after: dict[str, Any]) -> list[tuple[str, str]]:
        """Looks with the same outcome."""
        return [event for _ in range(int(seconds // 15)) for event in self.see(after)]


def test_a_change_for_the_better_is_told_at_once_and_one_for_the_worse_when_it_lasts() -> None:
    looks = Looks()
    assert looks.see_for(300, UP) == [], "well from the start"
    assert looks.see_for(60, AWAY) == []
    assert looks.see(AWAY) == [("Warning", "KeyRefused")]
    assert looks.see_for(600, AWAY) == [], "once"
    spent = status("False", "QuotaSpent")
    assert looks.see_for(60, spent) == []
    assert looks.see(spent) == [("Warning", "QuotaSpent")]
    assert looks.see(UP) == [("Normal", "Answering")]


def test_what_passes_within_the_grace_is_not_told_at_all() -> None:
    looks = Looks()
    looks.see(UP)
    for _ in range(20):
        assert looks.see_for(45, AWAY) == []
        assert looks.see(UP) == []
    told = [event for _ in range(20) for event in (*looks.see(AWAY), *looks.see(status("False", "QuotaSpent")))]
    assert told[0] == ("Warning", "KeyRefused"), "it was bad all the time, whatever the reason"


def test_a_normal_first_start_warns_of_nothing() -> None:
    looks = Looks()
    rolling = {"Progressing": ("True", "RollingOut")}
    connected = {"PlatformsConnected": ("True", "Connected")}
    away = {"PlatformsConnected": ("False", "GatewayUnavailable")}
    starting = status("False", "GatewayUnavailable", **away, **rolling)
    events = looks.see(status("False", "SecretsMissing", **away, **rolling))
    events += looks.see_for(1800, starting)  # a large image is pulled
    quiet = {"PlatformsConnected": ("False", "NotReported")}
    events += looks.see_for(45, status("False", "PlatformsDisconnected", **quiet, **rolling))
    events += looks.see(status("Unknown", "NotAskedYet", **connected, **rolling))
    events += looks.see(status("True", "NotAskedYet", **connected, Progressing=("False", "Complete")))
    assert {kind for kind, _ in events} == {"Normal"}
    assert ("Normal", "NotAskedYet") in events


@pytest.mark.parametrize(
    ("reason", "progressing"),
    [
        ("GatewayUnavailable", ("False", "ImagePullBackOff")),
        ("GatewayUnavailable", ("False", "Complete")),
        ("SecretsMissing", ("True", "RollingOut")),
        ("PlatformsDisconnected", ("True", "RollingOut")),
    ],
)
def test_a_start_that_fails_is_told_after_the_grace(reason: str, progressing: tuple[str, str]) -> None:
    looks = Looks()
    starting = status("False", "GatewayUnavailable", Progressing=("True", "RollingOut"))
    assert looks.see_for(600, starting) == []
    failed = status("False", reason, Progressing=progressing)
    assert "Warning" not in dict(looks.see_for(45, failed))
    assert ("Warning", reason) in looks.see_for(30, failed)


def test_a_rollout_that_gets_stuck() -> None:
    looks = Looks()
    done, stuck = status("True", "Answering", Progressing=("False", "Complete")), ("False", "ImagePullBackOff")
    assert looks.see(done) == []
    assert looks.see_for(75, status("True", "Answering", Progressing=stuck)) == [("Warning", "ImagePullBackOff")]
    assert looks.see(done) == [("Normal", "Complete")]


def test_an_operator_that_begins_tells_what_the_one_before_it_could_not() -> None:
    def since(seconds: float) -> dict[str, Any]:
        at = datetime.fromtimestamp(datetime.now(UTC).timestamp() - seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"conditions": [AWAY["conditions"][0] | {"lastTransitionTime": at}]}

    assert Looks(since(3600)).see_for(300, since(3600)) == [], "told long ago"
    young = since(5)
    assert Looks(young).see_for(300, young) == [("Warning", "KeyRefused")]


def test_a_condition_that_goes_to_and_fro_is_told_of_now_and_then() -> None:
    looks = Looks()
    away = status("False", "TooSlow")
    events = [event for _ in range(24) for event in (*looks.see_for(75, UP), *looks.see_for(75, away))]  # an hour
    assert 5 <= len(events) <= 5 + 3600 // 300
    calm = status("True", "Answering", ModelReachable=("True", "Answering"))
    slow = status("True", "Answering", ModelReachable=("False", "TooSlow"))
    looks.see_for(75, calm)
    assert ("Warning", "TooSlow") in looks.see_for(75, slow), "another condition has its own budget"
