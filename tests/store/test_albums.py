"""A question of several messages: when it is taken, and as what."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gptbot.inbox.albums import MOST_PARTS, questions
from gptbot.inbox.claims import Claim
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store
from gptbot.platforms.inbound import Attachment
from tests.store.test_mailbox import envelope


def picture(number: int) -> Attachment:
    return Attachment(kind="image", mime="image/png", size=1, reference={"id": number})


def part(number: int, album: str = "album", **changes: Any) -> Envelope:
    return envelope(number, **{"text": "", "album": album, "attachments": (picture(number),), **changes})


async def taken(mailbox: Mailbox, most: int = 20) -> Claim:
    """The next turn, however often it is put off before."""
    async with asyncio.timeout(20):
        while True:
            await mailbox.promote()
            for entry in await mailbox.receive(1, 0.05):
                if (claim := await mailbox.claim(entry, most)) is not None:
                    return claim


@pytest.fixture
async def mailbox(store: Store, keys: BotKeys) -> Mailbox:
    box = Mailbox(store, keys, "worker-a")
    await box.create_group()
    return box


async def test_a_turn_waits_for_the_rest_of_its_album(mailbox: Mailbox) -> None:
    await mailbox.enqueue("c", part(1))
    [entry] = await mailbox.receive(1, 1.0)
    assert await mailbox.claim(entry, 20) is None
    await mailbox.enqueue("c", part(2))
    await mailbox.store.command("ZADD", mailbox.keys.later, 0, "c")  # its time has come
    await mailbox.promote()
    [entry] = await mailbox.receive(1, 1.0)
    assert await mailbox.claim(entry, 20) is None, "there is more than at the last look"
    claim = await taken(mailbox)
    assert [message.event for message in claim.messages] == ["event-1", "event-2"]
    assert claim.attempts == 0
    await mailbox.done(claim, [], 60, 10)
    assert await mailbox.backlog() == 0


@pytest.mark.parametrize("most", [1, 3])
async def test_an_album_is_not_divided(mailbox: Mailbox, most: int) -> None:
    await mailbox.enqueue("c", envelope(0))
    for number in range(1, MOST_PARTS + 1):
        await mailbox.enqueue("c", part(number))
    await mailbox.enqueue("c", part(20, album="another"))
    sizes: list[int] = []
    for _ in range(3 if most == 1 else 2):
        claim = await taken(mailbox, most)
        sizes.append(len(claim.messages))
        await mailbox.done(claim, [], 60, 10)
    assert sizes == ([1, MOST_PARTS, 1] if most == 1 else [1 + MOST_PARTS, 1])


async def test_what_follows_an_album_says_that_it_is_whole(mailbox: Mailbox) -> None:
    await mailbox.enqueue("c", part(1))
    await mailbox.enqueue("c", envelope(2))
    [entry] = await mailbox.receive(1, 1.0)
    claim = await mailbox.claim(entry, 20)
    assert claim is not None
    assert len(claim.messages) == 2


def test_an_album_is_one_question() -> None:
    whole = questions([
        envelope(1), part(2), part(3, text="What are these?", quote="said"), part(4, attachments=(picture(3),)),
        part(5, "b", text="And this?"), envelope(6), envelope(7),
    ])  # fmt: skip
    assert [(each.text, len(each.attachments), each.quote) for each in whole] == [
        ("text 1", 0, ""), ("What are these?", 2, "said"), ("And this?", 1, ""), ("text 6", 0, ""), ("text 7", 0, ""),
    ]  # fmt: skip
    assert [each.event for each in whole] == ["event-1", "event-3", "event-5", "event-6", "event-7"]


def test_of_several_words_in_an_album_none_can_be_edited_alone() -> None:
    [whole] = questions([part(1, text="one"), part(2, text="two")])
    assert (whole.text, whole.event) == ("one\n\ntwo", whole.album)
    assert [each.event for each in questions([part(1), part(2)])] == ["event-1"], "words can be put in"
