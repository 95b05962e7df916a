"""ModelReachable as a function of what requests came to."""

from __future__ import annotations

from typing import Any

import pytest

from gptbot.llm import errors
from gptbot_operator.store import PlatformReport, Reading
from tests.unit.bots import OPENAI
from tests.unit.test_status import conditions

FALLBACKS: dict[str, Any] = {
    "llm": OPENAI | {"fallbacks": [{"baseUrl": "http://a/v1", "model": "a"}, {"baseUrl": "http://b/v1", "model": "b"}]}
}


def ready_and_model(outcomes: dict[str, str], **spec: Any) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    store = Reading(True, backlog=0, platforms={"web": PlatformReport(True)}, model=outcomes)
    seen = conditions("cpu-autoscaling", spec=spec, store=store)
    return seen["Ready"], seen["ModelReachable"]


def test_before_the_first_request_nothing_is_known_and_the_bot_is_ready() -> None:
    ready, model = ready_and_model({})
    assert model[:2] == ("Unknown", "NotAskedYet")
    assert ready[:2] == ("True", "Answering")


@pytest.mark.parametrize(
    ("error", "reason", "part"),
    [
        (errors.Unauthorized, "KeyRefused", "the key"),
        (errors.QuotaExceeded, "QuotaSpent", "out of money"),
        (errors.ModelNotFound, "ModelNotFound", "baseUrl"),
        (errors.Unreachable, "Unreachable", "baseUrl"),
        (errors.ModelTimeout, "TooSlow", "llm.timeoutSeconds"),
        (errors.TookTooLong, "TooSlow", "llm.timeoutSeconds"),
        (errors.Overloaded, "Overloaded", "llm.fallbacks"),
        (errors.BadStream, "StreamBroken", "proxy"),
        (errors.BadRequest, "RequestRefused", "llm.parameters"),
    ],
)
def test_what_failed_is_the_reason_and_the_bot_is_not_ready(
    error: type[errors.ModelError], reason: str, part: str
) -> None:
    ready, model = ready_and_model({"spec.llm": error.kind})
    assert model[:2] == ("False", reason)
    assert model[2].startswith("spec.llm: ")
    assert part in model[2]
    assert ready == model


def test_an_outcome_of_a_newer_bot_is_told_all_the_same() -> None:
    assert ready_and_model({"spec.llm": "brand_new"})[1][:2] == ("False", "RequestsFail")


def test_a_fallback_that_answers_keeps_the_bot_ready_and_says_what_is_wrong() -> None:
    ready, model = ready_and_model({"spec.llm": "quota", "spec.llm.fallbacks[1]": "ok"}, **FALLBACKS)
    assert model[:2] == ("True", "FallbackAnswers")
    assert model[2].startswith("spec.llm: the account is out of money")
    assert ready[0] == "True"
    _, model = ready_and_model({"spec.llm": "quota", "spec.llm.fallbacks[1]": "unauthorized"}, **FALLBACKS)
    assert model[:2] == ("False", "QuotaSpent")
    assert "spec.llm.fallbacks[1]: the API refuses the key" in model[2]
    _, model = ready_and_model({"spec.llm": "ok", "spec.llm.fallbacks[0]": "unreachable"}, **FALLBACKS)
    assert model == ("True", "Answering", "")


def test_an_endpoint_that_is_not_in_the_spec_any_more_counts_for_nothing() -> None:
    assert ready_and_model({"spec.llm.fallbacks[0]": "ok"})[1][1] == "NotAskedYet"


def test_a_store_that_is_away_says_nothing_of_the_model() -> None:
    seen = conditions("cpu-autoscaling", store=Reading(False, "Unreachable", "no answer"))
    assert seen["ModelReachable"][:2] == ("Unknown", "StoreUnreachable")
