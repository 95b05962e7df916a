"""The pace that two workers keep together, by a real store; and alone, without one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gptbot.delivery.live import LiveMessage, Postponed
from gptbot.delivery.pacing import Pacer, Places
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.errors import FloodWait
from gptbot.platforms.pace import Limit, Pace
from tests.delivery.test_live import Journal, Platform

CHAT = Limit(name="chat", requests=3, seconds=1.0, interim=2, chat=True)
ALL = Limit(name="all", requests=6, seconds=0.5, interim=4)


class PacedPlatform(Platform):
    """A platform with limits; an address is its chat."""

    def pace(self, address: dict[str, Any]) -> Pace:
        return Pace(chat=address["chat"], messages=(CHAT, ALL), typing=(ALL,))


def places(pacer: Pacer, chat: str) -> Places:
    found = pacer.places("test", PacedPlatform(), {"chat": chat})
    assert found is not None
    return found


def left(began: float, seconds: float) -> float:
    """What is left of so many seconds since then, by another clock."""
    return seconds - (time.monotonic() - began) - 0.1


@pytest_asyncio.fixture
async def other(store_url: str) -> AsyncIterator[Store]:
    """The connection of another worker."""
    async with Store.connect(store_url) as connected:
        yield connected


@pytest_asyncio.fixture(params=["with the store", "without it"])
async def pacers(
    request: pytest.FixtureRequest, store: Store, other: Store, keys: BotKeys
) -> AsyncIterator[list[Pacer]]:
    """Of two workers; or, when the store is away, twice that of one, which counts alone."""
    if request.param == "with the store":
        yield [Pacer(store, keys), Pacer(other, keys)]
        return
    async with Store.connect("redis://127.0.0.1:1") as away:
        yield [Pacer(away, keys)] * 2


def test_a_platform_without_limits_has_no_pace(store: Store, keys: BotKeys) -> None:
    assert Pacer(store, keys).places("test", Platform(), {}) is None


async def test_interim_edits_leave_a_place_for_the_final_text(pacers: list[Pacer]) -> None:
    one, two = places(pacers[0], "a"), places(pacers[1], "a")
    began = time.monotonic()
    assert [await one.take_interim(), await two.take_interim()] == [0.0, 0.0]
    assert left(began, 1.0) < await one.take_interim() <= 1.1
    assert await two.take(0.0) == 0.0
    assert left(began, 1.0) < await one.take(0.0) <= 1.1, "the chat is full"
    assert await places(pacers[0], "b").take_interim() == 0.0, "another chat is not"


async def test_texts_reserve_their_places_one_after_the_other(pacers: list[Pacer]) -> None:
    answers = [places(pacers[number % 2], "a") for number in range(7)]
    began = time.monotonic()
    waits = [await each.take(30.0) for each in answers]
    assert waits[:3] == [0.0] * 3
    assert all(left(began, 1.0) < wait <= 1.1 for wait in waits[3:6])
    assert left(began, 2.0) < waits[6] <= 2.2
    assert await places(pacers[0], "a").take_interim() > 1.0, "what is reserved comes before interim edits"
    await asyncio.sleep(waits[3])
    assert await answers[3].take(30.0) == 0.0, "a place reserved is not asked for again"


async def test_a_place_too_far_off_is_not_reserved(pacers: list[Pacer]) -> None:
    for _ in range(3):
        assert await places(pacers[0], "a").take(0.0) == 0.0
    for _ in range(5):
        assert await places(pacers[1], "a").take(0.1) <= 1.1


async def test_the_limit_of_all_is_kept_over_chats(pacers: list[Pacer]) -> None:
    waits = [await places(pacers[number % 2], f"chat{number}").take_interim(typing=True) for number in range(5)]
    assert waits[:4] == [0.0] * 4
    assert waits[4] > 0
    waits = [await places(pacers[number % 2], f"chat{number}").take(30.0) for number in range(8)]
    assert waits[:2] == [0.0] * 2
    assert all(0 < wait <= 0.6 for wait in waits[2:])


async def test_a_wait_that_a_platform_asked_for_holds_for_every_worker(pacers: list[Pacer]) -> None:
    began = time.monotonic()
    await places(pacers[0], "a").refused(FloodWait(2.0))
    held = places(pacers[1], "a")
    assert left(began, 2.0) < await held.take(0.0) <= 2.0
    assert left(began, 2.0) < await held.take_interim(typing=True) <= 2.0
    assert await places(pacers[1], "b").take_interim() == 0.0
    waited = 0.0
    while (wait := await held.take(30.0)) > 0:
        waited += wait
        await asyncio.sleep(wait)
    assert time.monotonic() - began >= 2.0
    assert waited < 2.5


async def test_a_wait_can_be_for_all_chats_or_for_none(pacers: list[Pacer]) -> None:
    await places(pacers[0], "a").refused(FloodWait(30.0, "request"))
    assert await places(pacers[1], "a").take(0.0) == 0.0
    await places(pacers[0], "a").refused(FloodWait(13_000.0, "all"))
    assert 12_999 < await places(pacers[1], "b").take(0.0) <= 13_000


async def test_what_is_kept_names_nobody_and_goes(store: Store, keys: BotKeys) -> None:
    answer = places(Pacer(store, keys), "chat-4711")
    await answer.take(0.0)
    await answer.refused(FloodWait(5.0))
    found = [name.decode() for name in await store.command("KEYS", f"{keys.prefix}*")]
    assert len(found) == 3
    for name in found:
        assert "4711" not in name
        assert 0 < await store.command("PTTL", name) <= 5000


class FloodedPlatform(PacedPlatform):
    """A platform that refuses the sign of typing."""

    async def typing(self, address: dict[str, Any]) -> None:
        await super().typing(address)
        raise FloodWait(60.0)


async def test_a_refused_sign_of_typing_is_a_wait_like_any_other(pacers: list[Pacer]) -> None:
    platform, address = FloodedPlatform(), {"chat": "one"}
    mine = pacers[0].places("test", platform, address)
    assert mine is not None
    live = LiveMessage(platform, address, "n", Journal(), {}, mine)
    async with live.typing(), asyncio.timeout(10):
        while not await places(pacers[1], "one").take(0.0):
            await asyncio.sleep(0)
    assert platform.typed == 1
    assert 40 < await places(pacers[1], "one").take(0.0) <= 60
    assert await places(pacers[1], "another").take(0.0) == 0
    with pytest.raises(Postponed) as postponed:
        await live.finish("an answer")
    assert 40 < postponed.value.delay <= 60
    assert platform.messages == {}
