"""ModelReachable as a function of what requests came to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gptbot.llm import errors
from gptbot_operator.outcomes import left_out, outcomes
from gptbot_operator.status import status_of
from gptbot_operator.store import PlatformReport, Reading
from tests.unit.bots import OPENAI, bot
from tests.unit.test_status import conditions, seen_with

FALLBACKS: dict[str, Any] = {
    "llm": OPENAI | {"fallbacks": [{"baseUrl": "http://a/v1", "model": "a"}, {"baseUrl": "http://b/v1", "model": "b"}]}
}


def ready_and_model(outcomes: dict[str, str], **spec: Any) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    store = Reading(True, backlog=0, platforms={"web": PlatformReport(True)}, model=outcomes)
    seen = conditions("cpu-autoscaling", spec=spec, store=store)
    return seen["Ready"], seen["ModelReachable"]


def test_before_the_first_probe_nothing_is_known_and_the_bot_is_not_said_to_be_ready() -> None:
    ready, model = ready_and_model({})
    assert model[:2] == ("Unknown", "NotAskedYet")
    assert ready == model


def test_what_was_said_stands_while_nothing_is_known() -> None:
    """As when the operator is newer than the bots, which do not probe."""
    store = Reading(True, backlog=0, platforms={"web": PlatformReport(True)})
    for said, status in (("True", "True"), ("False", "Unknown")):
        before = {"conditions": [{"type": "Ready", "status": said, "lastTransitionTime": "2026-01-01T00:00:00Z"}]}
        after = status_of(bot("cpu-autoscaling"), seen_with(store=store), before, "2026-01-01T00:00:00Z")
        assert after["conditions"][0]["status"] == status


def test_a_model_that_is_there_makes_the_bot_ready_without_saying_that_it_answers() -> None:
    ready, model = ready_and_model({"spec.llm": "reachable"})
    assert model[:2] == ("True", "NotAskedYet")
    assert ready == model
    ready, model = ready_and_model({"spec.llm": "recovered"})
    assert model[:2] == ("True", "Recovered")
    assert ready == model


def test_what_the_api_does_not_take_is_named() -> None:
    seen = conditions(
        "cpu-autoscaling",
        store=Reading(
            True, backlog=0, platforms={"web": PlatformReport(True)}, model={"spec.llm": "ok"},
            left_out={"spec.llm": ("stream_options", "temperature")},
        ),
    )  # fmt: skip
    assert seen["ModelReachable"][:2] == ("True", "Answering")
    assert "does not take temperature: left out" in seen["ModelReachable"][2]


def test_names_that_nobody_would_give_a_parameter_are_not_told() -> None:
    raw = {b"learned spec.llm": b'{"without": ["top_k", "a\\n{{evil}}", "' + b"x" * 99 + b'"]}', b"learned x": b"["}
    assert left_out(raw) == {"spec.llm": ("top_k",)}
    assert outcomes(raw, 0.0) == {}


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


def test_a_fallback_that_is_there_is_not_said_to_answer() -> None:
    ready, model = ready_and_model({"spec.llm": "unreachable", "spec.llm.fallbacks[0]": "reachable"}, **FALLBACKS)
    assert model[:2] == ("True", "FallbackReachable")
    assert model[2].startswith("spec.llm: no connection")
    assert ready[0] == "True"
    _, model = ready_and_model({"spec.llm.fallbacks[0]": "unreachable"}, **FALLBACKS)
    assert model[:2] == ("Unknown", "NotAskedYet"), "a fallback alone says nothing of the first endpoint"


NOW = 2_000_000_000.0


def known(**entries: tuple[str, float]) -> dict[str, str]:
    """What is known of `spec.llm` by its last request and probe, each with how many seconds ago it was."""
    fields = {"asked": b"spec.llm", "probed": b"probe spec.llm"}
    return outcomes(
        {fields[n]: json.dumps({"outcome": kind, "at": NOW - ago}).encode() for n, (kind, ago) in entries.items()}, NOW
    )


@pytest.mark.parametrize(
    ("asked", "probed", "word"),
    [
        (None, ("ok", 1), "reachable"),
        (None, ("there", 1), "reachable"),
        (None, ("unreachable", 1), "unreachable"),
        (("ok", 1), None, "ok"),
        (("ok", 5), ("unreachable", 1), "unreachable"),
        (("ok", 5000), ("ok", 1), "ok"),
        (("overloaded", 60), ("ok", 1), "recovered"),
        (("overloaded", 60), ("there", 1), "recovered"),
        (("unreachable", 60), ("there", 1), "recovered"),
        (("overloaded", 1), ("ok", 60), "overloaded"),
        (("overloaded", 1), ("ok", 1), "overloaded"),
        (("unauthorized", 60), ("ok", 1), "recovered"),
        (("unauthorized", 60), ("there", 1), "unauthorized"),
        (("quota", 60), ("ok", 1), "quota"),
        (("not_found", 60), ("ok", 1), "not_found"),
        (("quota", 3601), ("ok", 1), "reachable"),
        (("quota", 3601), None, None),
        (("ok", 80_000), None, "ok"),
        (("ok", 90_000), None, None),
        (None, ("unreachable", 90_000), None),
    ],
)
def test_the_newer_of_request_and_probe_counts(
    asked: tuple[str, float] | None, probed: tuple[str, float] | None, word: str | None
) -> None:
    given = {name: entry for name, entry in (("asked", asked), ("probed", probed)) if entry}
    assert known(**given).get("spec.llm") == word


def test_an_endpoint_that_is_not_in_the_spec_any_more_counts_for_nothing() -> None:
    assert ready_and_model({"spec.llm.fallbacks[0]": "ok"})[1][1] == "NotAskedYet"


def test_a_store_that_is_away_says_nothing_of_the_model() -> None:
    seen = conditions("cpu-autoscaling", store=Reading(False, "Unreachable", "no answer"))
    assert seen["ModelReachable"][:2] == ("Unknown", "StoreUnreachable")
