"""What `!retry` asks again, and what becomes of the old answer in the store."""

from __future__ import annotations

from gptbot.conversation.context import last_exchange, prompt, remember, unanswered
from gptbot.inbox.asked import Asked
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from tests.store.test_stops import Scene


def test_the_last_questions_are_those_before_the_last_answer() -> None:
    assert last_exchange([]) is None
    before = remember([("user", "a"), ("assistant", "A")])
    merged = [*before, *remember([("user", "b"), ("user", "c"), ("assistant", "B")])]
    last = last_exchange(merged)
    assert last is not None
    assert ([each.text for each in last.asked], merged[: -last.size]) == (["b", "c"], before)


def test_a_question_without_an_answer_is_asked_again_and_not_told_to_the_model() -> None:
    context = [*remember([("user", "a"), ("assistant", "A")]), *unanswered([Asked("b"), Asked("c")])]
    last = last_exchange(context)
    assert last is not None
    assert ([each.text for each in last.asked], last.size) == (["b", "c"], 1)
    assert [message["content"] for message in prompt("s", context, ["d"])] == ["s", "a", "A", "d"]


async def test_the_new_exchange_takes_the_place_of_the_old_one(store: Store) -> None:
    keys = BotKeys("test/retry", b"p" * 32)
    scene = Scene(store, keys)
    old = remember([("user", "a"), ("assistant", "A")])
    await scene.door.say("a")
    claim = await scene.claim()
    await scene.mailbox.done(claim, old, 60, 40)
    await scene.door.say("!retry")
    claim = await scene.claim()
    assert (claim.messages[0].command, claim.context) == ("retry", old)
    assert await scene.door.say("!stop"), "it can be stopped like a question"
    assert await scene.stops.heard() == [claim.token]
    new = remember([("user", "a"), ("assistant", "B")])
    await scene.mailbox.done(claim, new, 60, 40, drop=2)
    assert await store.command("LRANGE", keys.context(claim.conversation), 0, -1) == new
