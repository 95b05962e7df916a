"""The small model that comes along: what it is told first, what people are told of it, and how it ends when slow."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from gptbot.conversation.retelling import Line, Retelling
from gptbot.conversation.system import system_prompt
from gptbot.embedded.window import ANSWER_SECONDS, CONTEXT_WINDOW, FILE_WINDOW, window_of
from gptbot.inbox.store import Store
from gptbot.llm.client import ModelClient
from gptbot.manifest import BotConfig
from gptbot.platforms.web.page import View
from gptbot.platforms.web.texts import languages
from gptbot_api import GptBot, parse
from gptbot_api.llm import Llm
from tests.conversation.room import PERSONAS, Room, room
from tests.fakes.openai import FakeOpenAI

SMALL = {"embedded": {}}
OWN = {"embedded": {"file": "models/Qwen3-4B-Q4_K_M.gguf"}}
ELSEWHERE = {"baseUrl": "http://127.0.0.1:1/v1", "model": "gpt-test"}


def bot(llm: Mapping[str, object], **spec: object) -> GptBot:
    return parse(
        {
            "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": "b", "namespace": "test"},
            "spec": {"platforms": {"web": {}}, "llm": llm, "personas": PERSONAS} | spec,
        }
    )  # fmt: skip


@asynccontextmanager
async def small_room(store: Store, model: FakeOpenAI, seconds: float = ANSWER_SECONDS) -> AsyncGenerator[Room]:
    """A room whose small model is the scripted one, with so many seconds for an answer."""
    async with room(store, model, llm=SMALL) as talk:
        (endpoint,) = talk.bot.model.endpoints
        assert endpoint.total_timeout == ANSWER_SECONDS
        asked = replace(endpoint, base_url=model.base_url, model="gpt-test", total_timeout=seconds)
        talk.bot.model = ModelClient(talk.bot.http, [asked])
        yield talk


@pytest.mark.parametrize(
    ("llm", "settings", "begins"),
    [
        (SMALL, {}, "You are a helpful assistant. You are helpful."),
        (SMALL, {"persona": "pirate"}, "You are a helpful assistant. You are a pirate."),
        (SMALL, {"act": "a knight"}, "You are a helpful assistant. You are a chat bot."),
        (OWN, {}, "You are helpful."),
        (ELSEWHERE, {}, "You are helpful."),
    ],
)
def test_it_is_told_first_what_it_was_trained_to_be_told(
    llm: Mapping[str, object], settings: dict[str, str], begins: str
) -> None:
    assert system_prompt(BotConfig(bot(llm)), settings).startswith(begins)


def test_a_prompt_that_says_it_says_it_once() -> None:
    prompt = "You are a helpful assistant. Be brief."
    config = BotConfig(bot(SMALL, personas=[{"name": "a", "title": "A", "prompt": prompt}]))
    assert system_prompt(config, {}) == prompt


def test_windows() -> None:
    assert window_of(bot(SMALL).spec.llm) == CONTEXT_WINDOW
    assert window_of(bot({**SMALL, "contextWindow": 512}).spec.llm) == 512
    assert window_of(bot(OWN).spec.llm) == FILE_WINDOW
    assert window_of(bot({**OWN, "contextWindow": 32768}).spec.llm) == 32768
    assert window_of(Llm(base_url="http://127.0.0.1:1/v1", model="m")) == 128_000


@pytest.mark.parametrize(("language", "says"), [("en", "English only"), ("ru", "только английский")])
async def test_about_says_that_it_is_small(store: Store, model: FakeOpenAI, language: str, says: str) -> None:
    async with room(store, model, llm=SMALL) as talk:
        assert says in (await talk.ask("!about", language=language)).text
    async with room(store, model) as talk:
        assert says not in (await talk.ask("!about", language=language)).text
    async with room(store, model, llm=OWN) as talk:
        text = (await talk.ask("!about", language=language)).text
        assert says not in text
        assert "qwen3-4b-q4_k_m" in text


@pytest.mark.parametrize(("language", "says"), [("en", "English only"), ("ru", "только английский")])
def test_the_page_says_so_and_suggests_what_it_can_answer(language: str, says: str) -> None:
    def page(llm: Mapping[str, object]) -> str:
        return View(texts=languages()[language], title="A bot", spec=bot(llm).spec, conversation="c").html()

    assert f'<p id="small" >{languages()[language].text("web-welcome-small")}</p>' in page(SMALL)
    assert says in languages()[language].text("web-welcome-small")
    assert 'value="What is the capital of Japan?"' in page(SMALL)
    for other in (OWN, ELSEWHERE):
        assert '<p id="small" hidden>' in page(other)
        assert "capital of Japan" not in page(other)


async def test_what_it_does_not_begin_in_its_time_is_said_and_not_tried_again(store: Store, model: FakeOpenAI) -> None:
    async with small_room(store, model, 0.2) as talk:
        model.fail("hang")
        said = await talk.ask("Read this long text")
        assert said.text.startswith("My small model did not get to an answer within half a minute")
        assert "retry" in said.buttons
        assert len(model.requests) == 1


async def test_what_it_does_not_end_in_its_time_is_shown_as_far_as_it_came(store: Store, model: FakeOpenAI) -> None:
    async with small_room(store, model, 3.0) as talk:
        model.fail("stall", text="One two three four five six", after_tokens=3)
        said = (await talk.ask("Count")).text
        assert said.startswith("One two")
        assert "\n\n" in said


async def test_a_summary_is_one_request_of_the_newest_messages(store: Store, model: FakeOpenAI) -> None:
    """A chat larger than its window is not read in ten parts, each of which takes as long as an answer."""
    group: dict[str, Any] = {"direct": False, "administrator": True}
    async with small_room(store, model) as talk:
        await talk.ask("!settings summary-buffer on", **group)
        for number in range(40):
            await talk.tell(f"message {number} " + "of some words " * 20, addressed=False, **group)
        before = len(model.requests)
        model.say("They counted.")
        text = (await talk.ask("!summary 40", **group)).text
        assert len(model.requests) == before + 1
        assert "message 39" in talk.told[-1]
        assert "message 0 " not in talk.told[-1]
        assert "My small model reads little at a time" in text
        assert text.endswith("They counted.")


def test_the_newest_lines_are_as_many_as_fit() -> None:
    async def never(_: object) -> str:
        raise AssertionError

    retelling = Retelling(ask=never, count=len, window=1000, language="English")
    lines = [Line("user", f"{number}{'x' * 100}", None) for number in range(50)]
    newest = retelling.newest(lines)
    assert newest == lines[-len(newest) :]
    assert 1 < len(newest) < 8
    assert retelling.newest(lines[:2]) == lines[:2]
    assert retelling.newest([Line("user", "x" * 5000, None)]) == [Line("user", "x" * 5000, None)]
