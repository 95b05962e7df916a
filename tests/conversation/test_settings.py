"""What is chosen in a conversation: its language, and what administrators of a group decide."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gptbot.inbox.choices import LASTS, Choices
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.overheard import Overheard, OverheardMessages
from gptbot.inbox.store import Store
from gptbot.platforms.inbound import Verdict
from tests.conversation.room import Room, room
from tests.fakes.openai import FakeOpenAI

GROUP: dict[str, Any] = {"direct": False}
BOSS: dict[str, Any] = {"direct": False, "administrator": True}


async def test_a_language_is_chosen_for_all_texts_and_given_back(talk: Room) -> None:
    listed = await talk.ask("!language")
    assert "`en` (English), `ru` (Русский)" in listed.text
    assert listed.buttons == {"language en": "English", "language ru": "Русский"}
    assert (await talk.ask("!language ru")).text.startswith("Теперь я говорю здесь по-русски.")
    assert (await talk.ask("!persona pirate")).text.startswith("Теперь моя роль – **Sea Wolf**.")
    listed = await talk.ask("!language", language="fr")
    assert listed.text.startswith("В этом разговоре мой язык – Русский.")
    assert listed.buttons == {"language en": "English", "language off": "как на платформе"}
    assert (await talk.ask("!language off")).text.startswith("Теперь я говорю на том языке, который называет")
    assert (await talk.ask("!ping")).text.startswith("Pong!")
    assert (await talk.ask("!language Русский")).text.startswith("Теперь"), "by its own name too"


async def test_a_language_is_told_to_the_model_as_what_to_fall_back_on(talk: Room) -> None:
    talk.model.say("Fine.")
    await talk.ask("42")
    assert talk.told[0] == "You are helpful."
    await talk.ask("!language ru")
    talk.model.say("Fine.")
    await talk.ask("43")
    expected = "Answer in the language of the question. If that cannot be told, answer in Russian."
    assert talk.told[0] == f"You are helpful.\n\n{expected}"


async def test_notices_and_refusals_are_in_the_language_chosen(store: Store, model: FakeOpenAI) -> None:
    heard: list[Verdict] = []

    async def hears(verdict: Verdict) -> None:
        heard.append(verdict)

    async with room(store, model, limits={"perUser": {"messages": 1}}) as talk:
        await talk.ask("!language ru")
        assert not await talk.tell("hi")
        assert (await talk.answer()).text.startswith("Вы пишете быстрее")
        assert not await talk.tell("hi", hears=hears)
    assert [(verdict.refusal, verdict.language) for verdict in heard] == [("limit-user", "ru")]


async def test_settings_are_for_administrators_of_groups(talk: Room) -> None:
    assert (await talk.ask("!settings")).text == "`!settings` works in groups only."
    refused = "Only administrators of this chat may use `!settings`."
    assert (await talk.ask("!settings answer-in always", **GROUP)).text == refused
    listed = await talk.ask("!settings", **BOSS)
    assert "`answer-in` – when I answer: **when mentioned**" in listed.text
    assert set(listed.buttons) == {
        "settings answer-in always", "settings answer-in commands", "settings persona-lock on",
        "settings summary-buffer on",
    }  # fmt: skip
    assert "one of `on`, `off`" in (await talk.ask("!settings persona-lock", **BOSS)).text
    assert "one of `on`, `off`" in (await talk.ask("!settings persona-lock always", **BOSS)).text
    assert "Did you mean `persona-lock`?" in (await talk.ask("!settings personalock on", **BOSS)).text
    assert await talk.settings() == {}


async def test_when_the_bot_answers_is_decided_by_the_group(talk: Room) -> None:
    aside: dict[str, Any] = GROUP | {"addressed": False}
    assert not await talk.tell("hello", **aside)
    assert "every message" in (await talk.ask("!settings answer-in always", **BOSS)).text
    talk.model.say("Hello!")
    assert (await talk.ask("hello", **aside)).text == "Hello!"
    await talk.ask("!settings answer-in commands", **BOSS)
    assert not await talk.tell("hello", **GROUP)
    await talk.ask("!settings answer-in default", **BOSS)
    assert await talk.settings() == {}
    assert not await talk.tell("hello", **aside)
    assert not await talk.tell("hello", conversation="another", **aside)


async def test_the_door_looks_once_in_a_while_and_on_the_way(talk: Room) -> None:
    before = talk.store.round_trips
    assert await talk.tell("first", conversation="new")
    assert talk.store.round_trips - before == 2, "settings come with the check of the limits, then it is stored"
    before = talk.store.round_trips
    for _ in range(50):
        assert not await talk.tell("not for the bot", conversation="busy", direct=False, addressed=False)
    assert talk.store.round_trips - before == 1


async def test_what_was_read_holds_for_a_few_seconds(store: Store, keys: BotKeys) -> None:
    now = 0.0
    choices = Choices(store, keys, clock=lambda: now)
    assert (await choices.get("c")).answer_in is None
    await store.command("HSET", keys.settings("c"), "answer_in", "always")
    now = LASTS - 0.1
    assert (await choices.get("c")).answer_in is None
    now = LASTS
    assert (await choices.get("c")).answer_in == "always"
    assert choices.known("c") is not None
    choices.changed("c")
    assert choices.known("c") is None


async def test_messages_for_summaries_are_deleted_when_they_are_to_be_kept_no_more(talk: Room) -> None:
    assert "the last 300 messages for 24 hours" in (await talk.ask("!settings summary-buffer on", **BOSS)).text
    conversation = talk.bot.keys.pseudonym("web", "conversation", "room")
    kept = OverheardMessages(talk.store, talk.bot.keys)
    await kept.keep(conversation, "e", "ada", Overheard("user-1", "hello", time.time()), talk.bot.config.bot.spec)
    assert await kept.count(conversation) == 1
    assert "are deleted" in (await talk.ask("!settings summary-buffer off", **BOSS)).text
    assert await kept.count(conversation) == 0
    assert await talk.settings() == {}


async def test_where_messages_are_never_kept_it_cannot_be_switched_on(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, context={"summaryBuffer": 0}) as talk:
        assert "summary-buffer" not in (await talk.ask("!settings", **BOSS)).text
        assert "My owner has decided" in (await talk.ask("!settings summary-buffer on", **BOSS)).text
        assert await talk.settings() == {}


@pytest.mark.parametrize("text", ["!reset", "!forget chat"])
async def test_settings_outlast_a_reset_and_nothing_else(talk: Room, text: str) -> None:
    await talk.ask("!language en")
    await talk.ask("!settings answer-in always", **BOSS)
    await talk.ask("!act a clerk", **GROUP)
    await talk.ask(text, **BOSS)
    kept = {"language": "en", "answer_in": "always"}
    assert await talk.settings() == (kept if text == "!reset" else {})


async def test_what_is_in_use_is_kept(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, privacy={"retention": "1h"}) as talk:
        await talk.ask("!language en")
        settings = talk.bot.keys.settings(talk.bot.keys.pseudonym("web", "conversation", "room"))
        await store.command("PEXPIRE", settings, 5000)
        await talk.ask("!ping")
        assert 3_590_000 < await store.command("PTTL", settings) <= 3_600_000
