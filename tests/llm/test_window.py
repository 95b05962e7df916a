"""What an endpoint names as its limit holds from then on, and is used well."""

from __future__ import annotations

import dataclasses

import pytest

from gptbot.llm.budget import TokenBudget, stream_trimmed
from gptbot.llm.client import ModelClient
from gptbot.llm.traits import Traits
from gptbot.llm.types import Endpoint, Message
from tests.fakes.openai import FakeOpenAI
from tests.fakes.openai.checks import Refusal, count_tokens
from tests.llm.conftest import MakeClient

WINDOW = 800


def conversation(turns: int) -> list[Message]:
    said: list[Message] = [{"role": "system", "content": "Be brief."}]
    for number in range(turns):
        said.append({"role": "user", "content": f"Question {number}: what is a kettle good for, and what is it not?"})
        said.append({"role": "assistant", "content": f"Answer {number}: for tea, and for nothing else, I think."})
    return [*said, {"role": "user", "content": "And now?"}]


async def ask(client: ModelClient, budget: TokenBudget, turns: int) -> None:
    await stream_trimmed(
        client, budget, conversation(turns), lambda _: None, context_window=128_000, reply_reserve=4096
    )


async def test_one_request_is_refused_and_no_more(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.settings.context_window = WINDOW
    client, budget = make_client(), TokenBudget()
    for turns in range(40):
        await ask(client, budget, turns)
    assert sum(request.status == 400 for request in fake.requests) <= 2
    used = [count_tokens(request.messages) for request in fake.requests[-5:]]
    assert min(used) >= 0.8 * (WINDOW - WINDOW // 4)
    assert max(used) <= WINDOW


@pytest.mark.parametrize(
    "words", ["Please reduce the length of the messages.", "the request has {} tokens: too many tokens"]
)
async def test_a_limit_that_is_not_told_ends_no_conversation(
    fake: FakeOpenAI, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setattr("tests.fakes.openai.checks.too_long", lambda _, tokens: Refusal(400, words.format(tokens)))
    fake.settings.context_window = WINDOW
    client, budget = make_client(), TokenBudget()
    for turns in range(0, 60, 3):
        await ask(client, budget, turns)
    used = [count_tokens(request.messages) for request in fake.requests if request.status == 200]
    assert min(used[-5:]) >= 0.5 * WINDOW
    assert sum(request.status == 400 for request in fake.requests) <= 8, "not one a turn"


async def test_what_was_refused_without_a_number_counts_for_a_while(
    fake: FakeOpenAI, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fakes.openai.checks.too_long", lambda *_: Refusal(400, "prompt is too long"))
    fake.settings.context_window = WINDOW
    now = 0.0
    client, budget = make_client(), TokenBudget(lambda: now)
    await ask(client, budget, 60)
    assert (bound := budget.window("gpt-test")) is not None
    assert bound >= WINDOW, "what was refused is more than what is taken"
    refused = len(fake.requests)
    fake.settings.context_window = 100_000
    await ask(client, budget, 60)
    assert [request.status for request in fake.requests[refused:]] == [200]
    now = 1000.0
    await ask(client, budget, 60)
    assert count_tokens(fake.requests[-1].messages) > 2 * count_tokens(fake.requests[-2].messages), "all of it again"


def test_a_picture_that_is_refused_narrows_nothing() -> None:
    budget = TokenBudget()
    picture: list[Message] = [{"role": "user", "content": "What is it?", "images": ["data:image/png;base64,AA=="]}]
    budget.fitted("gpt-test", picture, picture, 10)
    assert budget.window("gpt-test") is None


async def test_other_workers_know_it_at_once(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.settings.context_window = WINDOW
    first, second = make_client(), make_client()
    await ask(first, TokenBudget(), 40)
    refused = len(fake.requests)
    assert refused > 1
    second.traits[0].take_in(first.traits[0].as_json())
    await ask(second, TokenBudget(), 40)
    assert [request.status for request in fake.requests[refused:]] == [200]


async def test_the_bound_of_an_answer_follows_it(fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint) -> None:
    fake.settings.context_window = WINDOW
    client = make_client(dataclasses.replace(endpoint, max_answer=4000))
    await ask(client, TokenBudget(), 40)
    assert [request.body["max_tokens"] for request in fake.requests][-1] == WINDOW // 4


@pytest.mark.parametrize("limit", [None, 0, 1, -5, 255, "800", True, 1e9])
def test_what_cannot_be_a_window_is_none(limit: object) -> None:
    traits = Traits()
    traits.take_in({"window": limit})
    assert traits.window is None


def test_the_smallest_one_holds() -> None:
    told: list[int] = []
    traits = Traits(changed=lambda: told.append(1))
    for limit in (4096, 8192, 2048, 2048, 16, None):
        traits.narrow(limit)
    assert (traits.window, len(told)) == (2048, 2)
    traits.take_in({"window": 4096})
    assert traits.window == 2048
