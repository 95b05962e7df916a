"""Names for the people of a group chat."""

from __future__ import annotations

import re

from gptbot.inbox.keys import BotKeys
from gptbot.platforms.inbound import perhaps_person, person
from gptbot.safety.pseudonyms import Pseudonyms

NAMES = Pseudonyms(BotKeys("test/bot", b"p" * 32), "web", "chat-1")


def test_a_person_has_one_name_in_a_chat_and_another_elsewhere() -> None:
    name = NAMES.of("4711")
    assert re.fullmatch(r"user-[1-9A-HJ-NP-Za-km-z]{4}", name)
    assert Pseudonyms(NAMES.keys, "web", "chat-1").of("4711") == name
    others = [
        NAMES.of("4712"), Pseudonyms(NAMES.keys, "web", "chat-2").of("4711"),
        Pseudonyms(NAMES.keys, "telegram", "chat-1").of("4711"),
        Pseudonyms(BotKeys("test/bot", b"q" * 32), "web", "chat-1").of("4711"),
        Pseudonyms(BotKeys("test/other", b"q" * 32), "web", "chat-1").of("4711"),
    ]  # fmt: skip
    assert name not in others


def test_the_names_of_a_crowd_are_spread() -> None:
    names = {NAMES.of(str(number)) for number in range(2000)}
    assert len(names) > 1990
    for place in range(5, 9):
        assert len({name[place] for name in names}) == 58


def test_marks_become_names() -> None:
    said = f"{person('4711')} asked {person('@ada')}, and {person('4711')} left"
    ada = NAMES.of("@ada")
    assert NAMES.put_in(said) == f"@{NAMES.of('4711')} asked @{ada}, and @{NAMES.of('4711')} left"
    assert NAMES.put_in("no \ue000 mark \ue001\ue000\ue001") == "no @" + NAMES.of(" mark ") + "\ue000\ue001"
    assert NAMES.put_in("nobody") == "nobody"


def test_a_word_becomes_a_name_only_if_it_is_known_to_be_a_persons() -> None:
    said = f"ask {perhaps_person('@ada', '@Ada')} of {perhaps_person('@override', '@Override')}, {person('4711')}"
    ada = NAMES.of("@ada")
    assert NAMES.perhaps(said, "nobody", perhaps_person("@ada", "@ada")) == {ada, NAMES.of("@override")}
    assert NAMES.put_in(said, {ada}) == f"ask @{ada} of @Override, @{NAMES.of('4711')}"
    assert NAMES.put_in(said) == f"ask @Ada of @Override, @{NAMES.of('4711')}"
    assert NAMES.perhaps("\ue002", "\ue000\ue002x\ue001", "\ue000a\ue002\ue001") == set()
