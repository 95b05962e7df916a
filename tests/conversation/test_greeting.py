"""`/start`, also with a payload behind it: a greeting with buttons, never a complaint about a command."""

from __future__ import annotations

import pytest

from gptbot import reload
from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from tests.conversation.room import PERSONAS, Room, room
from tests.fakes.openai import FakeOpenAI

BUTTONS = {"help": "What I can do", "persona": "My roles", "privacy": "What I keep"}
ENGLISH = (
    "Hello! I answer questions with a language model. Just write to me, in any language."
    " I remember what we said for 24 hours."
)
RUSSIAN = (
    "Здравствуйте! Я отвечаю на вопросы с помощью языковой модели. Просто напишите мне на любом языке."
    " Наш разговор я помню 24 часа."
)


@pytest.mark.parametrize("text", ["/start", "/start ref_42", "/start@bot promo1", "/start help", "!start  a b  c"])
async def test_a_payload_is_no_command(talk: Room, text: str) -> None:
    answer = await talk.ask(text)
    assert (answer.text, answer.buttons) == (ENGLISH, BUTTONS)


async def test_in_a_group_it_says_how_it_is_spoken_to(talk: Room) -> None:
    answer = await talk.ask("/start@bot promo1", direct=False, language="ru")
    assert answer.text == RUSSIAN.replace(
        "Просто напишите мне на любом языке.", "В этой группе упомяните меня или ответьте на моё сообщение."
    )
    assert list(answer.buttons) == list(BUTTONS)
    assert (await talk.ask("/start", language="ru-RU")).text == RUSSIAN


async def test_each_button_is_a_command_that_answers(talk: Room) -> None:
    for command in (await talk.ask("/start")).buttons:
        assert "no such command" not in (await talk.ask(f"!{command}")).text


@pytest.mark.parametrize("text", ["/help@bot please", "!help 12345", "/help ref_42"])
async def test_help_with_a_word_that_names_nothing_shows_all(talk: Room, text: str) -> None:
    assert (await talk.ask(text)).text == (await talk.ask("/help")).text


async def test_help_with_nearly_a_command_asks_for_it(talk: Room) -> None:
    assert "Did you mean `!help summary`?" in (await talk.ask("/help sumary")).text


async def test_the_owner_greets_in_their_own_words_and_per_role(store: Store, model: FakeOpenAI) -> None:
    pirate = PERSONAS[1] | {"greeting": "Ahoy!"}
    async with room(store, model, greeting="Welcome to **Tea**.", personas=[PERSONAS[0], pirate]) as talk:
        assert (await talk.ask("/start x", language="ru")).text == "Welcome to **Tea**."
        await talk.ask("!persona pirate")
        answer = await talk.ask("/start x")
        assert (answer.text, answer.buttons) == ("Ahoy!", BUTTONS)
        await talk.ask("!act a clerk")
        assert (await talk.ask("/start")).text == "Welcome to **Tea**."


async def test_without_other_roles_there_is_no_button_for_them(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, personas=PERSONAS[:1], customPersona="forbidden") as talk:
        assert list((await talk.ask("/start")).buttons) == ["help", "privacy"]


async def test_a_changed_greeting_is_picked_up(talk: Room) -> None:
    bot = talk.bot.config.bot
    changed = bot.model_copy(update={"spec": bot.spec.model_copy(update={"greeting": "Hi again."})})
    assert reload.apply(talk.bot, BotConfig(changed))
    assert (await talk.ask("/start")).text == "Hi again."
