"""What a turn's way through the store costs its client: CPU, and times it waits for the store.

A gateway and a worker, each with its own connection, in one process; the store is another. Turns come and go
independently of each other, as they do where people write and models answer.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from redis.asyncio import Redis

from benchmarks.results import Target, finish
from gptbot import garbage
from gptbot.embedded.valkey import EmbeddedValkey
from gptbot.inbox.claims import Claim, Entry
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store

CONVERSATIONS = 1000
TURNS = 10_000
WAIT = 0.25
"""Seconds that a turn waits on average for its model and for its platform, each."""
WARM_UP, TURNS_ONE_BY_ONE = 200, 2_000
REPLY, NOTED = "I am fine, thank you." * 4, [b"question" * 6, b"answer" * 14]
TARGETS = [
    Target("store_client_us_per_turn", 160),
    Target("store_client_cpu_ratio_to_redis_py", 0.195),
    Target("store_round_trips_per_turn", 5),
]
"""The ratio is the same promise on any machine: where it was made, redis-py took 820 µs."""


class _Idle:
    """A mailbox without a store: what a load costs with it is the load's own."""

    def __init__(self) -> None:
        self._runnable: asyncio.Queue[tuple[str, Envelope]] = asyncio.Queue()
        self._claims: dict[str, Envelope] = {}

    async def enqueue(self, conversation: str, envelope: Envelope) -> bool:
        self._claims[conversation] = envelope
        self._runnable.put_nowait((conversation, envelope))
        return True

    async def receive(self, count: int, block: float) -> list[Entry]:
        found = [await self._runnable.get()]
        while len(found) < count and not self._runnable.empty():
            found.append(self._runnable.get_nowait())
        return [Entry("", conversation) for conversation, _ in found]

    async def claim(self, entry: Entry) -> Claim:
        return Claim(entry, 0, [self._claims.pop(entry.conversation)], [], "", {}, None, 0)

    async def nothing(self, *_: object) -> None:
        pass

    begin = sent = replied = done = nothing


