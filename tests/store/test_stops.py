"""`!stop` at the gateway's door and in the mailbox, on a real Valkey: what is ended, who hears of it."""

from __future__ import annotations

import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.stops import Stops
from gptbot.inbox.store import Store
from tests.store.scene import Scene


@pytest.fixture
def scene(store: Store, keys: BotKeys) -> Scene:
    return Scene(store, keys)


@pytest.mark.parametrize("text", ["!stop", "/stop", " !STOP please "])
async def test_the_worker_that_has_the_turn_hears_it_once(scene: Scene, text: str) -> None:
    await scene.door.say("question")
    claim = await scene.claim()
    assert await scene.stops.heard() == []
    assert await scene.door.say(text)
    assert await scene.texts() == ["question"], "it is not a message to answer"
    assert [await scene.stops.heard(), await scene.stops.heard()] == [[claim.token], []]
    assert await Stops(scene.door.store, scene.door.keys).heard() == [claim.token], "every worker hears all"
    lives = await scene.door.store.command("PTTL", scene.door.keys.stops)
    assert 0 < lives <= 60_000
    await scene.mailbox.done(claim, [], 60, 40)
    assert await scene.door.store.command("EXISTS", scene.door.keys.turn(claim.conversation)) == 0


async def test_without_an_answer_it_is_a_command_like_others(scene: Scene) -> None:
    assert await scene.door.say("!stop")
    assert [message.command for message in await scene.door.mail()] == ["stop"]
    assert await scene.stops.heard() == []


async def test_behind_another_command_it_is_a_command_too(scene: Scene) -> None:
    await scene.door.say("!help")
    await scene.claim()
    await scene.door.say("!stop")
    assert [message.command for message in await scene.door.mail()] == ["help", "stop"]
    assert await scene.stops.heard() == []


@pytest.mark.parametrize("command", ["!summary", "!retry"])
async def test_a_command_that_the_model_answers_is_stopped(scene: Scene, command: str) -> None:
    await scene.door.say(command)
    claim = await scene.claim()
    assert await scene.door.say("!stop")
    assert await scene.stops.heard() == [claim.token]
    assert [message.command for message in await scene.door.mail()] == [command[1:]]


async def test_an_answer_that_has_not_begun_is_stopped_when_it_is_claimed(scene: Scene) -> None:
    await scene.door.say("one")
    await scene.door.say("two")
    await scene.door.say("!stop")
    await scene.door.say("three")
    claim = await scene.claim()
    assert (claim.stop, [message.text for message in claim.messages]) == (True, ["one", "two"])
    assert await scene.stops.heard() == []
    await scene.mailbox.replied(claim, "", "cut-stopped")
    await scene.mailbox.done(claim, [], 60, 40)
    claim = await scene.claim()
    assert (claim.stop, claim.cut, [message.text for message in claim.messages]) == (False, None, ["three"])


async def test_whoever_takes_a_stopped_turn_over_knows_it_and_its_reply(scene: Scene) -> None:
    await scene.door.say("question")
    claim = await scene.claim()
    await scene.door.say("!stop")
    await scene.mailbox.replied(claim, "said so far", "cut-stopped")
    await scene.mailbox.retry(claim, 0, attempt=False)
    claim = await scene.claim()
    assert (claim.stop, claim.reply, claim.cut) == (True, "said so far", "cut-stopped")


async def test_an_answer_that_waits_for_another_try_waits_no_longer(scene: Scene) -> None:
    await scene.door.say("question")
    await scene.mailbox.retry(await scene.claim(), 3600)
    assert await scene.mailbox.promote() == 0
    await scene.door.say("!stop")
    assert await scene.mailbox.promote() == 1
    assert (await scene.claim()).stop


async def test_a_finished_reply_waits_as_long_as_its_platform_asked(scene: Scene) -> None:
    await scene.door.say("question")
    claim = await scene.claim()
    await scene.mailbox.replied(claim, "whole")
    await scene.mailbox.retry(claim, 3600)
    await scene.door.say("!stop")
    assert await scene.mailbox.promote() == 0


async def test_a_stop_delivered_twice_ends_one_answer(scene: Scene) -> None:
    await scene.door.say("question")
    claim = await scene.claim()
    assert await scene.door.say("!stop", event="same")
    await scene.mailbox.done(claim, [], 60, 40)
    await scene.door.say("another")
    claim = await scene.claim()
    assert await scene.door.say("!stop", event="same")
    assert not claim.stop
    assert [token for token in await scene.stops.heard() if token == claim.token] == []
    assert await scene.texts() == ["another"]


async def test_a_platform_that_waits_for_an_answer_gets_one(scene: Scene) -> None:
    await scene.door.say("question")
    claim = await scene.claim()
    await scene.door.say("/stop", answer_due=True, address={"token": "t"})
    assert await scene.stops.heard() == [claim.token]
    question, answer = await scene.door.mail()
    assert (question.text, answer.notice, answer.address) == ("question", "stop-done", {"token": "t"})
    await scene.mailbox.done(claim, [], 60, 40)
    (message,) = (await scene.claim()).messages
    assert message.notice == "stop-done"


async def test_who_is_over_the_limit_may_stop_and_who_is_denied_may_not(store: Store, keys: BotKeys) -> None:
    scene = Scene(store, keys, limits={"perUser": {"messages": 1, "per": "1h"}}, access={"deny": ["web:page:public"]})
    await scene.door.say("question")
    claim = await scene.claim()
    assert not await scene.door.say("!stop", principals=["page:public"])
    assert await scene.stops.heard() == []
    assert await scene.door.say("!stop")
    assert await scene.stops.heard() == [claim.token]
    await scene.mailbox.done(claim, [], 60, 40)
    assert not await scene.door.say("!stop"), "with nothing to stop it is a message that counts"


async def test_one_conversations_stop_is_not_anothers(scene: Scene) -> None:
    await scene.door.say("question")
    claim = await scene.claim()
    await scene.door.say("!stop", conversation="another")
    assert await scene.stops.heard() == []
    assert await scene.texts() == ["question"]
    assert claim.token


@pytest.mark.parametrize("letter", [b"no JSON", b"3", b'["short"]'])
async def test_a_message_that_cannot_be_read_is_not_stopped(scene: Scene, letter: bytes) -> None:
    keys = scene.door.keys
    mail = keys.mail(keys.pseudonym("web", "conversation", "chat-4711"))
    await scene.door.store.command("RPUSH", mail, letter)
    assert await scene.door.say("!stop")
    assert await scene.door.store.command("LLEN", mail) == 2
