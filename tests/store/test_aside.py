"""While a turn waits for the model, what needs none goes past it: at once, in order, one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from gptbot.conversation import commands
from gptbot.inbox.changes import Changes
from gptbot.inbox.claims import Claim, Unsure
from gptbot.inbox.envelope import ASK_THE_MODEL, CONTINUE, RETRY
from gptbot.inbox.expiry import Expiry
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Away, Mailbox
from gptbot.inbox.store import Store
from gptbot_api import store_functions
from tests.store.scene import Scene

HOUR = 3600.0


class Waiting(Scene):
    """A question that waits for the model, for an hour if nobody does anything."""

    async def begin(self, why: Away = Away.FAILED) -> None:
        await self.door.say("question")
        claim = await self.claim()
        await self.mailbox.begin(claim)
        await self.mailbox.sent(claim, 0, "notice")
        await self.mailbox.retry(claim, HOUR, model=why)

    async def nothing(self) -> bool:
        """Whether no worker gets anything to do."""
        for entry in await self.mailbox.receive(5, 0.001):
            assert await self.mailbox.claim(entry) is None
        return not await self.mailbox.promote() and not await self.mailbox.receive(5, 0.001)

    async def due(self) -> float:
        """Seconds until the question is tried again; 0 when it does not wait in `later`."""
        found = await self.door.store.command("ZRANGE", self.door.keys.later, 0, -1, "WITHSCORES")
        return float(found[1]) / 1000 - time.time() if found else 0.0

    async def end(self, claim: Claim) -> None:
        await self.mailbox.done(claim, [], 60, 40)


@pytest.fixture
def scene(store: Store, keys: BotKeys) -> Waiting:
    return Waiting(store, keys)


def commands_of(claim: Claim) -> list[str | None]:
    return [message.command for message in claim.messages]


async def test_commands_are_answered_at_once_and_in_order_and_the_question_waits_on(scene: Waiting) -> None:
    await scene.begin()
    for text in ("!usage", "!help", "!reset"):
        await scene.door.say(text)
    for name in ("usage", "help", "reset"):
        claim = await scene.claim()
        assert (claim.aside, commands_of(claim), claim.sent) == (True, [name], {})
        await scene.mailbox.begin(claim)
        await scene.mailbox.sent(claim, 0, f"answer to {name}")
        await scene.end(claim)
    assert await scene.nothing()
    assert HOUR - 60 < await scene.due() <= HOUR
    await scene.door.say("!stop")
    assert await scene.mailbox.promote() == 1, "a stop ends the wait"
    claim = await scene.claim()
    assert (claim.stop, claim.aside, claim.sent, claim.attempts, claim.away) == (True, False, {0: "notice"}, 1, 1)
    assert [message.text for message in claim.messages] == ["question"]
    await scene.end(claim)
    assert await scene.door.store.command("XLEN", scene.door.keys.runnable) == 0


async def test_what_came_during_the_try_goes_past_as_well(scene: Waiting) -> None:
    await scene.door.say("question")
    claim = await scene.claim()
    for text in ("!help", "another question", "!usage", "!summary 1h"):
        await scene.door.say(text)
    await scene.mailbox.retry(claim, HOUR, model=Away.FAILED)
    for name in ("help", "usage"):
        claim = await scene.claim()
        assert (claim.aside, commands_of(claim)) == (True, [name])
        await scene.end(claim)
    assert await scene.nothing()
    assert commands_of_mail(await scene.door.mail()) == [None, None, "summary"]


def commands_of_mail(mail: list[Any]) -> list[str | None]:
    return [message.command for message in mail]


async def test_a_notice_needs_no_model(store: Store, keys: BotKeys) -> None:
    scene = Waiting(store, keys, limits={"perUser": {"messages": 1, "per": "1h"}})
    await scene.begin()
    await scene.door.say("one too many")
    claim = await scene.claim()
    assert (claim.aside, claim.messages[0].notice) == (True, "limit-user")


@pytest.mark.parametrize("text", ["another question", "!summary 1h", "!retry"])
async def test_who_asks_anew_has_the_next_try_made_at_once(scene: Waiting, text: str) -> None:
    await scene.begin()
    assert await scene.nothing()
    await scene.door.say(text)
    claim = await scene.claim()
    assert (claim.aside, claim.sent) == (False, {0: "notice"})
    assert claim.messages[0].text == "question"


async def test_a_wait_that_the_model_asked_for_is_kept(scene: Waiting) -> None:
    await scene.begin(Away.ASKED_TO_WAIT)
    await scene.door.say("another question")
    assert await scene.nothing()
    await scene.door.say("!help")
    await scene.end(await scene.claim())
    assert await scene.nothing()
    assert await scene.due() > HOUR - 60


async def test_who_asks_while_a_command_is_answered_has_the_try_right_after_it(scene: Waiting) -> None:
    await scene.begin()
    await scene.door.say("!help")
    claim = await scene.claim()
    await scene.door.say("another question")
    await scene.end(claim)
    claim = await scene.claim()
    assert [message.text for message in claim.messages] == ["question", "another question"]


async def test_a_stop_while_a_command_is_answered_ends_the_question_alone(scene: Waiting) -> None:
    await scene.begin()
    await scene.door.say("!help")
    claim = await scene.claim()
    await scene.door.say("!stop")
    assert await scene.stops.heard() == []
    await scene.end(claim)
    claim = await scene.claim()
    assert (claim.stop, claim.aside) == (True, False)


@pytest.mark.parametrize("end", ["done", "bury", "retry"])
async def test_a_question_deleted_meanwhile_leaves_nothing_behind(scene: Waiting, end: str) -> None:
    await scene.begin()
    await scene.door.say("!help")
    claim = await scene.claim()
    await scene.door.intake.deleted("chat-4711", ["e1"])
    assert await scene.door.mail() == []
    match end:
        case "done":
            await scene.end(claim)
        case "bury":
            await scene.mailbox.bury(claim, "reason", 60)
        case _:
            await scene.mailbox.retry(claim, 0)
            claim = await scene.claim()
            assert (claim.aside, claim.attempts) == (True, 1)
            await scene.end(claim)
    assert await scene.nothing()
    await scene.door.say("!help")
    claim = await scene.claim()
    assert not claim.aside, "nothing waits any more"


async def test_an_edit_of_the_question_is_put_in_while_a_command_is_answered(scene: Waiting) -> None:
    await scene.begin()
    await scene.door.say("!help")
    claim = await scene.claim()
    await scene.door.say("another text", event="e1", original_at=time.time())
    assert await scene.texts() == ["another text"]
    await scene.end(claim)
    assert await scene.nothing()


async def test_a_worker_that_dies_at_a_command_is_taken_over(store: Store, keys: BotKeys) -> None:
    scene = Waiting(store, keys)
    await scene.begin()
    await scene.door.say("!help")
    first = await scene.claim()
    await scene.mailbox.begin(first)
    await scene.mailbox.sent(first, 0, "answer")
    other = Mailbox(store, keys, "other", lease=0.0)
    [entry] = await other.take_over(5)
    second = await other.claim(entry)
    assert second is not None
    assert (second.aside, second.sent, second.messages) == (True, {0: "answer"}, first.messages)
    await other.done(second, [], 60, 40)
    assert await scene.nothing()
    assert await scene.due() > HOUR - 60


async def test_what_may_have_been_sent_is_known_to_whoever_comes_next(scene: Waiting) -> None:
    await scene.door.say("question")
    claim = await scene.claim()
    await scene.mailbox.begin(claim, Unsure(0, "41/20"))
    await scene.mailbox.retry(claim, 0, attempt=False)
    claim = await scene.claim()
    assert claim.unsure == Unsure(0, "41/20")
    await scene.mailbox.sent(claim, 0, "42")
    assert await scene.mailbox.last_sent(claim.conversation) == "42"
    await scene.mailbox.begin(claim, Unsure(1, "42/20"))
    claim.unsure = None  # it has surely not arrived
    await scene.mailbox.retry(claim, 0, attempt=False)
    assert (await scene.claim()).unsure is None


@pytest.mark.parametrize("text", [None, "", "x", "1", "1:" + "9" * 64, "9" * 13 + ":1", "-1:1", "1.5:2"])
def test_a_spoiled_note_of_what_may_have_been_sent_is_none(text: str | None) -> None:
    assert Unsure.read(text) is None


def test_the_commands_that_ask_the_model_are_known_everywhere() -> None:
    asking = {name for name in commands.names() if commands.command(name).asks_model} | {RETRY, CONTINUE}
    assert asking == ASK_THE_MODEL
    stop: Callable[[str], str] = store_functions._text
    assert all(f"'{name}'" in stop("stop") for name in asking), "stop.lua names them too"


async def test_what_is_aside_is_dropped_as_what_waits_is(scene: Waiting) -> None:
    await scene.begin()
    for text in ("!help", "!usage", "!usage"):
        await scene.door.say(text)
    conversation = scene.door.keys.pseudonym("web", "conversation", "chat-4711")
    question, *asides = await scene.mailbox.waiting(conversation)
    assert [question.text, *commands_of_mail(asides)] == ["question", "help", "usage", "usage"]
    claim = await scene.claim()
    assert await Changes(scene.mailbox).delete(conversation, [each.event for each in asides]) == 2, (
        "a worker has the first"
    )
    await scene.end(claim)
    assert await scene.nothing()
    await scene.door.say("!usage")
    assert await Expiry(scene.mailbox).sweep(time.time() + 60) == 2, "with the question, and nobody has it"
    assert await scene.mailbox.waiting(conversation) == []
    assert await scene.mailbox.backlog() == 0
