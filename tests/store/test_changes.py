"""Edited and deleted messages at the gateway's door, on a real Valkey: what is answered in the end, and what is not."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gptbot.inbox.claims import Claim, TurnLost
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from tests.store.scene import Scene


class Editing(Scene):
    """One whose people change what they wrote."""

    async def edit(self, event: str, text: str, *, age: float = 0.0, **changes: Any) -> bool:
        return await self.door.say(text, event=event, original_at=time.time() - age, **changes)

    async def delete(self, *events: str) -> None:
        await self.door.intake.deleted("chat-4711", events)


@pytest.fixture
def scene(store: Store, keys: BotKeys) -> Editing:
    return Editing(store, keys)


async def test_an_edit_before_its_answer_replaces_the_text_and_nothing_else(scene: Editing) -> None:
    await scene.door.say("first", event="1")
    await scene.door.say("second", event="2", address={"message": 2})
    before = (await scene.door.mail())[1]
    await scene.edit("2", "write to ada@example.org", address={"message": 0})
    first, after = await scene.door.mail()
    assert (first.text, after.text) == ("first", "write to [email]")
    assert after == Envelope.decode(before.encode().replace(b'"second"', b'"write to [email]"'))
    assert [message.text for message in (await scene.claim()).messages] == ["first", "write to [email]"]


async def test_an_edit_makes_a_command_of_it_and_back(scene: Editing) -> None:
    await scene.door.say("help", event="1")
    await scene.edit("1", "!help")
    assert [(message.command, message.text) for message in await scene.door.mail()] == [("help", "")]
    await scene.edit("1", "no help")
    assert [(message.command, message.text) for message in await scene.door.mail()] == [(None, "no help")]


async def test_an_edit_before_anything_was_sent_begins_the_answer_anew(scene: Editing) -> None:
    await scene.door.say("one", event="1")
    claim = await scene.claim()
    await scene.edit("1", "uno")
    assert await scene.stops.heard() == [claim.token]
    with pytest.raises(TurnLost):
        await scene.mailbox.begin(claim)
    again = await scene.claim()
    assert [message.text for message in again.messages] == ["uno"]
    await scene.mailbox.done(again, [], 60, 10)
    assert await scene.mailbox.backlog() == 0


async def test_what_waits_behind_the_answer_to_another_is_edited_and_deleted_without_touching_it(
    scene: Editing,
) -> None:
    for number, who in enumerate(("ada", "bob", "eve"), 1):
        await scene.door.say(f"of {who}", event=str(number), user=who)
    claim = await scene.claim()
    assert [message.text for message in claim.messages] == ["of ada"]
    await scene.edit("2", "of bob, edited", user="bob")
    await scene.delete("3")
    assert await scene.stops.heard() == []
    await scene.mailbox.begin(claim)
    await scene.mailbox.done(claim, [], 60, 10)
    assert [message.text for message in (await scene.claim()).messages] == ["of bob, edited"]


async def test_edits_do_not_begin_an_answer_anew_for_ever(scene: Editing) -> None:
    await scene.door.say("0", event="1")
    claims: list[Claim] = []
    for number in range(1, 4):
        claims.append(await scene.claim())
        await scene.edit("1", str(number))
    last = await scene.claim()
    await scene.edit("1", "4")
    assert await scene.stops.heard() == [claim.token for claim in claims]
    await scene.mailbox.begin(last)
    await scene.mailbox.done(last, [], 60, 10)


@pytest.mark.parametrize("step", ["begin", "replied"])
async def test_an_answer_that_is_shown_stays_and_the_new_text_is_remembered(scene: Editing, step: str) -> None:
    await scene.door.say("one", event="1")
    claim = await scene.claim()
    await (scene.mailbox.begin(claim) if step == "begin" else scene.mailbox.replied(claim, "eins"))
    await scene.door.say("two", event="2")
    await scene.edit("1", "uno")
    await scene.edit("2", "due")
    assert await scene.texts() == ["uno", "due"]
    assert await scene.stops.heard() == []
    await scene.mailbox.done(claim, [], 60, 10)
    assert [message.text for message in (await scene.claim()).messages] == ["due"]


async def test_an_edit_after_the_answer_changes_nothing(scene: Editing) -> None:
    await scene.door.say("one", event="1")
    await scene.mailbox.done(await scene.claim(), [], 60, 10)
    await scene.edit("1", "uno")
    assert await scene.texts() == []


async def test_a_mention_put_in_later_is_a_question_once(store: Store, keys: BotKeys) -> None:
    scene = Editing(store, keys, answerIn={"groups": "mentioned"})
    group: dict[str, Any] = {"direct": False}
    assert not await scene.door.say("what?", event="1", **group)
    assert await scene.edit("1", "what?", addressed=True, **group)
    await scene.edit("1", "what then?", addressed=True, **group)
    assert await scene.texts() == ["what then?"]
    await scene.mailbox.done(await scene.claim(), [], 60, 10)
    await scene.edit("1", "what now?", addressed=True, **group)
    assert await scene.texts() == []
    assert not await scene.edit("0", "of last week", addressed=True, age=7 * 86400, **group)
    assert await scene.texts() == []


async def test_a_mention_taken_out_takes_the_question_back(scene: Editing) -> None:
    await scene.door.say("what?", event="1", direct=False, addressed=True)
    await scene.edit("1", "what?", direct=False)
    assert await scene.texts() == []
    assert await scene.mailbox.backlog() == 0


async def test_an_edit_is_no_way_round_the_limits(store: Store, keys: BotKeys) -> None:
    scene = Editing(store, keys, limits={"perUser": {"messages": 1, "per": "1h"}})
    await scene.door.say("one", event="1")
    await scene.door.say("two", event="2")
    await scene.edit("2", "two, please")
    assert not await scene.edit("3", "three")
    assert await scene.texts() == ["one", ""]


async def test_a_delete_before_its_answer_drops_it(scene: Editing) -> None:
    for event in ("1", "2", "3"):
        await scene.door.say(event, event=event)
    await scene.delete("2", "unknown")
    assert await scene.texts() == ["1", "3"]
    await scene.delete("1", "3")
    assert await scene.mailbox.backlog() == 0
    assert await scene.door.say("4", event="4")
    assert await scene.mailbox.backlog() == 1
    assert not (await scene.claim()).lost
    await scene.door.say("1", event="1")
    assert await scene.texts() == ["4"], "a second delivery brings nothing back"


@pytest.mark.parametrize("shown", [False, True])
async def test_a_delete_ends_the_answer_being_made(scene: Editing, shown: bool) -> None:
    await scene.door.say("one", event="1")
    claim = await scene.claim()
    if shown:
        await scene.mailbox.begin(claim)
        await scene.mailbox.sent(claim, 0, "message-7")
    await scene.door.say("two", event="2")
    await scene.delete("1")
    assert await scene.stops.heard() == [claim.token]
    for step in (scene.mailbox.begin(claim), scene.mailbox.done(claim, [], 60, 10), scene.mailbox.retry(claim, 0)):
        with pytest.raises(TurnLost):
            await step
    following = await scene.claim()
    assert ([message.text for message in following.messages], following.sent) == (["two"], {})
    await scene.mailbox.done(following, [], 60, 10)
    assert await scene.mailbox.backlog() == 0


async def test_a_delete_takes_one_of_several_out_of_an_answer_not_shown_yet(scene: Editing) -> None:
    await scene.door.say("one", event="1")
    await scene.door.say("two", event="2")
    first = await scene.claim()
    await scene.delete("1")
    again = await scene.claim()
    assert [message.text for message in again.messages] == ["two"]
    assert await scene.stops.heard() == [first.token]


async def test_an_answer_shown_to_several_goes_on(scene: Editing) -> None:
    await scene.door.say("one", event="1")
    await scene.door.say("two", event="2")
    claim = await scene.claim()
    await scene.mailbox.begin(claim)
    await scene.delete("1")
    await scene.mailbox.done(claim, [], 60, 10)
    assert await scene.texts() == []


async def test_a_delete_ends_the_wait_for_another_try(scene: Editing) -> None:
    await scene.door.say("one", event="1")
    await scene.mailbox.retry(await scene.claim(), 3600)
    await scene.delete("1")
    assert await scene.door.store.command("EXISTS", scene.door.keys.later) == 0
    await scene.door.say("two", event="2")
    following = await scene.claim()
    assert (following.messages[0].text, following.attempts) == ("two", 0)


async def test_a_stop_counts_what_is_left(scene: Editing) -> None:
    for event in ("1", "2"):
        await scene.door.say(event, event=event)
    await scene.door.say("!stop")
    await scene.door.say("3", event="3")
    await scene.delete("1")
    claim = await scene.claim()
    assert (claim.stop, [message.text for message in claim.messages]) == (True, ["2"])
