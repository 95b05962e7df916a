"""What part of a conversation people mean, as they write it in English and in Russian."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from gptbot.conversation.arguments import Period, duration, period

HOUR = 3600.0


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("100", 100), ("1", 1), ("100 messages", 100), ("last 20", 20),
        ("the last 20 messages", 20), ("100 сообщений", 100),
        ("последние 30 сообщений", 30), ("за последние 2 сообщения", 2), ("Последние 50", 50),
    ],
)  # fmt: skip
def test_so_many_messages(text: str, count: int) -> None:
    assert period(text) == Period(messages=count)


@pytest.mark.parametrize(
    "text",
    [
        "me",
        "since me",
        "mine",
        "my last",
        "since my last message",
        "с моего последнего сообщения",
        "меня",
        "с меня",
        "с моего",
    ],
)
def test_since_the_callers_own(text: str) -> None:
    assert period(text) == Period(mine=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h", 2 * HOUR), ("2 h", 2 * HOUR), ("last 2 hours", 2 * HOUR), ("2 hours ago", 2 * HOUR), ("hour", HOUR),
        ("90 min", 1.5 * HOUR), ("3d", 72 * HOUR), ("past day", 24 * HOUR), ("2ч", 2 * HOUR), ("2 ч", 2 * HOUR),
        ("2 ч.", 2 * HOUR), ("за 2 часа", 2 * HOUR), ("за последние 3 дня", 72 * HOUR), ("за час", HOUR),
        ("2 часа назад", 2 * HOUR), ("30 минут", 0.5 * HOUR), ("30 с", 30),
        ("week", 168 * HOUR), ("last 2 weeks", 336 * HOUR), ("за последнюю неделю", 168 * HOUR),
        ("за сутки", 24 * HOUR),
    ],
)  # fmt: skip
def test_a_length_of_time(text: str, seconds: float) -> None:
    found = period(text)
    assert found is not None
    assert found.since == pytest.approx(time.time() - seconds, abs=5)
    assert (found.messages, found.mine) == (None, False)


@pytest.mark.parametrize("text", ["14:00", "since 14:00", "from 14:00", "с 14:00", "после 14:00", "since 14:00 UTC"])
def test_a_time_of_day_is_the_last_such(text: str) -> None:
    found = period(text)
    assert found is not None
    assert found.since is not None
    moment = datetime.fromtimestamp(found.since, UTC)
    assert (moment.hour, moment.minute, moment.second) == (14, 0, 0)
    assert 0 <= time.time() - found.since <= 24 * HOUR


def test_a_time_of_day_in_another_zone() -> None:
    here, there = period("since 14:00"), period("с 14:00+3")
    assert here is not None
    assert there is not None
    assert ((here.since or 0) - (there.since or 0)) % (24 * HOUR) == 3 * HOUR


@pytest.mark.parametrize(
    ("text", "days"),
    [("today", 0), ("since today", 0), ("сегодня", 0), ("за сегодня", 0), ("yesterday", 1), ("since yesterday", 1),
     ("вчера", 1), ("со вчера", 1), ("С вчерашнего дня", 1)],
)  # fmt: skip
def test_a_day_begins_at_midnight(text: str, days: int) -> None:
    found = period(text)
    assert found is not None
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    assert found.since == midnight - days * 24 * HOUR


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0h",
        "-5",
        "25:00",
        "14:60",
        "14:00+15",
        "since",
        "с",
        "since 9",
        "с 9",
        "s",
        "soon",
        "100 apples",
        "2h30x",
        "9" * 7,
    ],
)
def test_what_is_no_such(text: str) -> None:
    assert period(text) is None


def test_a_length_needs_a_unit() -> None:
    assert duration("2 ч") == 2 * HOUR
    assert duration("2") is None
