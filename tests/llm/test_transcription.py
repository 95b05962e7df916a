"""Recordings are written down over the wire, and every way that can end is told apart."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from gptbot.llm.breaker import THRESHOLD
from gptbot.llm.errors import BadRequest, BadStream, ModelTimeout, Overloaded, Unauthorized, Unreachable
from gptbot.llm.transcription import Transcriber
from gptbot.llm.types import Endpoint, Usage
from tests.fakes.openai import FakeOpenAI, Settings

KEY = "sk-test-0123456789abcdef"
VOICE = b"OggS words"


@pytest_asyncio.fixture
async def fake() -> AsyncGenerator[FakeOpenAI]:
    async with FakeOpenAI(Settings(api_key=KEY)) as running:
        yield running


@pytest.fixture
def transcriber(fake: FakeOpenAI, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> Transcriber:
    monkeypatch.setattr("gptbot.llm.transcription._PAUSE", 0.01)
    endpoint = Endpoint(fake.base_url, KEY, "ear", timeout=1.0, path="spec.llm.transcription")
    return Transcriber(http, endpoint)


async def test_words_come_back_and_the_name_tells_the_format(fake: FakeOpenAI, transcriber: Transcriber) -> None:
    fake.ear.says = " Привет! \n"
    assert await transcriber.transcribe(VOICE, "audio/ogg") == "Привет!"
    assert await transcriber.transcribe(b"ID3 song", "audio/mpeg") == "Привет!"
    assert [(r.name, r.mime, r.content) for r in fake.ear.recordings] == [
        ("audio.ogg", "audio/ogg", VOICE), ("audio.mp3", "audio/mpeg", b"ID3 song"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        ({"type": "duration", "seconds": 3}, Usage(0, 0)),
        ({"type": "tokens", "input_tokens": 30, "output_tokens": 9, "total_tokens": 39}, Usage(30, 9)),
        ({"type": "tokens", "input_tokens": 2**60, "output_tokens": 9}, None),
        ("many", None),
        (None, None),
    ],
)
async def test_what_it_took_is_told(
    fake: FakeOpenAI, transcriber: Transcriber, told: Any, counted: Usage | None
) -> None:
    fake.ear.usage, used = told, list[Usage | None]()
    await transcriber.transcribe(VOICE, "audio/ogg", used.append)
    assert used == [counted]


async def test_what_may_pass_is_tried_once_more(fake: FakeOpenAI, transcriber: Transcriber) -> None:
    fake.ear.fault, fake.ear.times = "server_error", 1
    assert await transcriber.transcribe(VOICE, "audio/ogg")
    assert fake.ear.requests == 2
    fake.ear.times = 2
    with pytest.raises(Overloaded):
        await transcriber.transcribe(VOICE, "audio/ogg")
    assert fake.ear.requests == 4


async def test_a_recording_that_is_none_is_not_tried_again(fake: FakeOpenAI, transcriber: Transcriber) -> None:
    with pytest.raises(BadRequest):
        await transcriber.transcribe(b"\0\0\0 no sound", "audio/ogg")
    assert fake.ear.requests == 1


async def test_a_hanging_endpoint_times_out_once(fake: FakeOpenAI, transcriber: Transcriber) -> None:
    fake.ear.fault = "hang"
    with pytest.raises(ModelTimeout, match="within 1 s"):
        await transcriber.transcribe(VOICE, "audio/ogg")
    assert fake.ear.requests == 1


async def test_a_page_is_no_answer(fake: FakeOpenAI, transcriber: Transcriber) -> None:
    fake.ear.fault = "html"
    with pytest.raises(BadStream, match=r"check spec\.llm\.transcription"):
        await transcriber.transcribe(VOICE, "audio/ogg")


async def test_an_endpoint_that_keeps_failing_is_left_alone(fake: FakeOpenAI, transcriber: Transcriber) -> None:
    fake.ear.fault = "server_error"
    while fake.ear.requests < THRESHOLD:
        with pytest.raises(Overloaded):
            await transcriber.transcribe(VOICE, "audio/ogg")
    with pytest.raises(Overloaded, match="left alone"):
        await transcriber.transcribe(VOICE, "audio/ogg")
    assert fake.ear.requests == THRESHOLD


async def test_errors_name_the_field_and_never_the_key(fake: FakeOpenAI, http: aiohttp.ClientSession) -> None:
    wrong = Endpoint(fake.base_url, "sk-wrong-key-00000", "ear", timeout=5.0, path="spec.llm.transcription")
    with pytest.raises(Unauthorized, match=r"spec\.llm\.transcription\.apiKeySecretRef") as error:
        await Transcriber(http, wrong).transcribe(VOICE, "audio/ogg")
    assert "sk-wrong" not in str(error.value)
    nobody = Endpoint("http://127.0.0.1:1/v1", KEY, "ear", timeout=5.0)
    with pytest.raises(Unreachable):
        await Transcriber(http, nobody).transcribe(VOICE, "audio/ogg")
