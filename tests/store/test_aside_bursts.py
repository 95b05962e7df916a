"""While a turn waits for the model: what is sent in one go, edited, deleted or stopped, and commands go past it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from gptbot.inbox.asked import Asked
from gptbot.inbox.claims import Claim, TurnLost
from gptbot.inbox.dead import DeadLetters
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Away, Mailbox
from gptbot.inbox.store import Store
from tests.store.test_aside import HOUR, Waiting, commands_of
from tests.store.test_bursts import ONE_GO


@pytest.fixture
def scene(store: Store, keys: BotKeys) -> Waiting:
    return Waiting(store, keys, context=ONE_GO)


def said(claim: Claim) -> list[str]:
    return [message.text for message in claim.messages]


async def at_a_command(scene: Waiting) -> Claim:
    """A turn for a command, past a question that waits."""
    await scene.begin()
    await scene.door.say("!help")
    claim = await scene.claim()
    assert (claim.aside, commands_of(claim)) == (True, ["help"])
    return claim


async def edited(scene: Waiting, event: str, text: str) -> None:
    assert not await scene.door.say(text, event=event, original_at=time.time()), "it is no new question"


async def goes_on(scene: Waiting, aside: Claim, *questions: str) -> Claim:
    """Expect a turn aside to be its worker's still, and the questions to be asked together after it."""
    assert await scene.stops.heard() == []
    await scene.mailbox.begin(aside)
    await scene.mailbox.sent(aside, 0, "answer to the command")
    await scene.end(aside)
    claim = await scene.claim()
    assert (claim.aside, said(claim)) == (False, list(questions))
    return claim


async def ends(scene: Waiting, claim: Claim) -> None:
    """Expect the turn to be the last one, and nothing to be left of the conversation."""
    await scene.mailbox.begin(claim)
    await scene.end(claim)
    assert await scene.texts() == []
    assert await scene.nothing()
    assert await scene.mailbox.backlog() == 0
    names = [name.decode() for name in await scene.door.store.command("KEYS", f"{scene.door.keys.prefix}*")]
    kinds = {name.removeprefix(scene.door.keys.prefix).partition(":")[0] for name in names}
    assert not kinds & {"mail", "turn", "aside", "asideturn", "later"}


async def test_what_belongs_to_a_question_that_waits_is_asked_with_it(scene: Waiting) -> None:
    await scene.begin()
    await scene.door.say("a forwarded post")
    second = await scene.claim()
    assert said(second) == ["question", "a forwarded post"]
    await scene.door.say("and the rest of it")
    assert await scene.stops.heard() == [second.token], "nothing of this try is shown"
    with pytest.raises(TurnLost):
        await scene.mailbox.begin(second)
    third = await scene.claim()
    assert said(third) == ["question", "a forwarded post", "and the rest of it"]
    assert (third.sent, third.attempts, third.away) == ({0: "notice"}, 1, 1), "it goes on in the notice"
    await ends(scene, third)


async def test_parts_that_come_before_the_next_try_begin_nothing_anew(scene: Waiting) -> None:
    await scene.begin()
    for text in ("a forwarded post", "and the rest of it"):
        await scene.door.say(text)
    assert await scene.stops.heard() == []
    assert await scene.mailbox.backlog() == 1
    claim = await scene.claim()
    assert said(claim) == ["question", "a forwarded post", "and the rest of it"]
    await ends(scene, claim)


async def test_parts_wait_as_long_as_the_model_asked_for(scene: Waiting) -> None:
    await scene.begin(Away.ASKED_TO_WAIT)
    await scene.door.say("a forwarded post")
    assert await scene.nothing()
    assert await scene.due() > HOUR - 60
    await scene.door.say("!stop")
    assert await scene.mailbox.promote() == 1
    claim = await scene.claim()
    assert (claim.stop, said(claim)) == (True, ["question", "a forwarded post"])


