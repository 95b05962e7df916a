"""What one person sends in one go, in several messages: answered together, though an answer was begun to the first."""

from __future__ import annotations

from typing import Any

import pytest

from gptbot.inbox.claims import Claim, TurnLost
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import MOST_MERGED
from gptbot.inbox.store import Store
from tests.store.scene import Scene

ONE_GO = {"debounce": 30}
"""Long enough for whatever happens in a test to be one go."""


@pytest.fixture
def scene(store: Store, keys: BotKeys) -> Scene:
    return Scene(store, keys, context=ONE_GO)


async def begun(scene: Scene, **changes: Any) -> Claim:
    """An answer that a worker has begun, and of which nothing is shown."""
    assert await scene.door.say("Is this true?", event="1", **changes)
    return await scene.claim()


async def goes_on(scene: Scene, claim: Claim, *questions: str) -> None:
    """Expect the answer to go on for its own questions, and others to wait for theirs."""
    assert await scene.stops.heard() == []
    await scene.mailbox.begin(claim)
    await scene.mailbox.done(claim, [], 60, 10)
    assert await scene.texts() == list(questions)


async def test_an_answer_of_which_nothing_is_shown_is_begun_anew_with_what_follows(scene: Scene) -> None:
    first = await begun(scene)
    await scene.door.say("a forwarded post", event="2")
    second = await scene.claim()
    await scene.door.say("and the rest of it", event="3")
    assert await scene.stops.heard() == [first.token, second.token]
    for lost in (first, second):
        with pytest.raises(TurnLost):
            await scene.mailbox.begin(lost)
    third = await scene.claim()
    assert [message.text for message in third.messages] == ["Is this true?", "a forwarded post", "and the rest of it"]
    await scene.mailbox.begin(third)
    await scene.mailbox.done(third, [], 60, 10)
    assert await scene.texts() == []
    assert await scene.mailbox.backlog() == 0


@pytest.mark.parametrize("step", ["begin", "sent", "replied"])
async def test_an_answer_that_is_shown_goes_on(scene: Scene, step: str) -> None:
    claim = await begun(scene)
    if step == "replied":
        await scene.mailbox.replied(claim, "yes")
    else:
        await scene.mailbox.begin(claim)
    if step == "sent":
        await scene.mailbox.sent(claim, 0, "message-7")
    await scene.door.say("more", event="2")
    await goes_on(scene, claim, "more")


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("!help", {}), ("!retry", {}), ("!weather", {"addressed": True}),
        ("of somebody else", {"user": "bob"}),
    ],
)  # fmt: skip
async def test_commands_and_others_begin_nothing_anew(scene: Scene, text: str, changes: dict[str, Any]) -> None:
    claim = await begun(scene)
    await scene.door.say(text, event="2", **changes)
    assert await scene.stops.heard() == []
    await scene.mailbox.begin(claim)


async def test_a_command_is_not_begun_anew(scene: Scene) -> None:
    await scene.door.say("!summary", event="1")
    claim = await scene.claim()
    await scene.door.say("more", event="2")
    await goes_on(scene, claim, "more")


async def test_what_stands_behind_somebody_elses_question_begins_nothing_anew(scene: Scene) -> None:
    claim = await begun(scene, user="ada")
    await scene.door.say("of bob", event="2", user="bob")
    await scene.door.say("of ada", event="3", user="ada")
    await goes_on(scene, claim, "of bob", "of ada")


@pytest.mark.parametrize("context", [{"debounce": 0}, {"debounce": 30, "mergeBursts": False}])
async def test_it_can_be_switched_off(store: Store, keys: BotKeys, context: dict[str, Any]) -> None:
    scene = Scene(store, keys, context=context)
    claim = await begun(scene)
    await scene.door.say("more", event="2")
    await goes_on(scene, claim, "more")


async def test_what_comes_later_than_that_is_a_question_of_its_own(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("gptbot.inbox.intake.time.time", lambda: now)
    claim = await begun(scene)
    now += 30.5
    await scene.door.say("more", event="2")
    await goes_on(scene, claim, "more")


async def test_an_answer_is_not_begun_anew_for_ever(store: Store, keys: BotKeys) -> None:
    scene = Scene(store, keys, context=ONE_GO, limits={"perUser": {"messages": 100}})
    claims = [await begun(scene)]
    for number in range(2, MOST_MERGED + 1):
        await scene.door.say(f"{number}", event=f"{number}")
        claims.append(await scene.claim())
    assert await scene.stops.heard() == [claim.token for claim in claims[:-1]]
    assert len(claims[-1].messages) == MOST_MERGED
    await scene.door.say("one more", event="more")
    await goes_on(scene, claims[-1], "one more")


async def test_a_stopped_answer_is_not_begun_anew(scene: Scene) -> None:
    claim = await begun(scene)
    await scene.door.say("!stop", event="2")
    await scene.door.say("more", event="3")
    assert await scene.stops.heard() == [claim.token], "of the stop alone"
    await scene.mailbox.replied(claim, "", "cut-stopped")
    await scene.mailbox.done(claim, [], 60, 10)
    assert "more" in await scene.texts()


async def test_a_message_delivered_again_begins_nothing_anew(scene: Scene) -> None:
    await begun(scene)
    await scene.door.say("more", event="2")
    claim = await scene.claim()
    assert len(await scene.stops.heard()) == 1
    await scene.door.say("more", event="2")
    assert await scene.stops.heard() == []
    await scene.mailbox.begin(claim)
