"""BudgetAvailable as a function of what was used; and what of it is an Event."""

from __future__ import annotations

import itertools
import time
import uuid
from typing import Any

import pytest

from gptbot.inbox.store import Store
from gptbot_operator.events import News
from gptbot_operator.store import PlatformReport, Reading, StoreReader
from tests.unit.bots import OPENAI
from tests.unit.test_status import conditions

PRICED: dict[str, Any] = {"llm": OPENAI | {"prices": {"input": 1, "output": 2}}}


def verdict(tokens: int = 0, cost: int = 0, **limits: float) -> tuple[str, str, str]:
    store = Reading(True, backlog=0, platforms={"web": PlatformReport(True)}, tokens=tokens, cost=cost)
    return conditions("cpu-autoscaling", spec={"limits": limits} | PRICED, store=store)["BudgetAvailable"]


@pytest.mark.parametrize(
    ("tokens", "status", "reason", "part"),
    [
        (0, "True", "WithinBudget", ""),
        (799, "True", "WithinBudget", ""),
        (800, "True", "NearlySpent", "80% of limits.tokensPerDay"),
        (999, "True", "NearlySpent", "80% of limits.tokensPerDay"),
        (1000, "False", "BudgetSpent", "limits.tokensPerDay"),
    ],
)
def test_tokens(tokens: int, status: str, reason: str, part: str) -> None:
    found = verdict(tokens, tokensPerDay=1000)
    assert found[:2] == (status, reason)
    assert part in found[2]
    assert (part == "") == (found[2] == "")


def test_money() -> None:
    assert verdict(cost=3_900_000, tokensPerDay=0, costPerDay=5)[:2] == ("True", "WithinBudget")
    assert verdict(cost=4_000_000, tokensPerDay=0, costPerDay=5)[:2] == ("True", "NearlySpent")
    both = verdict(tokens=1000, cost=5_000_000, tokensPerDay=1000, costPerDay=5)
    assert both[:2] == ("False", "BudgetSpent")
    assert "limits.tokensPerDay and limits.costPerDay" in both[2]


def test_without_a_budget_there_is_nothing_to_say() -> None:
    assert verdict(10**9, tokensPerDay=0)[:2] == ("True", "NoBudget")


def test_a_store_that_is_away_says_nothing() -> None:
    away = Reading(False, "Unreachable", "no answer")
    found = conditions("cpu-autoscaling", spec={"limits": {"tokensPerDay": 5}}, store=away)
    assert found["BudgetAvailable"][:2] == ("Unknown", "StoreUnreachable")


def test_a_warning_is_one_event() -> None:
    bot = {"metadata": {"name": "bot", "namespace": "store", "uid": "u"}}

    def status(word: str, reason: str) -> dict[str, Any]:
        return {"conditions": [{"type": "BudgetAvailable", "status": word, "reason": reason, "message": ""}]}

    news, day = News(), [("True", "WithinBudget"), *[("True", "NearlySpent")] * 3]
    told = [
        (event["type"], event["reason"])
        for before, after in itertools.pairwise(day)
        for event in news.changes(bot, status(*before), status(*after), "me", grace=0.0)
    ]
    assert told == [("Warning", "NearlySpent")]


@pytest.mark.parametrize(
    ("fields", "used"),
    [
        ({"day": 0, "tokens": 5, "cost": 7}, (5, 7)),
        ({"day": 0, "tokens": 5}, (5, 0)),
        ({"day": -1, "tokens": 5, "cost": 7}, (0, 0)),
        ({"day": 0, "tokens": "garbage", "cost": "-1"}, (0, 0)),
        ({"tokens": 5}, (0, 0)),
    ],
)
async def test_what_was_used_is_read_from_the_store(
    store: Store, store_url: str, fields: dict[str, Any], used: tuple[int, int]
) -> None:
    bot, reader = f"test/{uuid.uuid4().hex[:8]}", StoreReader(max_age=0)
    if "day" in fields:
        fields = fields | {"day": int(time.time() // 86_400) + fields["day"]}
    await store.command("HSET", f"{{{bot}}}:tokens", *(each for pair in fields.items() for each in pair))
    reading = await reader.read(store_url, bot)
    assert (reading.tokens, reading.cost) == used
    await reader.close()
