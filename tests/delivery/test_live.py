"""The live message against a sender that behaves as platforms do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from gptbot.delivery.live import LiveMessage, Postponed
from gptbot.inbox.claims import TurnLost, Unsure
from gptbot.platforms.base import Button
from gptbot.platforms.errors import FloodWait, MessageGone, NotSent, OutcomeUnknown, Rejected, SendError


@dataclass
class Platform:
    """Keeps messages and their versions; raises what it is told to."""

    max_length: int = 64
    edit_interval: float = 0.02
    messages: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    nonces: dict[str, str] = field(default_factory=dict[str, str])
    trouble: list[SendError | None] = field(default_factory=list[SendError | None])
    after: list[SendError] = field(default_factory=list[SendError])
    typed: int = 0
    firsts: list[bool] = field(default_factory=list[bool])

    def length(self, text: str) -> int:
        return len(text)

    async def typing(self, address: dict[str, Any]) -> None:
        self.typed += 1

    async def send(
        self,
        address: dict[str, Any],
        text: str,
        *,
        nonce: str,
        first: bool,
        final: bool,
        buttons: Sequence[Button] = (),
    ) -> str:
        self._maybe()
        if nonce not in self.nonces:
            self.nonces[nonce] = f"id{len(self.messages)}"
            self.messages[self.nonces[nonce]] = [text]
            self.firsts.append(first)
        if self.after:
            raise self.after.pop(0)
        return self.nonces[nonce]

    async def edit(
        self, address: dict[str, Any], message_id: str, text: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        self._maybe()
        if message_id not in self.messages:
            raise MessageGone
        self.messages[message_id].append(text)

    def _maybe(self) -> None:
        if self.trouble and (error := self.trouble.pop(0)):
            raise error

    @property
    def texts(self) -> list[str]:
        return [versions[-1] for versions in self.messages.values()]


@dataclass
class Journal:
    lost: bool = False
    notes: dict[int, str] = field(default_factory=dict[int, str])
    trying: Unsure | None = None

    def check(self) -> None:
        if self.lost:
            raise TurnLost

    async def begin(self, trying: Unsure | None = None) -> None:
        self.check()
        self.trying = trying

    async def put_off(self) -> None:
        self.check()
        self.trying = None

    def not_sent(self) -> None:
        self.trying = None

    def unsure(self) -> Unsure | None:
        return self.trying

    def looked(self, unsure: Unsure) -> None:
        self.trying = unsure

    async def last_sent(self) -> str:
        return next(reversed(self.notes.values()), "")

    async def sent(self, part: int, message_id: str) -> None:
        self.check()
        self.notes[part], self.trying = message_id, None


def live(platform: Platform, journal: Journal, sent: dict[int, str] | None = None) -> LiveMessage:
    return LiveMessage(platform, {}, "n", journal, sent or {})


async def test_it_types_shows_grows_and_ends() -> None:
    platform, journal = Platform(max_length=1000), Journal()
    message = live(platform, journal)
    show = asyncio.create_task(message.show())
    while not platform.typed:
        await asyncio.sleep(0.001)
    message.feed("One ")
    async with asyncio.timeout(5):
        while not platform.messages:
            await asyncio.sleep(0.001)
        message.feed("two ")
        while platform.texts != ["One two "]:
            await asyncio.sleep(0.001)
    show.cancel()
    await asyncio.gather(show, return_exceptions=True)
    await message.finish("One two three")
    assert platform.texts == ["One two three"]
    assert journal.notes == {0: "id0"}


async def test_a_long_text_becomes_parts_and_only_the_first_is_a_reply() -> None:
    platform, journal = Platform(), Journal()
    text = "word " * 40
    await live(platform, journal).finish(text)
    assert "".join(platform.texts) == text
    assert platform.firsts == [True] + [False] * (len(platform.messages) - 1)
    assert len(journal.notes) == len(platform.messages)


async def test_what_an_earlier_try_sent_is_edited() -> None:
    platform, journal = Platform(), Journal()
    platform.messages["old"] = ["half an ans"]
    await live(platform, journal, {0: "old"}).finish("half an answer and all of it")
    assert platform.messages == {"old": ["half an ans", "half an answer and all of it"]}


async def test_a_message_deleted_meanwhile_is_sent_anew() -> None:
    platform, journal = Platform(), Journal()
    await live(platform, journal, {0: "deleted"}).finish("text")
    assert platform.texts == ["text"]


class Deleting(Platform):
    """Lets messages be deleted, but for those that are too old."""

    too_old: tuple[str, ...] = ()

    async def delete(self, address: dict[str, Any], message_id: str) -> None:
        self._maybe()
        if message_id in self.too_old:
            raise Rejected("too old")
        self.messages.pop(message_id, None)


OLD = {0: "a", 1: "b", 2: "c"}


def shown_before(platform: Platform) -> None:
    platform.messages |= {message: ["of an earlier try"] for message in OLD.values()}


async def test_what_an_earlier_try_said_beyond_the_text_is_deleted() -> None:
    platform, journal = Deleting(), Journal()
    shown_before(platform)
    message = live(platform, journal, OLD)
    await message.finish("short", final=False)
    assert platform.messages == {"a": ["of an earlier try", "short"]}
    await message.finish("word " * 20)
    assert "".join(platform.texts) == "word " * 20
    assert journal.notes == {1: "id1"}
    assert set(platform.nonces) == {"nrr1"}, "another nonce, since the old one would bring the deleted message back"


async def test_where_nothing_can_be_deleted_it_is_emptied_once() -> None:
    for platform in (Platform(), Deleting()):
        if isinstance(platform, Deleting):
            platform.too_old = ("b", "c")
        shown_before(platform)
        message = live(platform, Journal(), OLD)
        await message.finish("short", final=False)
        await message.finish("the end")
        assert platform.texts == ["the end", "…", "…"]
        assert [len(platform.messages[each]) for each in "bc"] == [2, 2]


async def test_a_deletion_that_fails_is_tried_again_and_the_text_is_not_sent_twice() -> None:
    platform = Deleting(trouble=[None, None, FloodWait(0.01), None, NotSent("no"), None])
    shown_before(platform)
    await live(platform, Journal(), OLD).finish("short")
    assert platform.messages == {"a": ["of an earlier try", "short"]}


async def test_a_lost_turn_deletes_nothing() -> None:
    platform = Deleting()
    shown_before(platform)
    journal, message = Journal(), live(platform, Journal(), OLD)
    message._journal = journal
    journal.lost = True
    with pytest.raises(TurnLost):
        await message.finish("short")
    assert set(platform.messages) == {"a", "b", "c"}


async def test_a_lost_turn_sends_and_edits_nothing() -> None:
    platform, journal = Platform(), Journal(lost=True)
    with pytest.raises(TurnLost):
        await live(platform, journal).finish("text")
    with pytest.raises(TurnLost):
        await live(platform, journal, {0: "old"}).finish("text")
    assert not platform.messages


async def test_short_flood_waits_are_sat_out_and_long_ones_put_the_turn_off() -> None:
    platform, journal = Platform(trouble=[FloodWait(0.05)]), Journal()
    await live(platform, journal).finish("text")
    assert platform.texts == ["text"]
    platform = Platform(trouble=[FloodWait(13_000.0)])
    with pytest.raises(Postponed) as caught:
        await live(platform, journal).finish("text")
    assert 12_999 < caught.value.delay <= 13_000


async def test_many_short_flood_waits_are_sat_out_too() -> None:
    platform, journal = Platform(trouble=[FloodWait(0.01)] * 20), Journal()
    await live(platform, journal).finish("text")
    assert platform.texts == ["text"]


async def test_an_unknown_outcome_is_tried_again_with_the_same_nonce() -> None:
    platform, journal = Platform(after=[OutcomeUnknown("cut")]), Journal()
    await live(platform, journal).finish("text")
    assert platform.texts == ["text"]


async def test_a_platform_that_stays_away_puts_the_turn_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gptbot.delivery.live._TRIES", 2)
    platform, journal = Platform(trouble=[NotSent("no"), NotSent("no")]), Journal()
    with pytest.raises(Postponed):
        await live(platform, journal).finish("text")


async def test_a_refusal_is_passed_on() -> None:
    with pytest.raises(Rejected):
        await live(Platform(trouble=[Rejected("blocked")]), Journal()).finish("text")


async def test_a_send_under_way_is_not_cut_short_by_the_end_of_the_stream() -> None:
    class Slow(Platform):
        async def send(
            self,
            address: dict[str, Any],
            text: str,
            *,
            nonce: str,
            first: bool,
            final: bool,
            buttons: Sequence[Button] = (),
        ) -> str:
            entered.set()
            await asyncio.sleep(0.1)
            return await super().send(address, text, nonce=nonce, first=first, final=final)

    entered = asyncio.Event()
    platform, journal = Slow(), Journal()
    message = live(platform, journal)
    show = asyncio.create_task(message.show())
    message.feed("some text")
    await asyncio.wait_for(entered.wait(), 5)
    show.cancel()
    await asyncio.gather(show, return_exceptions=True)
    await message.finish("some text, whole")
    assert list(platform.messages.values()) == [["some text", "some text, whole"]]
