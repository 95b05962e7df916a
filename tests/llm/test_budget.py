from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbot.llm.budget import FIRST_RATIO, TokenBudget, stream_trimmed
from gptbot.llm.errors import ContextTooLong
from gptbot.llm.types import Message, Role
from tests.fakes.openai import FakeOpenAI
from tests.llm.conftest import MakeClient


def say(role: Role, content: str) -> Message:
    return {"role": role, "content": content}


MESSAGES = st.lists(
    st.builds(say, st.sampled_from(["user", "assistant"]), st.text(max_size=400)), max_size=20
).map(lambda rest: [say("system", "You are brief."), *rest, say("user", "And now?")])  # fmt: skip


@given(messages=MESSAGES, window=st.integers(256, 4096), reserve=st.integers(0, 4096))
def test_what_is_left_fits_and_is_the_newest(messages: list[Message], window: int, reserve: int) -> None:
    budget = TokenBudget()
    trimmed = budget.trim(messages, window, reserve)
    assert budget.count("", trimmed) <= max(window - reserve, window // 4)
    assert trimmed[0] == messages[0]
    assert trimmed[-1] == messages[-1]
    assert trimmed[1:] == messages[len(messages) - len(trimmed) + 1 :]
    assert trimmed[1]["role"] == "user"


def test_nothing_is_lost_when_all_fits() -> None:
    messages = [say("system", "s"), say("user", "a"), say("assistant", "b"), say("user", "c")]
    assert TokenBudget().trim(messages, 1000, 100) == messages


def test_a_message_too_long_by_itself_keeps_its_ends() -> None:
    messages = [say("system", "s" * 10_000), say("user", "begin " + "x" * 10_000 + " end")]
    budget = TokenBudget()
    trimmed = budget.trim(messages, 512, 128)
    assert [message["role"] for message in trimmed] == ["system", "user"]
    assert trimmed[1]["content"].startswith("begin x")
    assert trimmed[1]["content"].endswith("x end")
    assert "[…]" in trimmed[1]["content"]
    assert 300 < budget.count("", trimmed) <= 384


def test_the_ratio_is_learned() -> None:
    budget = TokenBudget()
    messages = [say("user", "x" * 1000)]
    budget.learn("m", messages, 504)
    assert budget.ratio("m") == pytest.approx(2.0)
    assert budget.ratio("other") == FIRST_RATIO
    for _ in range(40):
        budget.learn("m", messages, 254)
    assert budget.ratio("m") == pytest.approx(4.0, abs=0.01)


@pytest.mark.parametrize("tokens", [None, 0, 3, 10**9])
def test_odd_counts_do_no_harm(tokens: int | None) -> None:
    budget = TokenBudget()
    budget.learn("m", [say("user", "x" * 1000)], tokens)
    assert 0.25 <= budget.ratio("m") <= 12


def test_short_prompts_teach_nothing() -> None:
    budget = TokenBudget()
    budget.learn("m", [say("user", "Hi")], 40)
    assert budget.ratio("m") == FIRST_RATIO


async def test_usage_is_learned_from_answers(fake: FakeOpenAI, make_client: MakeClient) -> None:
    budget = TokenBudget()
    messages = [say("user", "word " * 200)]
    await stream_trimmed(make_client(), budget, messages, lambda t: None, context_window=8192, reply_reserve=512)
    assert budget.ratio("gpt-test") == pytest.approx(4.0, abs=0.1)


async def test_what_does_not_fit_after_all_is_trimmed_further(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.settings.context_window = 500
    messages = [
        say("system", "Be brief."),
        *(say(("assistant", "user")[i % 2], f"{i} " + "x" * 398) for i in range(30)),
    ]
    parts: list[str] = []
    completion = await stream_trimmed(
        make_client(), TokenBudget(), messages, parts.append, context_window=128_000, reply_reserve=100
    )
    assert [request.status for request in fake.requests][-1] == 200
    assert len(fake.requests) == 2
    sent = fake.requests[-1].messages
    assert sent[0] == messages[0]
    assert sent[-1] == messages[-1]
    assert len(sent) >= 4
    assert "".join(parts) == completion.text


async def test_an_api_that_never_takes_it_is_given_up(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.fail("context_too_long", times=None)
    with pytest.raises(ContextTooLong):
        await stream_trimmed(
            make_client(), TokenBudget(), [say("user", "Hi")], lambda t: None, context_window=512, reply_reserve=100
        )
    assert len(fake.requests) == 4
