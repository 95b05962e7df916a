"""An edit after the answer: what is remembered are the new words, and nothing is answered again."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from gptbot.conversation.context import entry_of, question, remembered
from gptbot.inbox.asked import Asked, amended, questions_of
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.store import Store
from gptbot.platforms.inbound import person
from tests.conversation.room import Room, room
from tests.fakes.openai import FakeOpenAI

GROUP: dict[str, Any] = {"direct": False}


async def edit(talk: Room, event: str, text: str, **changes: Any) -> None:
    assert not await talk.tell(text, event=event, original_at=time.time(), **changes), "it is no new question"


async def context(talk: Room) -> list[str]:
    """What is remembered of the room."""
    key = talk.bot.keys.context(talk.bot.keys.pseudonym("web", "conversation", "room"))
    return [message["content"] for message in remembered(await talk.store.command("LRANGE", key, 0, -1))]


async def test_new_words_take_the_place_of_the_old_ones(talk: Room) -> None:
    for event, text in (("1", "I live in Paris."), ("2", "And I like tea.")):
        talk.model.say(f"Noted {event}.")
        await talk.ask(text, event=event)
    await edit(talk, "1", "I live in Rome; write to ada@example.org.")
    assert await context(talk) == ["I live in Rome; write to [email].", "Noted 1.", "And I like tea.", "Noted 2."]
    assert await talk.bot.mailbox.backlog() == 0, "there is no second answer"
    await edit(talk, "1", "I live in Bari.")
    await talk.ask("Where do I live?")
    assert talk.told[-5:] == ["I live in Bari.", "Noted 1.", "And I like tea.", "Noted 2.", "Where do I live?"]


async def test_names_quotes_and_people_stay_as_they_are(talk: Room) -> None:
    await talk.ask("first\nline", event="1", quote=f"{person('bob')}: it rains", **GROUP)
    [before, _] = await context(talk)
    name, quote, *_ = before.split("\n")
    assert before == f"{name}\n{quote}\n\n  first\n  line"
    await edit(talk, "1", f"ask {person('bob')}\nuser-abcd: not bob", quote=f"{person('bob')}: it rains", **GROUP)
    bob = quote.removeprefix("> ").partition(":")[0]
    assert (await context(talk))[0] == f"{name}\n{quote}\n\n  ask {bob}\n  user-abcd: not bob"


async def test_one_of_several_questions_of_one_answer_is_edited(talk: Room) -> None:
    for event in ("1", "2"):
        await talk.tell(f"question {event}", event=event)
    await talk.answer(2)
    await edit(talk, "2", "another question")
    assert (await context(talk))[:2] == ["question 1", "another question"]


@pytest.mark.parametrize("again", [False, True], ids=["answer", "regenerated answer"])
async def test_an_edit_while_the_answer_is_shown_is_remembered_with_it(
    talk: Room, model: FakeOpenAI, again: bool
) -> None:
    if again:
        model.say("first answer")
        await talk.ask("old words", event="1")
        await talk.tell("!retry")
    else:
        await talk.tell("old words", event="1")
    model.say("a b c d e f g h", tokens_per_second=4)
    talk.sender.shown.clear()
    answering = asyncio.create_task(talk.answer())
    async with asyncio.timeout(20):
        while not talk.sender.shown:
            await asyncio.sleep(0.01)
        await edit(talk, "1", "new words")
        assert (await answering).text == "a b c d e f g h"
    assert await context(talk) == ["new words", "a b c d e f g h"]
    assert await talk.bot.mailbox.backlog() == 0
    assert model.requests[-1].asked == "old words"


async def test_regenerate_asks_the_new_words_also_without_an_answer(talk: Room, model: FakeOpenAI) -> None:
    for event, refused in (("1", False), ("2", True)):
        if refused:
            model.fail("refused")
        await talk.ask("old words", event=event)
        await edit(talk, event, f"new words {event}")
        await talk.ask("!retry")
        assert model.requests[-1].asked == f"new words {event}"


async def test_limits_of_edits_hold_after_the_answer_too(store: Store, model: FakeOpenAI) -> None:
    async with room(store, model, limits={"perUser": {"messages": 2, "per": "1h"}}) as talk:
        await talk.ask("0", event="1")
        for number in range(1, 20):
            await edit(talk, "1", str(number))
        assert (await context(talk))[0] in {"1", "2", "3"}


async def test_what_becomes_a_command_changes_nothing(talk: Room) -> None:
    await talk.ask("a question", event="1")
    await edit(talk, "1", "!reset")
    assert (await context(talk))[0] == "a question"
    assert await talk.bot.mailbox.backlog() == 0


@pytest.mark.parametrize(
    ("fields", "after"),
    [
        ({"text": "old"}, "new\nline"),
        ({"text": "  old\n"}, "new\nline"),
        ({"text": "old", "quote": "q"}, "> q\n\nnew\nline"),
        ({"text": "", "quote": "q"}, "> q\n\nnew\nline"),
        ({"text": "old", "speaker": "user-k3Fq"}, "user-k3Fq: new\n  line"),
        ({"text": "", "speaker": "user-k3Fq"}, "user-k3Fq: new\n  line"),
        ({"text": "a\nb", "quote": "q", "speaker": "user-k3Fq"}, "user-k3Fq:\n> q\n\n  new\n  line"),
        ({"text": "", "quote": "q", "speaker": "user-k3Fq"}, "user-k3Fq:\n> q\n\n  new\n  line"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("files", [[], ["[image]", "[file: csv]"]])
def test_what_was_said_is_replaced_and_nothing_else(fields: dict[str, Any], after: str, files: list[str]) -> None:
    message = Envelope(event="e", platform="web", user="u", address={}, direct=True, received=0.0, **fields)
    asked = question(message, [])
    indent = "  " if message.speaker else ""
    words = [f"{indent}{file}" for file in files]
    asked = asked.grown("\n\n".join([asked.text.rstrip(), *words]).strip())
    assert asked.text[asked.start :][: asked.length].split() == message.text.split()
    for said, wanted in (("new\nline", after), ("", None), (" new\nline ", after)):
        [asked] = questions_of(amended(asked.encode(), {"e": said}))
        if wanted is not None:
            assert asked.text == "\n\n".join([wanted, *words])
        assert asked.said == said.strip()
    assert amended(asked.encode(), {"another": "x"}) == asked.encode()


@pytest.mark.parametrize(
    "entry",
    [
        b'["user","text",7]', b'["user","text",["e",0,5,""]]', b'["user","text",["e",-1,1,""]]',
        b'["user","text",["e",true,1,""]]', b'["user","text",["e",0,1e300,""]]', b'["user","text",["e",0,1]]',
        b'["user","text",["e",0,1,""],8]', b'["asked",["a","b"],[null]]', b'["asked",["a"],7]', b'["asked",[1]]',
        b'["assistant","text",["e",0,1,""]]',
    ],
)  # fmt: skip
def test_marks_that_cannot_be_are_left_out_not_guessed(entry: bytes) -> None:
    assert entry_of(entry) is None
    assert amended(entry, {"e": "new"}) == entry


def test_entries_of_older_versions_are_read() -> None:
    assert entry_of(b'["user","text"]') == ("user", "text")
    assert entry_of(b'["asked",["a","b"]]') == ("asked", ["a", "b"])
    assert questions_of(b'["asked",["a","b"]]') == [Asked("a"), Asked("b")]
