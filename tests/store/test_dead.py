"""Dead letters on a real Valkey."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gptbot.inbox.dead import DeadLetters
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store
from tests.store.test_mailbox import claim, envelope


async def buried(store: Store, keys: BotKeys, *numbers: int, ttl: float = 60) -> tuple[Mailbox, DeadLetters]:
    mailbox = Mailbox(store, keys, "w")
    await mailbox.create_group()
    for number in numbers:
        await mailbox.enqueue("c", envelope(number))
        await mailbox.bury(await claim(mailbox), f"reason {number}", ttl)
    return mailbox, DeadLetters(store, keys)


async def test_they_are_listed_shown_retried_and_dropped(store: Store, keys: BotKeys) -> None:
    mailbox, dead = await buried(store, keys, 1, 2, 3)
    letters = await dead.list()
    assert [letter.reason for letter in letters] == ["reason 3", "reason 2", "reason 1"]
    assert await dead.get(letters[0].id) == letters[0]
    assert await dead.get("1-1") is None
    assert await dead.get("nonsense") is None
    assert await dead.drop(letters[0])
    assert not await dead.drop(letters[0])
    assert await dead.retry(letters[2])
    assert not await dead.retry(letters[2])
    [message] = (await claim(mailbox)).messages
    assert replace(message, received=envelope(1).received) == envelope(1)
    assert [letter.reason for letter in await dead.list()] == ["reason 2"]


async def test_a_retry_waits_behind_what_is_there(store: Store, keys: BotKeys) -> None:
    mailbox, dead = await buried(store, keys, 1)
    await mailbox.enqueue("c", envelope(2))
    assert await dead.retry((await dead.list())[0])
    first = await claim(mailbox)
    assert first.messages == [envelope(2)]
    await mailbox.done(first, [], 60, 10)
    [message] = (await claim(mailbox)).messages
    assert replace(message, received=envelope(1).received) == envelope(1)


async def test_each_letter_goes_when_its_own_time_is_over(store: Store, keys: BotKeys) -> None:
    await buried(store, keys, 1, ttl=1.0)
    await asyncio.sleep(1.1)
    _, dead = await buried(store, keys, 2, ttl=1.0)
    assert [letter.reason for letter in await dead.list()] == ["reason 2"]
    async with asyncio.timeout(10):
        while await dead.list():
            await asyncio.sleep(0.05)
