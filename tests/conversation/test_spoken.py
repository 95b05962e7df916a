"""Roles given in plain words are recognised; talk is left to the model."""

from __future__ import annotations

import pytest

from gptbot.conversation.spoken import MOST_CHARACTERS, spoken_command, spoken_end, spoken_role
from gptbot_api import parse

ROLES = [
    ("you are a consultant in a home-appliance store", "a consultant in a home-appliance store"),
    ("You're a cook at a small restaurant.", "a cook at a small restaurant"),
    ("From now on you are a pirate", "a pirate"),
    ("from now on, you will be Sherlock Holmes!", "Sherlock Holmes"),
    ("Please, from now on act as a strict teacher of English", "a strict teacher of English"),
    ("You are now a lawyer", "a lawyer"),
    ("Act as a Linux terminal. I will type commands, and you reply with what it shows.",
     "a Linux terminal. I will type commands, and you reply with what it shows"),
    ("I want you to act as a travel guide", "a travel guide"),
    ("pretend to be my grandmother", "my grandmother"),
    ("Imagine you are a historian of Rome", "a historian of Rome"),
    ("ok, play the role of a job interviewer", "a job interviewer"),
    ("ты теперь консультант в магазине бытовой техники", "консультант в магазине бытовой техники"),
    ("Ты — консультант в магазине бытовой техники.", "консультант в магазине бытовой техники"),
    ("ты консультант в магазине бытовой техники", "консультант в магазине бытовой техники"),
    ("Теперь ты пират", "пират"),
    ("отныне вы — строгий учитель английского!", "строгий учитель английского"),
    ("С этого момента ты будешь Шерлоком Холмсом", "Шерлоком Холмсом"),
    ("Пожалуйста, будь моим репетитором по физике", "моим репетитором по физике"),
    ("Представь, что ты историк", "историк"),
    ("веди себя как капитан корабля", "капитан корабля"),
    ("Отвечай, как юрист с большим опытом", "юрист с большим опытом"),
    ("Твоя роль — продавец в книжном магазине", "продавец в книжном магазине"),
]  # fmt: skip

TALK = [
    "Hello!",
    "You are wrong",
    "you are right about that",
    "You are a genius",
    "you're a great help in my work, thanks",
    "You are a bit slow at this",
    "You are not a doctor",
    "Are you a robot from the future?",
    "From now on you are a pirate. What is your name?",
    "What would you do if you were a cook at a restaurant?",
    "He said you are a cook at a restaurant",
    "Tell me who you are",
    "You will be able to see it tomorrow",
    "now you are ready",
    "The store has a consultant",
    "ты прав",
    "Ты где",
    "ты кто такой",
    "Ты — молодец",
    "Ты теперь понял",
    "теперь ты знаешь всё",
    "Вы работаете по воскресеньям?",
    "ты не консультант в магазине",
    "Представь доклад о пиратах",
    "Будь здоров",
    "будь добр, помоги мне с задачей",
    "Будьте вежливы с клиентами?",
    "Кто ты теперь?",
    "Мне нужен консультант в магазине бытовой техники",
    "",
]


ENDS = [
    "be yourself again",
    "Be yourself!",
    "Please be your usual self again",
    "stop pretending",
    "ok, stop playing the role",
    "Stop acting now",
    "enough, drop the role",
    "Break character.",
    "Forget it, you are the usual assistant again",
    "you're a normal bot again",
    "go back to being yourself",
    "now be normal",
    "забудь, ты снова обычный ассистент",
    "Ты снова обычный бот!",
    "хватит притворяться",
    "Перестань играть роль",
    "выйди из роли",
    "Выйди из образа, пожалуйста",
    "Пожалуйста, будь снова самим собой",
    "стань опять обычным ассистентом",
    "ты опять просто помощник",
    "Хватит, забудь эту роль",
    "вернись в обычный режим",
]

NO_ENDS = [
    "stop",
    "How do I stop pretending?",
    "be yourself in an interview: is that good advice?",
    "Stop playing the piano",
    "drop the table users",
    "you are the usual suspect",
    "normal",
    "Forget it",
    "ты снова опоздал",
    "хватит",
    "всё",
    "будь осторожен снова",
    "Он перестал притворяться",
    "забудь пароль",
    "обычный ассистент",
    "",
]


@pytest.mark.parametrize("text", ENDS)
def test_the_end_of_a_role_is_recognised(text: str) -> None:
    assert spoken_end(text)


@pytest.mark.parametrize("text", [*NO_ENDS, *TALK, *(text for text, _ in ROLES)])
def test_nothing_else_ends_a_role(text: str) -> None:
    assert not spoken_end(text)


@pytest.mark.parametrize(
    ("custom", "text", "expected"),
    [
        ("allowed", "you are now a pirate", ("act", "a pirate")),
        ("forbidden", "you are now a pirate", None),
        ("forbidden", "You are now a translator!", ("persona", "translator")),
        ("allowed", "ты теперь переводчик", ("persona", "russian")),
        ("allowed", "Act as the TRANSLATOR", ("persona", "translator")),
        ("forbidden", "be yourself again", ("persona", "off")),
        ("allowed", "Who are you?", None),
    ],
)
def test_words_amount_to_a_command(custom: str, text: str, expected: tuple[str, str] | None) -> None:
    spec = parse({
        "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": "bot"},
        "spec": {
            "platforms": {"web": {}}, "llm": {"embedded": {}}, "customPersona": custom,
            "personas": [
                {"name": "translator", "prompt": "p"}, {"name": "russian", "title": "Переводчик", "prompt": "p"},
            ],
        },
    }).spec  # fmt: skip
    assert spoken_command(spec, text) == expected


@pytest.mark.parametrize(("text", "role"), ROLES)
def test_a_role_is_recognised(text: str, role: str) -> None:
    assert spoken_role(text) == role


@pytest.mark.parametrize("text", TALK)
def test_talk_is_left_alone(text: str) -> None:
    assert spoken_role(text) is None


def test_a_long_text_is_no_role() -> None:
    assert spoken_role("You are now " + "a" * MOST_CHARACTERS) is None


@pytest.mark.timeout(5)
def test_no_text_makes_it_slow() -> None:
    for text in ("ты " + "теперь " * 140, "you are a" + " very" * 190, "please, " * 120, "ты " + "-" * 990):
        spoken_role(text)
        spoken_end(text[:120])
