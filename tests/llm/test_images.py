"""Images go to models that see; the others get the words alone."""

from __future__ import annotations

import base64

import aiohttp
import pytest

from gptbot.llm.budget import IMAGE_TOKENS, TokenBudget, stream_trimmed
from gptbot.llm.client import ModelClient
from gptbot.llm.errors import BadRequest
from gptbot.llm.types import Endpoint, Message
from tests.fakes.openai import FakeOpenAI
from tests.files.pictures import png
from tests.llm.conftest import KEY, MakeClient

IMAGE = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
ASKED: list[Message] = [
    {"role": "system", "content": "s"}, {"role": "user", "content": "what is it?\n\n[image]", "images": [IMAGE]},
]  # fmt: skip


def _endpoint(fake: FakeOpenAI, model: str, *, vision: bool) -> Endpoint:
    return Endpoint(fake.base_url, KEY, model, {}, timeout=5.0, vision=vision)


async def test_a_model_that_sees_is_shown_the_image(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.say("a pixel")
    answer = await make_client(_endpoint(fake, "gpt-test", vision=True)).complete(ASKED)
    assert answer.text == "a pixel"
    [request] = fake.requests
    assert request.images == [png()]
    assert request.messages[0] == {"role": "system", "content": "s"}
    assert request.last_user_message == "what is it?\n\n[image]"


async def test_a_fallback_that_does_not_see_gets_the_words(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.settings.blind = ["gpt-other"]
    fake.fail("unauthorized", model="gpt-test")
    fake.say("I cannot see it", model="gpt-other")
    client = make_client(_endpoint(fake, "gpt-test", vision=True), _endpoint(fake, "gpt-other", vision=False))
    assert (await client.complete(ASKED)).text == "I cannot see it"
    assert [len(request.images) for request in fake.requests] == [1, 0]


async def test_a_model_that_was_said_to_see_and_does_not(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.settings.blind = ["gpt-test"]
    with pytest.raises(BadRequest):
        await make_client(_endpoint(fake, "gpt-test", vision=True)).complete(ASKED)


def test_images_cost_room_and_teach_nothing_of_characters() -> None:
    budget = TokenBudget()
    plain: list[Message] = [{"role": message["role"], "content": message["content"]} for message in ASKED]
    assert budget.count("m", ASKED) == budget.count("m", plain) + IMAGE_TOKENS
    long: list[Message] = [{"role": "user", "content": "x" * 4000, "images": [IMAGE]}]
    budget.learn("m", long, 5000)
    assert budget.count("m", long) == TokenBudget().count("m", long)
    [cut] = budget.trim(long, 2400, 400)
    assert cut.get("images") == [IMAGE]
    assert len(cut["content"]) < 4000
    assert budget.count("m", [cut]) <= 2000


async def test_an_image_that_makes_it_too_long_is_kept_and_the_rest_trimmed(
    fake: FakeOpenAI, http: aiohttp.ClientSession
) -> None:
    fake.settings.context_window = 1000
    older: list[Message] = [
        {"role": role, "content": "talk " * 100} for _ in range(4) for role in ("user", "assistant")
    ]  # fmt: skip
    client = ModelClient(http, [_endpoint(fake, "gpt-test", vision=True)])
    fake.say("a pixel", times=None)
    answer = await stream_trimmed(
        client, TokenBudget(), [ASKED[0], *older, ASKED[1]], lambda _: None, context_window=4000, reply_reserve=500
    )
    assert answer.text == "a pixel"
    assert fake.requests[-1].images == [png()]
