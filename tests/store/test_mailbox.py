"""The mailbox on a real Valkey: each step, each way two workers can meet."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from gptbot.inbox.claims import Claim, Entry, TurnLost
from gptbot.inbox.dead import DeadLetters
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store
from gptbot.platforms.inbound import Attachment


def envelope(number: int, **changes: Any) -> Envelope:
    fields: dict[str, Any] = {
        "event": f"event-{number}", "platform": "web", "user": "u", "text": f"text {number}", "address": {"n": number},
        "direct": True, "received": 1.5,
    }  # fmt: skip
    return Envelope(**{**fields, **changes})


@pytest.fixture
async def mailbox(store: Store, keys: BotKeys) -> Mailbox:
    box = Mailbox(store, keys, "worker-a", lease=1.0)
    await box.create_group()
    return box


def beside(mailbox: Mailbox, consumer: str) -> Mailbox:
    return Mailbox(mailbox.store, mailbox.keys, consumer, lease=mailbox.lease)


async def claim(mailbox: Mailbox) -> Claim:
    (entry,) = await mailbox.receive(1, 1.0)
    found = await mailbox.claim(entry)
    assert found is not None
    return found


async def taken_over(mailbox: Mailbox) -> Entry:
    async with asyncio.timeout(5):
        while True:
            if entries := await mailbox.take_over(10):
                return entries[0]
            await asyncio.sleep(0.02)


def test_an_envelope_survives_the_store() -> None:
    file = Attachment(kind="image", mime="image/png", size=None, reference={"id": "a"})
    message = envelope(
        1, language="ru", command="help", notice="limit-user", values={"seconds": 3}, speaker="user-k3Fq", quote="said",
        attachments=(file,),
    )  # fmt: skip
    assert Envelope.decode(message.encode()) == message


def test_envelopes_of_other_versions_are_read() -> None:
    message = envelope(1)
    fields = orjson.loads(message.encode())
    assert Envelope.decode(orjson.dumps(fields[:11])) == message
    assert Envelope.decode(orjson.dumps([*fields, "a field to come"])) == message
    with pytest.raises(ValueError, match="not an envelope"):
        Envelope.decode(orjson.dumps(fields[:10]))


async def test_messages_come_in_order_and_one_at_a_time(mailbox: Mailbox) -> None:
    for number in range(3):
        assert await mailbox.enqueue("c", envelope(number))
    assert await mailbox.backlog() == 1, "a conversation has one live entry"
    seen: list[str] = []
    for _ in range(3):
        turn = await claim(mailbox)
        assert await mailbox.receive(1, 0.01) == [], "nobody gets the conversation meanwhile"
        seen.append(turn.messages[0].text)
        await mailbox.done(turn, [], 60, 10)
    assert seen == ["text 0", "text 1", "text 2"]
    assert await mailbox.backlog() == 0


async def test_an_event_is_enqueued_once(mailbox: Mailbox) -> None:
    assert await mailbox.enqueue("c", envelope(1))
    assert not await mailbox.enqueue("c", envelope(1))
    turn = await claim(mailbox)
    await mailbox.done(turn, [], 60, 10)
    assert not await mailbox.enqueue("c", envelope(1)), "not even after it was answered"
    assert await mailbox.backlog() == 0


async def test_the_context_is_kept_capped_and_expires(mailbox: Mailbox) -> None:
    for number in range(3):
        await mailbox.enqueue("c", envelope(number))
        turn = await claim(mailbox)
        await mailbox.done(turn, [b"q%d" % number, b"a%d" % number], 60, 4)
    await mailbox.enqueue("c", envelope(9))
    assert (await claim(mailbox)).context == [b"q1", b"a1", b"q2", b"a2"]
    assert 0 < await mailbox.store.command("PTTL", mailbox.keys.context("c")) <= 60_000


async def test_no_context_is_kept_when_none_is_wanted(mailbox: Mailbox) -> None:
    await mailbox.enqueue("c", envelope(1))
    await mailbox.done(await claim(mailbox), [b"q", b"a"], 60, 0)
    assert await mailbox.store.command("EXISTS", mailbox.keys.context("c")) == 0


async def test_a_dead_workers_turn_is_taken_over_with_what_it_did(mailbox: Mailbox) -> None:
    await mailbox.enqueue("c", envelope(1))
    first = await claim(mailbox)
    await mailbox.begin(first)
    await mailbox.sent(first, 0, "message-7")
    await mailbox.replied(first, "the answer")
    other = beside(mailbox, "worker-b")
    second = await other.claim(await taken_over(other))
    assert second is not None
    assert second.sent == {0: "message-7"}
    assert second.reply == "the answer"
    assert second.token > first.token
    for step in (
        mailbox.begin(first), mailbox.sent(first, 1, "x"), mailbox.renew(first), mailbox.done(first, [], 60, 10),
        mailbox.retry(first, 1), mailbox.bury(first, "reason", 60),
    ):  # fmt: skip
        with pytest.raises(TurnLost):
            await step
    await other.done(second, [], 60, 10)
    assert await mailbox.backlog() == 0


async def test_renewal_keeps_a_turn(mailbox: Mailbox) -> None:
    await mailbox.enqueue("c", envelope(1))
    turn = await claim(mailbox)
    other = beside(mailbox, "worker-b")
    end = asyncio.get_running_loop().time() + 3 * mailbox.lease
    while asyncio.get_running_loop().time() < end:
        await mailbox.renew(turn)
        assert await other.take_over(10) == []
        await asyncio.sleep(mailbox.lease / 10)
    await mailbox.done(turn, [], 60, 10)


async def test_an_entry_taken_away_before_its_claim_is_not_claimed(mailbox: Mailbox) -> None:
    await mailbox.enqueue("c", envelope(1))
    (entry,) = await mailbox.receive(1, 1.0)
    other = beside(mailbox, "worker-b")
    stolen = await taken_over(other)
    assert stolen == entry
    assert await mailbox.claim(entry) is None
    assert await other.claim(stolen) is not None


async def test_past_its_deadline_a_turn_may_not_edit(mailbox: Mailbox) -> None:
    await mailbox.enqueue("c", envelope(1))
    turn = await claim(mailbox)
    mailbox.check(turn)
    turn.deadline = 0
    with pytest.raises(TurnLost):
        mailbox.check(turn)


async def test_a_retry_waits_keeps_the_order_and_counts(mailbox: Mailbox) -> None:
    await mailbox.enqueue("c", envelope(1))
    await mailbox.enqueue("c", envelope(2))
    await mailbox.retry(await claim(mailbox), 0.05)
    assert await mailbox.backlog() == 0
    async with asyncio.timeout(5):
        while not await mailbox.promote():
            await asyncio.sleep(0.01)
    again = await claim(mailbox)
    assert again.messages[0].text == "text 1"
    assert again.attempts == 1
    await mailbox.retry(again, 0, attempt=False)
    third = await claim(mailbox)
    assert third.attempts == 1, "a hand-over is no failed try"
    await mailbox.done(third, [], 60, 10)
    assert (await claim(mailbox)).messages[0].text == "text 2"


async def test_what_is_given_up_is_a_dead_letter_and_the_next_goes_on(mailbox: Mailbox) -> None:
    await mailbox.enqueue("c", envelope(1))
    await mailbox.enqueue("c", envelope(2))
    await mailbox.bury(await claim(mailbox), "model: quota", 60)
    ((_, fields),) = await mailbox.store.command("XRANGE", mailbox.keys.dead, "-", "+")
    letter = dict(zip(fields[::2], fields[1::2], strict=True))
    assert letter[b"c"] == b"c"
    assert letter[b"r"] == b"model: quota"
    assert Envelope.decode(letter[b"m"]).text == "text 1"
    assert 0 < await mailbox.store.command("PTTL", mailbox.keys.dead) <= 60_000
    assert (await claim(mailbox)).messages[0].text == "text 2"


async def test_work_goes_on_after_the_store_lost_everything(mailbox: Mailbox) -> None:
    await mailbox.store.command("DEL", mailbox.keys.runnable)
    assert await mailbox.receive(1, 0.05) == []
    await mailbox.store.command("DEL", mailbox.keys.runnable)
    assert await mailbox.take_over(1) == []
    await mailbox.enqueue("c", envelope(1))
    assert (await claim(mailbox)).messages[0].text == "text 1"


async def turns(mailbox: Mailbox, count: int) -> list[list[str]]:
    """The numbers of the messages of so many turns, one done after the other."""
    found: list[list[str]] = []
    for _ in range(count):
        (entry,) = await mailbox.receive(1, 1.0)
        turn = await mailbox.claim(entry, 20)
        assert turn
        found.append([message.text[-1] for message in turn.messages])
        await mailbox.done(turn, [], 60, 10)
    return found


async def test_a_burst_is_one_turn_and_other_kinds_stand_alone(mailbox: Mailbox) -> None:
    kinds: list[dict[str, Any]] = [{}, {}, {"command": "help"}, {}, {"notice": "limit-user"}, {}, {"platform": "b"}]
    for number, changes in enumerate(kinds):
        await mailbox.enqueue("c", envelope(number, **changes))
    assert await turns(mailbox, 6) == [["0", "1"], ["2"], ["3"], ["4"], ["5"], ["6"]]
    assert await mailbox.backlog() == 0


async def test_what_several_people_ask_is_not_one_turn(mailbox: Mailbox) -> None:
    for number, who in enumerate(["ada", "ada", "bob", "ada", "eve", "eve"]):
        await mailbox.enqueue("c", envelope(number, user=who, direct=False, speaker=f"user-{who}"))
    assert await turns(mailbox, 4) == [["0", "1"], ["2"], ["3"], ["4", "5"]]
    assert await mailbox.backlog() == 0


async def test_a_finished_reply_is_for_the_messages_it_was_made_of(mailbox: Mailbox) -> None:
    await mailbox.enqueue("c", envelope(1))
    (entry,) = await mailbox.receive(1, 1.0)
    first = await mailbox.claim(entry, 20)
    assert first
    await mailbox.enqueue("c", envelope(2))
    await mailbox.replied(first, "to the first")
    await mailbox.retry(first, 0)
    (entry,) = await mailbox.receive(1, 1.0)
    again = await mailbox.claim(entry, 20)
    assert again
    assert [message.text for message in again.messages] == ["text 1"]
    await mailbox.done(again, [], 60, 10)
    assert (await claim(mailbox)).messages[0].text == "text 2"


async def test_what_another_version_wrote_becomes_a_dead_letter(mailbox: Mailbox) -> None:
    for unreadable in (b"[1]", b"{}", b"not JSON"):
        await mailbox.store.command("RPUSH", mailbox.keys.mail("c"), unreadable)
    await mailbox.enqueue("c", envelope(1))
    await mailbox.store.command("XADD", mailbox.keys.runnable, "*", "c", "c")
    for _ in range(3):
        (entry,) = await mailbox.receive(1, 1.0)
        assert await mailbox.claim(entry) is None
    assert (await claim(mailbox)).messages == [envelope(1)]
    letters = await DeadLetters(mailbox.store, mailbox.keys).list()
    assert [letter.envelope for letter in letters] == [None, None, None]


async def test_settings_come_with_the_claim_until_forgotten(mailbox: Mailbox) -> None:
    await mailbox.choose("c", {"persona": "translator", "language": None}, 60)
    await mailbox.enqueue("c", envelope(1))
    turn = await claim(mailbox)
    assert turn.settings == {"persona": "translator"}
    await mailbox.done(turn, [b"q"], 60, 10)
    await mailbox.forget("c")
    await mailbox.enqueue("c", envelope(2))
    turn = await claim(mailbox)
    assert turn.settings == {}
    assert turn.context == []


async def test_all_keys_share_a_slot_and_name_no_platform_id(store: Store, mailbox: Mailbox) -> None:
    keys = mailbox.keys
    await mailbox.enqueue(keys.pseudonym("telegram", "conversation", "123456789"), envelope(1))
    names = [name.decode() for name in await store.command("KEYS", "*") if keys.bot in name.decode()]
    assert names
    assert all(name.startswith(f"{{{keys.bot}}}:") for name in names)
    assert not any("123456789" in name for name in names)


def test_pseudonyms_are_stable_and_differ_by_pepper_and_part() -> None:
    keys = BotKeys("ns/bot", b"a" * 32)
    assert keys.pseudonym("x", "1") == keys.pseudonym("x", "1")
    assert len(keys.pseudonym("x", "1")) == 22
    others = {keys.pseudonym("x", "2"), keys.pseudonym("x1"), BotKeys("ns/bot", b"b" * 32).pseudonym("x", "1")}
    assert keys.pseudonym("x", "1") not in others
    assert "aaaa" not in repr(keys)
