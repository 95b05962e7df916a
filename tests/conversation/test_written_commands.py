"""A command stands in a text as it is written where the text is read; what a platform withholds is told."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any, Literal

import pytest

from gptbot.conversation import commands
from gptbot.inbox.store import Store
from gptbot.locales import CommandForm, languages, texts
from gptbot.platforms.inbound import Address
from tests.conversation.room import Room, Sender, room
from tests.conversation.test_texts import FOLDER
from tests.fakes.openai import FakeOpenAI

GROUP: dict[str, Any] = {"direct": False}
BOSS: dict[str, Any] = {"direct": False, "administrator": True}


class Tapped(Sender):
    """Of a platform with commands of its own, on which groups withhold what it is told to say."""

    why: Literal["privacy", "content"] | None = None

    async def command_form(self) -> CommandForm:
        return lambda name, argument: f"<{name}|{argument}>"

    def delivers(self, alias: str, *, direct: bool) -> bool:
        return direct or alias.isascii()

    async def withheld(self, address: Address) -> Literal["privacy", "content"] | None:
        assert address
        return self.why


@pytest.fixture
async def tapped(store: Store, model: FakeOpenAI) -> AsyncGenerator[tuple[Room, Tapped]]:
    many = {"messages": 1000}
    async with room(store, model, limits={"perUser": many, "perChat": many}) as talk:
        sender = Tapped()
        talk.sender = talk.bot._senders["web"] = sender
        yield talk, sender


@pytest.mark.parametrize("language", languages())
def test_each_command_in_a_text_is_marked_as_one(language: str) -> None:
    """In code, where `Texts` finds it; the web page's own texts say `!`, which works there."""
    names = "|".join(sorted(commands.names()))
    for path in FOLDER.glob(f"*{language}.ftl"):
        if not path.name.startswith("web."):
            unmarked = [line for line in path.read_text().splitlines() if re.search(rf"(?<!`)!(?:{names})\b", line)]
            assert not unmarked, (path.name, unmarked)


@pytest.mark.parametrize("language", languages())
async def test_no_answer_names_a_command_that_cannot_be_tapped(tapped: tuple[Room, Tapped], language: str) -> None:
    talk, _ = tapped
    asked = [f"help {name}" for name in sorted(commands.names())]
    asked += [
        "help",
        "persona",
        "act",
        "settings",
        "settings answer-in",
        "settings answer-in always",
        "language",
        "forget",
    ]
    asked += [
        "about",
        "privacy",
        "summary nonsense",
        "persona nobody",
        "language ru",
        "language off",
        "settings x",
    ]
    for text in asked:
        answer = await talk.ask(f"!{text}", **BOSS, language=language)
        assert not re.search(r"[!/](?:\w+)`|`[!/]\w", answer.text), (text, answer.text)


async def test_further_names_are_told_where_they_arrive(tapped: tuple[Room, Tapped]) -> None:
    talk, _ = tapped
    assert re.search(r"<[а-я]+\|>", (await talk.ask("!help summary", language="ru")).text)
    group = (await talk.ask("!help summary", **GROUP, language="ru")).text
    assert "<recap|>" in group
    assert not re.search(r"<[а-я]+\|>", group)


def test_without_a_form_a_command_stays_as_it_is_typed() -> None:
    assert "`!help`" in texts("en")("command-unknown")
    assert texts("en").showing(lambda name, _: name).into("ru").language == "ru"


@pytest.mark.parametrize("why", ["privacy", "content"])
@pytest.mark.parametrize("language", languages())
async def test_what_does_not_arrive_is_told_with_what_to_switch(
    tapped: tuple[Room, Tapped], why: Literal["privacy", "content"], language: str
) -> None:
    talk, sender = tapped
    note = texts(language)(f"settings-withheld-{why}").partition("`")[0]
    sender.why = why
    for text in ("settings answer-in always", "settings", "help"):
        assert note in (await talk.ask(f"!{text}", **BOSS, language=language)).text
    sender.why = None
    assert note not in (await talk.ask("!settings answer-in always", **BOSS, language=language)).text
    sender.why = why
    for text in ("settings answer-in mentioned", "settings", "help"):
        assert note not in (await talk.ask(f"!{text}", **BOSS, language=language)).text


async def test_choices_follow_the_argument_before(talk: Room) -> None:
    info = next(info for info in commands.menu(lambda: talk.bot.config.bot.spec) if info.name == "settings")
    complete = info.arguments[1].complete
    assert complete is not None
    given = {
        name: [value for _, value in complete("", "en", {"setting": name})] for name in ("answer-in", "persona-lock")
    }
    assert given == {
        "answer-in": ["always", "mentioned", "commands", "default"], "persona-lock": ["on", "off", "default"],
    }  # fmt: skip
    assert [value for _, value in complete("com", "en", {"setting": "answer-in"})] == ["commands"]
    wrong = (await talk.ask("!settings persona-lock always", **BOSS)).text
    assert "`on`, `off`, `default`" in wrong


@pytest.mark.parametrize("language", languages())
async def test_a_wrong_period_is_told_what_a_right_one_is(talk: Room, language: str) -> None:
    answer = (await talk.ask("!summary nonsense", language=language)).text
    assert "nonsense" in answer
    assert "`100`" in answer
    assert " as what" not in answer
