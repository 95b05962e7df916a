"""Every example, and every bot that the documents show, gets its first answer of a model as strict as the real one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
import yaml

from gptbot.bot import endpoints
from gptbot.llm.client import ModelClient
from gptbot.manifest import BotConfig
from gptbot.safety.moderation import Moderator
from gptbot_api import parse
from gptbot_api.doubts import findings, takes_defaults_only
from gptbot_api.references import references
from tests.docs.test_documents import DOCUMENTS, ROOT, blocks
from tests.docs.test_examples import EXAMPLES
from tests.fakes.openai import FakeOpenAI, Settings
from tests.fakes.openai.checks import Refusal
from tests.fakes.openai.families import KNOWN, check_family

_URL = re.compile(r"(baseUrl: *)\"?(https?://[^\s\",}]+)\"?")
EMBEDDED = "smollm2-135m-instruct"


def shown() -> dict[str, str]:
    """Where it stands, to the text of each manifest with a bot."""
    found = {path.name: path.read_text() for path in EXAMPLES}
    for path in DOCUMENTS:
        for number, (language, text) in enumerate(blocks(path)):
            if language in ("yaml", "yml") and re.search("^kind: GptBot$", text, re.MULTILINE):
                found[f"{path.relative_to(ROOT)}-{number}"] = text
    return found


SHOWN = shown()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def configs(text: str) -> list[BotConfig]:
    """The bots of a text, with some key wherever they name one."""
    bots = [parse(each) for each in yaml.safe_load_all(text) if each and each.get("kind") == "GptBot"]
    secrets: dict[tuple[str, str], dict[str, str]] = {}
    for bot in bots:
        for each in references(bot):
            secrets.setdefault((bot.metadata.namespace, each.name), {})[each.key] = "sk-test"
    return [BotConfig(bot, secrets) for bot in bots]


@pytest.mark.parametrize("where", SHOWN)
async def test_it_answers_at_the_first_request(where: str, http: aiohttp.ClientSession) -> None:
    text = SHOWN[where]
    real = all("api.openai.com" in match[2] for match in _URL.finditer(text)) and "embedded" not in text
    settings = Settings(models=[*KNOWN, EMBEDDED] if real else None)
    async with FakeOpenAI(settings) as fake:
        for config in configs(_URL.sub(lambda match: match[1] + fake.base_url, text)):
            for endpoint in endpoints(config, lambda: (fake.base_url, EMBEDDED)):
                fake.reset()
                client = ModelClient(http, [endpoint])
                answer = await client.stream([{"role": "user", "content": "Are you there?"}], lambda _: None)
                assert answer.text
                assert len(fake.requests) == 1, "something in its parameters was refused"
            if config.bot.spec.safety.moderation is not None:
                assert not await Moderator.of(config, http).flags_question(["Are you there?"])
                assert fake.moderations


@pytest.mark.parametrize("where", SHOWN)
def test_nothing_about_it_looks_wrong(where: str) -> None:
    for config in configs(SHOWN[where]):
        assert findings(config.bot) == []


def test_there_are_many() -> None:
    assert len(SHOWN) >= len(EXAMPLES) + 5


@pytest.mark.parametrize(
    ("model", "field", "value", "refused"),
    [
        ("gpt-5-mini", "temperature", 0.7, True),
        ("gpt-5-mini", "temperature", 1, False),
        ("gpt-5-mini-2025-08-07", "top_p", 0.5, True),
        ("gpt-5", "max_tokens", 100, True),
        ("gpt-5", "max_completion_tokens", 100, False),
        ("gpt-5.2", "temperature", 0.7, False),
        ("gpt-5.2", "max_tokens", 100, True),
        ("gpt-5-chat-latest", "temperature", 0.7, False),
        ("o4-mini", "stop", ["a"], True),
        ("o3", "presence_penalty", 0.5, True),
        ("gpt-4.1", "temperature", 0.7, False),
        ("gpt-4.1", "max_tokens", 100, False),
        ("gpt-4o", "reasoning_effort", "low", True),
        ("qwen3:4b", "temperature", 0.7, False),
    ],
)
def test_the_scripted_model_refuses_what_the_real_one_does(
    model: str, field: str, value: object, refused: bool
) -> None:
    assert (refusal_of(model, {field: value}) is not None) == refused
    if (error := refusal_of(model, {field: value})) is not None:
        assert (error.status, field in str(error)) == (400, True)


def refusal_of(model: str, body: dict[str, object]) -> Refusal | None:
    try:
        check_family(model, body)
    except Refusal as error:
        return error
    return None


@pytest.mark.parametrize("model", KNOWN)
def test_the_review_knows_the_models_that_refuse(model: str) -> None:
    """`gptbot validate` warns of just what the model would refuse."""
    assert takes_defaults_only(model) == (refusal_of(model, {"temperature": 0.7}) is not None)
