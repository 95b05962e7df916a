"""The queue of keys: once each, never in two hands, delays and backoff."""

from __future__ import annotations

import asyncio

from gptbot_operator.workqueue import WorkQueue


async def test_a_key_added_twice_comes_once() -> None:
    queue = WorkQueue()
    for key in ("a", "b", "a"):
        queue.add(key)
    assert [await queue.take(), await queue.take()] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_added_while_it_is_worked_on_comes_again_but_not_at_once() -> None:
    queue = WorkQueue()
    queue.add("a")
    assert await queue.take() == "a"
    queue.add("a")
    second = asyncio.create_task(queue.take())
    await asyncio.wait([second], timeout=0.05)
    assert not second.done()
    queue.done("a")
    assert await second == "a"


async def test_the_shortest_delay_counts_and_now_is_shorter_than_any() -> None:
    queue = WorkQueue()
    loop = asyncio.get_running_loop()
    started = loop.time()
    queue.add_after("a", 30)
    queue.add_after("a", 0.05)
    queue.add_after("a", 30)
    assert await queue.take() == "a"
    assert 0.04 <= loop.time() - started < 10
    queue.done("a")
    queue.add_after("a", 30)
    queue.add("a")
    assert await queue.take() == "a"


async def test_backoff_doubles_up_to_a_limit_and_starts_again_after_success() -> None:
    queue = WorkQueue(base_delay=1, max_delay=8)
    delays = [queue.retry("a") for _ in range(6)]
    for delay, expected in zip(delays, (1, 2, 4, 8, 8, 8), strict=True):
        assert 0.8 * expected <= delay <= 1.2 * expected
    queue.succeeded("a")
    assert queue.retry("a") <= 1.2


async def test_many_hands_share_the_keys() -> None:
    queue = WorkQueue()
    taken: list[str] = []
    busy: set[str] = set()
    finished = asyncio.Event()

    async def hand() -> None:
        while True:
            key = await queue.take()
            assert key not in busy
            busy.add(key)
            await asyncio.sleep(0)
            busy.discard(key)
            taken.append(key)
            queue.done(key)
            if not len(queue) and not busy:
                finished.set()

    hands = [asyncio.create_task(hand()) for _ in range(4)]
    for number in range(200):
        queue.add(f"bot-{number % 50}")
        finished.clear()
        if number % 10 == 0:
            await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await finished.wait()
    for each in hands:
        each.cancel()
    outcomes = await asyncio.gather(*hands, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    assert set(taken) == {f"bot-{number}" for number in range(50)}


async def test_a_nudge_does_not_shorten_the_delay_after_a_failure_and_a_change_does() -> None:
    queue = WorkQueue(base_delay=30, max_delay=60)
    queue.nudge("a")
    assert await queue.take() == "a"
    queue.nudge("a")  # of what this look has done
    queue.retry("a")
    queue.done("a")
    queue.nudge("a")
    assert len(queue) == 0
    second = asyncio.create_task(queue.take())
    await asyncio.wait([second], timeout=0.05)
    assert not second.done()
    queue.add("a")
    assert await second == "a"
    queue.nudge("a")
    queue.add("a")  # it has changed itself while it is looked at
    queue.retry("a")
    queue.done("a")
    assert await queue.take() == "a"


async def test_a_nudge_is_a_look_after_one_that_went_well() -> None:
    queue = WorkQueue()
    queue.add("a")
    assert await queue.take() == "a"
    queue.nudge("a")
    queue.succeeded("a")
    queue.add_after("a", 30)
    queue.done("a")
    assert await queue.take() == "a"
    queue.done("a")
    queue.add_after("a", 30)
    queue.nudge("a")
    assert await queue.take() == "a"
