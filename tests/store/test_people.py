"""Who was seen in a group is known there, for a while."""

from __future__ import annotations

import time

from gptbot.inbox import people
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.people import MOST, People
from gptbot.inbox.store import Store

CHAT, ADA, BOB = "chat-pseudonym", "user-AAAA", "user-BBBB"


class Clock:
    """Seconds that a test lets pass."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_who_was_seen_is_known_there_and_nowhere_else(store: Store, keys: BotKeys) -> None:
    seen = People(store, keys)
    assert await seen.known(CHAT, []) == frozenset()
    await seen.saw(CHAT, [ADA, BOB], 60)
    assert await seen.known(CHAT, [ADA, "user-CCCC", BOB]) == {ADA, BOB}
    assert await seen.known("elsewhere", [ADA]) == frozenset()
    assert 0 < await store.command("PTTL", keys.met(CHAT)) <= 135_000, "2.25 times the retention"


async def test_somebody_seen_again_at_once_costs_the_store_nothing(store: Store, keys: BotKeys) -> None:
    clock = Clock()
    seen = People(store, keys, clock)
    await seen.saw(CHAT, [ADA], 60)
    await store.command("DEL", keys.met(CHAT))
    await seen.saw(CHAT, [ADA], 60)
    assert await seen.known(CHAT, [ADA]) == frozenset()
    await seen.saw("elsewhere", [ADA], 60)
    assert await seen.known("elsewhere", [ADA])
    clock.now += 61
    await seen.saw(CHAT, [ADA], 60)
    assert await seen.known(CHAT, [ADA])


async def test_who_was_not_seen_for_long_is_not_known(store: Store, keys: BotKeys) -> None:
    long_ago = int((time.time() - 200) * 1000)
    await store.command("ZADD", keys.met(CHAT), long_ago, ADA)
    await People(store, keys).saw(CHAT, [BOB], 60)
    assert await People(store, keys).known(CHAT, [ADA, BOB]) == {BOB}


async def test_a_crowd_is_bounded_and_the_newest_are_known(store: Store, keys: BotKeys) -> None:
    seen = People(store, keys)
    for first in range(0, MOST + 10, 101):
        await seen.saw(CHAT, [f"user-{number:04}" for number in range(first, first + 101)], 60)
    assert await store.command("ZCARD", keys.met(CHAT)) == MOST
    assert await seen.known(CHAT, [f"user-{MOST:04}"])
    assert not await seen.known(CHAT, ["user-0000"])


async def test_of_a_message_full_of_names_so_many_are_looked_up(store: Store, keys: BotKeys) -> None:
    seen, names = People(store, keys), [f"user-{number:04}" for number in range(3 * people._MOST_ASKED)]
    await seen.saw(CHAT, names, 60)
    assert len(await seen.known(CHAT, names)) == people._MOST_ASKED


async def test_what_is_kept_in_the_process_is_bounded(store: Store, keys: BotKeys) -> None:
    seen = People(store, keys)
    for number in range(0, people._MOST_NOTED + 2000, 1000):
        await seen.saw(f"chat-{number % 3}", [f"user-{each}" for each in range(number, number + 1000)], 60)
    assert len(seen._noted) == people._MOST_NOTED