@pytest.mark.parametrize("parts", [["more"], ["more", "and more"]])
async def test_a_command_between_the_parts_is_answered_once_and_the_parts_together(
    scene: Waiting, parts: Sequence[str]
) -> None:
    claim = await at_a_command(scene)
    for part in parts:
        await scene.door.say(part)
    await ends(scene, await goes_on(scene, claim, "question", *parts))


async def test_a_command_behind_an_answer_begun_anew_waits_for_it_or_goes_past_when_that_waits(scene: Waiting) -> None:
    await scene.begin()
    await scene.door.say("more")
    await scene.claim()
    await scene.door.say("and more")
    again = await scene.claim()
    assert len(await scene.stops.heard()) == 1
    await scene.door.say("!help")
    await scene.door.say("the last of it")
    assert await scene.stops.heard() == [], "a command stands between"
    await scene.mailbox.retry(again, HOUR, model=Away.FAILED)
    claim = await scene.claim()
    assert (claim.aside, commands_of(claim), claim.sent) == (True, ["help"], {})
    await scene.end(claim)
    assert await scene.nothing()
    assert await scene.due() > HOUR - 60
    await scene.door.say("are you there?")
    claim = await scene.claim()
    assert said(claim) == ["question", "more", "and more", "the last of it", "are you there?"]
    await ends(scene, claim)


async def test_a_worker_that_dies_at_a_command_between_the_parts_is_taken_over(scene: Waiting) -> None:
    first = await at_a_command(scene)
    await scene.mailbox.begin(first)
    await scene.mailbox.sent(first, 0, "answer to the command")
    await scene.door.say("more")
    other = Mailbox(scene.door.store, scene.door.keys, "other", lease=0.0)
    [entry] = await other.take_over(5)
    second = await other.claim(entry, 20)
    assert second is not None
    assert (second.aside, second.sent) == (True, {0: "answer to the command"})
    with pytest.raises(TurnLost):
        await scene.end(first)
    await other.done(second, [], 60, 40)
    claim = await scene.claim()
    assert said(claim) == ["question", "more"]
    await ends(scene, claim)


async def test_edits_of_all_that_waits_leave_the_turn_aside_alone(scene: Waiting) -> None:
    claim = await at_a_command(scene)
    await scene.door.say("more", event="more")
    await edited(scene, "e1", "the question, edited")
    await edited(scene, "more", "more, edited")
    again = await goes_on(scene, claim, "the question, edited", "more, edited")
    await edited(scene, "e1", "the question, edited twice")
    assert await scene.stops.heard() == [again.token], "nothing of this try is shown"
    third = await scene.claim()
    assert said(third) == ["the question, edited twice", "more, edited"]
    await ends(scene, third)


async def test_an_edit_while_the_parts_wait_does_not_hurry_the_try(scene: Waiting) -> None:
    await scene.begin(Away.ASKED_TO_WAIT)
    await scene.door.say("more", event="more")
    await edited(scene, "more", "more, edited")
    await edited(scene, "e1", "the question, edited")
    assert await scene.nothing()
    assert await scene.texts() == ["the question, edited", "more, edited"]


@pytest.mark.parametrize("what", ["more", "edit", "delete", "stop"])
async def test_a_question_behind_a_deleted_one_takes_nothing_from_the_turn_aside(scene: Waiting, what: str) -> None:
    claim = await at_a_command(scene)
    await scene.door.intake.deleted("chat-4711", ["e1"])
    await scene.door.say("another question", event="another")
    assert await scene.mailbox.backlog() == 1, "the conversation is one worker's"
    match what:
        case "more":
            await scene.door.say("more")
            claim = await goes_on(scene, claim, "another question", "more")
        case "edit":
            await edited(scene, "another", "another, edited")
            claim = await goes_on(scene, claim, "another, edited")
        case "delete":
            await scene.door.intake.deleted("chat-4711", ["another"])
            await scene.door.say("the last one")
            claim = await goes_on(scene, claim, "the last one")
        case _:
            await scene.door.say("!stop")
            claim = await goes_on(scene, claim, "another question")
            assert claim.stop
    await ends(scene, claim)


