"""Nothing waits longer than it may: in line, with a worker that died, put off, behind others, or given up."""

from __future__ import annotations

import dataclasses
import time

from gptbot.inbox.dead import DeadLetters
from gptbot.inbox.expiry import Expiry
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store
from tests.process.residue import dump
from tests.store.test_mailbox import claim, envelope


async def test_what_is_too_old_goes_wherever_it_stands(store: Store, keys: BotKeys) -> None:
    mailbox, now = Mailbox(store, keys, "w"), time.time()
    await mailbox.create_group()

    async def write(number: int, conversation: str, age: float) -> None:
        message = dataclasses.replace(envelope(number), received=now - age, text=f"words-{'old' if age else 'new'}")
        assert await mailbox.enqueue(conversation, message)

    await write(1, "being answered", 90)
    turn = await claim(mailbox)
    await mailbox.replied(turn, "words-old and their answer")
    await write(2, "put off", 90)
    await mailbox.retry(await claim(mailbox), 3600)
    await write(3, "given up", 90)
    await mailbox.bury(await claim(mailbox), "reason", 3600)
    for number in range(4, 11):
        await write(number, f"in line {number}", 90)
    await write(11, "both", 90)
    await write(12, "both", 0)
    assert await Expiry(mailbox).sweep(now - 60) == 10
    assert await Expiry(mailbox).sweep(now - 60) == 0
    kept = [each for each in await dump(store) if each.key.startswith(keys.prefix)]
    assert [each.key for each in kept if each.holds("words-old") and each.key != keys.dead] == []
    assert len(await DeadLetters(store, keys).list()) == 1, "it was given up just now"
    assert await Expiry(mailbox).sweep(time.time() + 60) == 1
    assert await DeadLetters(store, keys).list() == []
    assert await mailbox.backlog() == 0
    assert set(await store.command("HKEYS", keys.line)) <= {b"#"}, "no place in line is left over"


async def test_a_letter_that_is_tried_again_is_new(store: Store, keys: BotKeys) -> None:
    mailbox, letters = Mailbox(store, keys, "w"), DeadLetters(store, keys)
    await mailbox.create_group()
    await mailbox.enqueue("c", dataclasses.replace(envelope(1), received=1.0))
    await mailbox.bury(await claim(mailbox), "reason", 60)
    [letter] = await letters.list()
    assert await letters.retry(letter)
    assert await Expiry(mailbox).sweep(time.time() - 60) == 0
    assert [message.text for message in (await claim(mailbox)).messages] == [envelope(1).text]
