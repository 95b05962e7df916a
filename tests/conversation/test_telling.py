"""What the bot tells of itself: who it is, what it keeps, what is used up, how fast it is."""

from __future__ import annotations

import re

import pytest

from gptbot.inbox.store import Store
from tests.conversation.room import Room, room
from tests.fakes.openai import FakeOpenAI

ABOUT = {"owner": "Example Ltd", "contact": "bot@example.org", "source": "https://example.org/bot"}


async def test_about_tells_who_runs_it_and_privacy_in_three_lines(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, about=ABOUT, context={"maxMessages": 7, "ttl": "7d"}) as talk:
        text = (await talk.ask("!about")).text
    for part in ("gpt-test", "**Assistant**", "Example Ltd", "bot@example.org", "https://example.org/bot", "gptbot 0."):
        assert part in text
    lines = text.partition("\n\n")[2].splitlines()
    assert len(lines) == 3
    assert "the last 7 messages of a conversation for 24 hours" in lines[0], "never longer than privacy.retention"
    assert "e-mail addresses" in lines[1]


async def test_about_says_so_when_the_owner_says_nothing(talk: Room) -> None:
    text = (await talk.ask("!about", language="ru")).text
    assert "Мой владелец не указал, кто он." in text
    assert "Связь" not in text


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_privacy_is_made_of_the_settings(store: Store, model: FakeOpenAI, language: str) -> None:
    said = {"en": ("24 hours", "gpt-test", "up to 5 s"), "ru": ("24 часа", "gpt-test", "")}[language]
    async with room(store, model, about=ABOUT, privacy={"redact": ["email"]}) as talk:
        text = (await talk.ask("!privacy", language=language)).text
        assert said[0] in text
        assert said[1] in text
        assert {"en": "e-mail", "ru": "адреса почты"}[language] in text
        assert {"en": "phone", "ru": "телефон"}[language] not in text
        assert "Example Ltd" in text
        assert text.endswith("bot@example.org")
        assert "!summary" not in text, "there is nothing to overhear in private"
        group = {"direct": False, "administrator": True, "language": language}
        silent = (await talk.ask("!privacy", **group)).text
        await talk.ask("!settings summary-buffer on", **group)
        kept = (await talk.ask("!privacy", **group)).text
        assert ("!summary" in silent, "300" in silent, "300" in kept) == (True, False, True)


async def test_privacy_of_a_bot_that_takes_nothing_out(store: Store, model: FakeOpenAI) -> None:
    moderation = {"baseUrl": "http://127.0.0.1:1/v1", "onError": "allow"}
    async with room(
        store, model, privacy={"redact": []}, safety={"moderation": moderation}, llm={"embedded": {}}
    ) as talk:
        text = (await talk.ask("!privacy")).text
    assert "please send none" in text
    assert "moderation" in text
    assert "runs beside me" in text


async def test_usage_tells_what_is_used_and_what_is_left(store: Store, model: FakeOpenAI) -> None:
    limits = {
        "perUser": {"messages": 5, "per": "10m"}, "perBot": {"messages": 9}, "tokensPerDay": 0,
        "tokensPerUserPerDay": 10_000,
    }  # fmt: skip
    async with room(store, model, limits=limits) as talk:
        model.say("Fine.")
        await talk.ask("How are you?")
        text = (await talk.ask("!usage")).text
        assert "your messages: 3 of 5 in 10 minutes" in text
        assert "messages of everybody: 7 of 9 in 1 minute" in text
        assert "of this chat" not in text
        used = re.search(r"your tokens today: (\d+) used, ([\d,]+) of 10,000 left", text)
        assert used is not None
        assert int(used[1]) > 0
        assert int(used[1]) + int(used[2].replace(",", "")) == 10_000
        assert f"everybody's tokens today: {used[1]} used, no limit" in text
        assert re.search(r"A new day begins in \d+ \w+\.", text)
        assert "messages of this chat: 59 of 60" in (await talk.ask("!usage", direct=False, conversation="other")).text


async def test_usage_tells_what_answers_cost_where_prices_are_set(store: Store, model: FakeOpenAI) -> None:
    prices = {"input": 1000, "output": 100_000, "currency": "EUR"}
    llm = {"baseUrl": model.base_url, "model": "gpt-test", "prices": prices}
    async with room(store, model, llm=llm, limits={"costPerDay": 50}) as talk:
        model.say("Fine, and you?")
        await talk.ask("How are you?")
        text = (await talk.ask("!usage")).text
        cost = re.search(r"your answers cost today: ([\d.]+) EUR, no limit", text)
        assert cost is not None
        assert 0.3 < float(cost[1]) < 0.4, "3 words of the scripted model, at 0.1 each, and the question"
        left = re.search(rf"everybody's answers cost today: {cost[1]} EUR, ([\d.]+) of 50 left", text)
        assert left is not None
        assert float(cost[1]) + float(left[1]) == pytest.approx(50)
        russian = (await talk.ask("!usage", language="ru")).text
        assert f"ваши ответы сегодня стоили: {cost[1].replace('.', ',')} EUR, без ограничения" in russian


async def test_ping_tells_times_and_how_the_model_is(talk: Room) -> None:
    text = (await talk.ask("!ping")).text
    assert re.match(r"Pong! Your message was with me after \d+ ms, and my store answered in \d+ ms\.\n", text)
    assert text.endswith("My language model has answered well.")
    breaker = talk.bot.model._breakers[0]
    breaker._open(lasting=False, at_least=0)
    assert (await talk.ask("!пинг")).text.endswith("I try it again from time to time.")
    breaker.succeeded()


async def test_ping_tells_that_a_fallback_answers(store: Store, model: FakeOpenAI) -> None:
    fallbacks = [{"baseUrl": model.base_url, "model": "other"}]
    async with room(store, model, llm={"baseUrl": model.base_url, "model": "gpt-test", "fallbacks": fallbacks}) as talk:
        first = talk.bot.model._breakers[0]
        first._open(lasting=False, at_least=0)
        assert "another one answers in its place" in (await talk.ask("!ping")).text
        first.succeeded()
