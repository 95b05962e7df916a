"""Strict templates: messages of one role stand together as one, and some models take no system's."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbot.llm.budget import TokenBudget, stream_trimmed
from gptbot.llm.errors import BadRequest
from gptbot.llm.roles import alternating
from gptbot.llm.types import Message, Role
from tests.fakes.openai import FakeOpenAI
from tests.llm.conftest import MakeClient

ROLES = st.lists(st.sampled_from(["user", "assistant"]), min_size=1, max_size=12)


def messages(roles: Sequence[Role]) -> list[Message]:
    said: list[Message] = [{"role": "system", "content": "Be brief."}]
    return said + [{"role": role, "content": f"m{n}"} for n, role in enumerate(roles)]


@given(ROLES, st.booleans())
def test_no_two_of_a_role_stand_together_and_nothing_is_lost(roles: list[Role], system: bool) -> None:
    said = alternating(messages(roles), system=system)
    assert all(one["role"] != other["role"] for one, other in itertools.pairwise(said))
    words = " ".join(message["content"] for message in said).split()
    assert words == ["Be", "brief.", *(f"m{n}" for n in range(len(roles)))]
    assert system or all(message["role"] != "system" for message in said)


def test_images_stay_with_the_questions() -> None:
    said: list[Message] = [{"role": "user", "content": "a", "images": ["x"]}, {"role": "user", "content": "b"}]
    assert alternating([*said, said[0]]) == [{"role": "user", "content": "a\n\nb\n\na", "images": ["x", "x"]}]


@pytest.mark.parametrize("template", ["strict", "gemma"])
@pytest.mark.parametrize("window", [100_000, 300])
async def test_a_burst_is_answered_trimmed_or_not(
    fake: FakeOpenAI, make_client: MakeClient, template: str, window: int
) -> None:
    fake.settings.template = template  # type: ignore[assignment]
    some: list[Role] = ["user", "user", "assistant"]
    client, burst = make_client(), messages([*some * 20, *some[:2]])
    for _ in range(2):
        await stream_trimmed(client, TokenBudget(), burst, lambda _: None, context_window=window, reply_reserve=50)
    assert [request.status for request in fake.requests] == ([200] if template == "strict" else [500, 200]) + [200]
    assert "Be brief." in fake.requests[-1].messages[0]["content"]


async def test_what_a_template_refuses_for_ever_reaches_the_status(fake: FakeOpenAI, make_client: MakeClient) -> None:
    told: list[object] = []
    fake.say(
        "",
        raw="HTTP/1.1 500 No\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
        '{"error": {"code": 500, "message": "Conversation roles must alternate"}}',
        times=None,
    )
    with pytest.raises(BadRequest, match="template"):
        await make_client(note=lambda endpoint, error: told.append(error)).stream(messages(["user"]), lambda _: None)
    assert [getattr(error, "kind", None) for error in told] == ["bad_request"]
