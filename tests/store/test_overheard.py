"""What is kept of a group for `!summary`: nothing until it is switched on; redacted, so much, so long, no longer."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.overheard import ON, SETTING, Overheard, OverheardMessages
from gptbot.inbox.store import Store
from tests.store.test_intake import Door

HOUR = 3600.0


class Group(Door):
    """A group, and what is kept of it."""

    def __init__(self, store: Store, keys: BotKeys, **spec: Any) -> None:
        super().__init__(store, keys, **spec)
        self.kept = OverheardMessages(store, keys)
        self.id = keys.pseudonym("web", "conversation", "chat-4711")

    async def switch(self, value: str | None = ON) -> None:
        await self.mailbox.choose(self.id, {SETTING: value}, HOUR)

    async def hear(self, text: str, **changes: Any) -> None:
        await self.say(text, direct=False, **changes)

    async def read(self, most: int = 100, since: float = 0.0) -> list[Overheard]:
        return await self.kept.read(self.id, most, since, HOUR)

    async def texts(self) -> list[str]:
        return [message.text for message in reversed(await self.read())]


@pytest.fixture
def group(store: Store, keys: BotKeys) -> Group:
    return Group(store, keys)


async def test_nothing_is_kept_until_it_is_switched_on(group: Group) -> None:
    await group.hear("before")
    assert await group.read() == []
    await group.switch()
    await group.hear("write to ada@example.org\u202e", user="ada")
    await group.hear("and this is for the bot", user="bob", addressed=True)
    await group.hear("!help")
    await group.hear("/other_bots_command")
    await group.say("in private", direct=True)
    kept = await group.read()
    assert [message.text for message in kept] == ["and this is for the bot", "write to [email]"]
    assert len({message.speaker for message in kept}) == 2
    dumps = [await group.store.command("DUMP", key) or b""
             for key in await group.store.command("KEYS", f"{{{group.keys.bot}}}:*")]  # fmt: skip
    assert not any(secret in dump for dump in dumps for secret in (b"ada", b"bob", b"4711"))


async def test_switched_off_nothing_is_left_and_a_gateway_that_has_not_heard_keeps_nothing(group: Group) -> None:
    await group.switch()
    await group.hear("one")
    other = Group(group.store, group.keys)
    await other.hear("two", event="other")
    await group.switch(None)
    await group.kept.forget(group.id)
    await other.hear("three", event="later")
    assert await group.read() == []
    assert await group.store.command("EXISTS", group.keys.heard(group.id), group.keys.words(group.id)) == 0


async def test_an_edit_replaces_and_a_repetition_is_no_second_message(group: Group) -> None:
    await group.switch()
    await group.hear("first", event="a")
    await group.hear("second", event="b")
    await group.hear("first", event="a")
    await group.hear("first, corrected", event="a", original_at=time.time())
    await group.hear("never heard of", event="c", original_at=time.time())
    assert await group.texts() == ["first, corrected", "second"]
    await group.intake.deleted("chat-4711", ["b"])
    assert await group.texts() == ["first, corrected"]


async def test_what_came_in_one_second_stays_in_order(group: Group) -> None:
    await group.switch()
    second = float(int(time.time()))
    for number in range(9):
        await group.hear(f"m{number}", sent=second)
    await group.hear("before", sent=second - 10)
    assert await group.texts() == ["before", *(f"m{number}" for number in range(9))]


async def test_so_many_are_kept_and_none_longer_than_the_context(store: Store, keys: BotKeys) -> None:
    group = Group(store, keys, context={"summaryBuffer": 3, "ttl": "1h"}, answerIn={"maxAge": "48h"})
    await group.switch()
    now = time.time()
    await group.hear("too old", sent=now - 2 * HOUR)
    for number in range(5):
        await group.hear(f"m{number}" + "x" * 3000, sent=now - 50 + number)
    assert [text[:2] for text in await group.texts()] == ["m2", "m3", "m4"]
    assert all(len(text) == 2000 for text in await group.texts())
    assert [message.text[:2] for message in await group.read(most=1)] == ["m4"]
    assert [message.text[:2] for message in await group.read(since=now - 46.5)] == ["m4"]
    for key in (keys.heard(group.id), keys.words(group.id)):
        assert 0 < await store.command("PTTL", key) <= HOUR * 1000
    assert await group.kept.count(group.id) == 3


async def test_a_group_in_use_keeps_its_choice(group: Group) -> None:
    await group.mailbox.choose(group.id, {SETTING: ON}, 60.0)
    await group.hear("hi")
    assert await group.store.command("PTTL", group.keys.settings(group.id)) > 60_000


async def test_a_person_and_a_conversation_can_be_forgotten(group: Group) -> None:
    await group.switch()
    await group.hear("mine", user="ada")
    await group.hear("yours", user="bob")
    await group.hear("mine too", user="ada")
    (ada,) = {message.speaker for message in await group.read() if message.text == "mine"}
    assert await group.kept.drop_speaker(group.id, ada) == 2
    assert await group.texts() == ["yours"]
    await group.mailbox.forget(group.id)
    assert await group.read() == []


async def test_zero_messages_are_none(store: Store, keys: BotKeys) -> None:
    group = Group(store, keys, context={"summaryBuffer": 0})
    await group.switch()
    await group.hear("hi")
    assert await group.read() == []


async def test_who_may_not_talk_to_the_bot_is_not_kept(store: Store, keys: BotKeys) -> None:
    group = Group(store, keys, access={"deny": ["web:page:public"]})
    await group.switch()
    await group.hear("denied", principals=["page:public"])
    assert await group.read() == []