async def test_a_remembered_question_may_be_edited_while_a_command_is_answered(scene: Waiting) -> None:
    await scene.door.say("old words", event="old")
    claim = await scene.claim()
    old, new = (Asked(words, event=claim.messages[0].event, length=9).encode() for words in ("old words", "new words"))
    await scene.mailbox.done(claim, [old], HOUR, 40)
    claim = await at_a_command(scene)
    await edited(scene, "old", "new words")
    await scene.door.say("more")
    claim = await goes_on(scene, claim, "question", "more")
    assert claim.context == [new]
    await ends(scene, claim)


async def test_a_dead_letter_that_is_tried_again_meanwhile_has_no_second_place(scene: Waiting) -> None:
    letters = DeadLetters(scene.door.store, scene.door.keys)
    await scene.door.say("hopeless")
    await scene.mailbox.bury(await scene.claim(), "reason", HOUR)
    [letter] = await letters.list()
    claim = await at_a_command(scene)
    await scene.door.intake.deleted("chat-4711", ["e2"])
    assert await letters.retry(letter)
    assert await scene.mailbox.backlog() == 1
    await ends(scene, await goes_on(scene, claim, "hopeless"))


async def test_a_command_that_cannot_be_claimed_is_given_up_and_the_question_waits_on(scene: Waiting) -> None:
    await scene.begin()
    await scene.door.say("!help")
    [entry] = await scene.mailbox.receive(5, 1.0)
    assert await scene.mailbox.give_up(entry, "reason", 1)
    [letter] = await DeadLetters(scene.door.store, scene.door.keys).list()
    assert letter.envelope is not None
    assert letter.envelope.command == "help"
    assert await scene.nothing()
    assert await scene.texts() == ["question"]
    assert await scene.due() > HOUR - 60


@pytest.mark.parametrize("lost", ["aside", "asideturn", "turn"])
async def test_a_key_lost_while_a_command_is_answered_leaves_no_question_behind(scene: Waiting, lost: str) -> None:
    claim = await at_a_command(scene)
    await scene.door.store.command("DEL", f"{scene.door.keys.prefix}{lost}:{claim.conversation}")
    await scene.end(claim)
    await scene.door.say("more")
    claim = await scene.claim()
    assert said(claim) == ["question", "more"]
    await ends(scene, claim)


async def test_a_stop_of_which_the_worker_did_not_hear_in_time_ends_the_wait_and_nothing_else(scene: Waiting) -> None:
    await scene.door.say("question")
    claim = await scene.claim()
    await scene.door.say("!help")
    await scene.door.say("!stop")
    await scene.mailbox.retry(claim, HOUR, model=Away.ASKED_TO_WAIT)
    await scene.door.say("another question")
    claim = await scene.claim()
    assert (claim.stop, claim.aside, said(claim)) == (True, False, ["question"])
    await scene.end(claim)
    claim = await scene.claim()
    assert commands_of(claim) == ["help"]
    await scene.end(claim)
    claim = await scene.claim()
    assert (claim.stop, said(claim)) == (False, ["another question"])
    await ends(scene, claim)


async def test_commands_that_an_older_worker_left_aside_hold_nobody_up(scene: Waiting) -> None:
    await scene.begin()
    await scene.door.say("!help")
    claim = await scene.claim()
    claim.aside = False  # it ends the question, and knows of nothing aside
    await scene.end(claim)
    assert await scene.mailbox.backlog() == 0
    await scene.door.say("another question")
    claim = await scene.claim()
    assert (claim.aside, commands_of(claim)) == (True, ["help"])
    await ends(scene, await goes_on(scene, claim, "another question"))
