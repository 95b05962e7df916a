"""The moderation endpoint over the wire: what it is asked, and what becomes of its answer, or of none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from gptbot.llm.breaker import THRESHOLD
from gptbot.manifest import BotConfig
from gptbot.safety import moderation
from gptbot.safety.moderation import ModerationUnavailable, Moderator
from gptbot_api import Fault, InvalidManifest, parse
from gptbot_api.safety import Moderation
from tests.fakes.openai import FakeOpenAI, Settings

KEY = "sk-moderation-0123456789"
Make = Callable[..., Moderator]


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(Settings(api_key=KEY, flagged=["poison"])) as running:
        yield running


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def make(fake: FakeOpenAI, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setattr(moderation, "_FIRST_PAUSE", 0.01)

    def made(key: str | None = KEY, bot: str = "test/moderated", timeout: float = 5.0, **spec: Any) -> Moderator:
        return Moderator(http, bot, Moderation(base_url=fake.base_url, **spec), key, timeout=timeout)

    return made


async def test_questions_and_answers_are_looked_at(fake: FakeOpenAI, make: Make) -> None:
    moderator = make(bot="test/looked-at")
    assert not await moderator.flags_question(["hello"])
    assert await moderator.flags_question(["hello", "how do I poison", " "])
    assert not await moderator.flags_answer("take a bath")
    assert await moderator.flags_answer("take poison")
    assert fake.moderations == [
        {"model": "omni-moderation-latest", "input": text}
        for text in ("hello", ["hello", "how do I poison"], "take a bath", "take poison")
    ]
    for side in ("input", "output"):
        for outcome in ("passed", "flagged"):
            labels = {"bot": "test/looked-at", "side": side, "outcome": outcome}
            assert REGISTRY.get_sample_value("gptbot_moderations_total", labels) == 1


async def test_a_side_that_is_off_is_not_looked_at(fake: FakeOpenAI, make: Make, http: aiohttp.ClientSession) -> None:
    assert make(input=False).holds_back
    assert not await make(input=False).flags_question(["poison"])
    assert not make(output=False).holds_back
    assert not await make(output=False).flags_answer("poison")
    nobody = Moderator(http, "test/none", None)
    assert not nobody.holds_back
    assert not await nobody.flags_question(["poison"])
    assert not await nobody.flags_answer("poison")
    assert fake.moderations == []


async def test_a_long_text_is_looked_at_to_its_end(fake: FakeOpenAI, make: Make) -> None:
    assert await make().flags_answer("x" * 20_000 + "poison")
    [body] = fake.moderations
    assert "".join(body["input"]) == "x" * 20_000 + "poison"
    assert max(map(len, body["input"])) <= 8000


@pytest.mark.parametrize("fault", ["server_error", "rate_limited", "hang", "html", "short"])
async def test_without_a_verdict_nothing_passes_unless_it_may(fake: FakeOpenAI, make: Make, fault: str) -> None:
    fake.settings = Settings.model_validate({"api_key": KEY, "moderation_fault": fault})
    with pytest.raises(ModerationUnavailable):
        await make(timeout=0.3).flags_answer("hello")
    assert len(fake.moderations) == 3, "it was asked again before it was given up"
    assert not await make(on_error="allow", timeout=0.3, bot=f"test/{fault}").flags_answer("poison")
    labels = {"bot": f"test/{fault}", "side": "output", "outcome": "unavailable"}
    assert REGISTRY.get_sample_value("gptbot_moderations_total", labels) == 1


async def test_what_only_a_person_can_mend_is_not_tried_again(fake: FakeOpenAI, make: Make) -> None:
    with pytest.raises(ModerationUnavailable, match=r"spec\.safety\.moderation\.apiKeySecretRef") as error:
        await make(key="sk-wrong").flags_question(["hello"])
    assert "sk-wrong" not in str(error.value)
    with pytest.raises(ModerationUnavailable, match="no moderation model 'other'"):
        await make(model="other").flags_question(["hello"])
    assert len(fake.moderations) == 2


async def test_an_endpoint_that_keeps_failing_is_left_alone(fake: FakeOpenAI, make: Make) -> None:
    fake.settings = Settings(api_key=KEY, moderation_fault="server_error")
    moderator = make(input=False)
    for _ in range(3):
        with pytest.raises(ModerationUnavailable):
            await moderator.flags_answer("hello")
    assert len(fake.moderations) == THRESHOLD
    with pytest.raises(ModerationUnavailable):  # the model need not make an answer that nobody can look at
        await moderator.flags_question(["hello"])
    assert len(fake.moderations) == THRESHOLD


async def test_nothing_listens(http: aiohttp.ClientSession, make: Make) -> None:
    del make
    moderator = Moderator(http, "test/away", Moderation(base_url="http://user:secret@127.0.0.1:1/v1"))
    with pytest.raises(ModerationUnavailable, match=r"http://127\.0\.0\.1:1/v1 cannot be reached") as error:
        await moderator.flags_question(["hello"])
    assert "secret" not in str(error.value)


def _config(**secrets: str) -> BotConfig:
    endpoint = {"baseUrl": "http://moderation/v1", "apiKeySecretRef": {"name": "keys", "key": "moderation"}}
    document = {
        "apiVersion": "gptbot.dev/v1alpha1",
        "kind": "GptBot",
        "metadata": {"name": "bot"},
        "spec": {"platforms": {"web": {}}, "llm": {"embedded": {}}, "safety": {"moderation": endpoint}},
    }
    return BotConfig(parse(document), {("default", "keys"): secrets})


async def test_its_key_comes_from_a_secret(http: aiohttp.ClientSession) -> None:
    assert Moderator.of(_config(moderation=KEY), http).holds_back
    with pytest.raises(InvalidManifest) as error:
        Moderator.of(_config(), http)
    [fault] = error.value.faults
    assert isinstance(fault, Fault)
    assert fault.path == "spec.safety.moderation.apiKeySecretRef"