class _OneByOne:
    """What a mailbox needs of a store, by redis-py: a round trip a command, which is how most bots use it."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def command(self, *args: Any) -> Any:
        return await self._client.execute_command(*args)

    async def run(self, name: str, keys: Sequence[str], *args: Any) -> Any:
        return await self.command("FCALL", name, len(keys), *keys, *args)

    async def block(self, *args: Any, timeout: float) -> Any:
        async with asyncio.timeout(timeout):
            return await self.command(*args)


async def _one_by_one(url: str) -> float:
    """Microseconds of CPU a turn with redis-py, one turn after another."""
    # The replies as they are: what redis-py makes of them is not what a mailbox reads.
    async with Redis.from_url(url, protocol=2) as client:
        client.response_callbacks.clear()
        mailbox = Mailbox(cast(Store, _OneByOne(client)), BotKeys("default/one-by-one", b"p" * 32), "worker")
        await mailbox.create_group()
        started = 0.0
        for turn in range(WARM_UP + TURNS_ONE_BY_ONE):
            if turn == WARM_UP:
                started = time.process_time()
            await mailbox.enqueue("person", _message(turn.to_bytes(11).hex(), "person"))
            [entry] = await mailbox.receive(64, 1.0)
            claim = await mailbox.claim(entry)
            if claim is None:
                raise RuntimeError("a conversation was not to be claimed")
            await mailbox.begin(claim)
            await mailbox.sent(claim, 0, "4711")
            await mailbox.replied(claim, REPLY)
            await mailbox.done(claim, NOTED, 3600, 10)
    return (time.process_time() - started) / TURNS_ONE_BY_ONE * 1e6


def _message(event: str, name: str) -> Envelope:
    return Envelope(
        event=event, platform="bench", user=name, text="How are you?" * 4, address={"chat": name}, direct=True,
        received=time.time(),
    )  # fmt: skip


class _Load:
    """Conversations that write again as soon as they are answered."""

    def __init__(self, gateway: Mailbox | _Idle, worker: Mailbox | _Idle) -> None:
        self._gateway = gateway
        self._worker = worker
        self._random = random.Random(1)
        self._waiting: dict[str, asyncio.Event] = {}
        self.reads = 0
        """Blocking reads."""
        self.turns = 0

    async def run(self, turns: int) -> None:
        """So many turns, started evenly over the first wait."""
        self.turns, each = 0, turns // CONVERSATIONS
        async with asyncio.TaskGroup() as group:
            claims = group.create_task(self._claim(group))
            people = [group.create_task(self._person(f"person{number:016}", each)) for number in range(CONVERSATIONS)]
            await asyncio.wait(people)
            claims.cancel()

    async def _pause(self) -> None:
        await asyncio.sleep(self._random.uniform(0.0, 2 * WAIT))

    async def _person(self, name: str, messages: int) -> None:
        for _ in range(messages):
            await self._pause()
            answered = self._waiting[name] = asyncio.Event()
            event = self._random.randbytes(11).hex()
            if not await self._gateway.enqueue(name, _message(event, name)):
                raise RuntimeError("a new message counted as a repeated one")
            await answered.wait()

    async def _claim(self, group: asyncio.TaskGroup) -> None:
        while True:
            self.reads += 1
            for entry in await self._worker.receive(64, 1.0):
                group.create_task(self._turn(entry))

    async def _turn(self, entry: Entry) -> None:
        claim = await self._worker.claim(entry)
        if claim is None:
            raise RuntimeError("a conversation was not to be claimed")
        await self._pause()  # until the first text
        await self._worker.begin(claim)
        await self._worker.sent(claim, 0, "4711")
        await self._pause()  # until the last
        await self._worker.replied(claim, REPLY)
        await self._worker.done(claim, NOTED, 3600, 10)
        self.turns += 1
        self._waiting[claim.conversation].set()


async def _cpu(load: _Load) -> float:
    """Microseconds of CPU a turn."""
    started = time.process_time()
    await load.run(TURNS)
    if load.turns != TURNS:
        raise RuntimeError(f"{load.turns} turns were made, and {TURNS} were to be")
    return (time.process_time() - started) / TURNS * 1e6


async def _client(url: str) -> dict[str, float]:
    """CPU and round trips a turn, after a warm-up, without what the load itself costs."""
    keys = BotKeys("default/bench", b"p" * 32)
    idle = _Idle()
    own = await _cpu(_Load(idle, idle))
    async with Store.connect(url) as first, Store.connect(url) as second:
        worker = Mailbox(second, keys, "worker")
        await worker.create_group()
        load = _Load(Mailbox(first, keys, "gateway"), worker)
        await load.run(CONVERSATIONS)
        trips, started = first.round_trips + second.round_trips + load.reads, time.monotonic()
        whole = await _cpu(load)
        trips, elapsed = first.round_trips + second.round_trips + load.reads - trips, time.monotonic() - started
    one_by_one = await _one_by_one(url)
    return {
        "store_client_us_per_turn": whole - own,
        "store_client_cpu_ratio_to_redis_py": (whole - own) / one_by_one,
        "store_redis_py_us_per_turn": one_by_one,
        "store_round_trips_per_turn": trips / TURNS,
        "store_load_us_per_turn": own,
        "store_load_turns_per_s": TURNS / elapsed,
    }


async def run(runs: int) -> dict[str, float]:
    """The figures."""
    found: list[dict[str, float]] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as directory:
            async with EmbeddedValkey(Path(directory)) as valkey:
                command = [sys.executable, "-m", "benchmarks.store", valkey.url]
                result = await asyncio.to_thread(
                    subprocess.run, command, cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, check=True,
                    timeout=300,
                )  # fmt: skip
                found.append(json.loads(result.stdout))
    return {key: statistics.median(each[key] for each in found) for key in found[0]}


def main(runs: int = 5) -> int:
    """Print, write, check."""
    print(f"a turn in the store, {CONVERSATIONS} conversations at once, median of {runs}")
    return finish(asyncio.run(run(runs)), TARGETS)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        import uvloop

        garbage.tune()
        print(json.dumps(uvloop.run(_client(sys.argv[1]))))
    else:
        sys.exit(main())
