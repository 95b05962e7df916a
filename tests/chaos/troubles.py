"""What goes wrong: processes killed and paused, the store restarted, networks cut, answers of platforms lost."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

from tests.chaos.fleet import Fleet, Role
from tests.chaos.tally import Trouble
from tests.chaos.wire import Wire
from tests.fakes.discord import FakeDiscord
from tests.fakes.telegram import FakeTelegram
from tests.process.program import Valkey

_STORE_DOWN = 0.5
_CUT = 1.0
_BEYOND_LEASE = 2.0
_RECEIVER_LEASE = 10.0
_LOST_ANSWERS = 3


class Troubles:
    """Makes one trouble after another and notes when each was. Only a gateway's pause goes on beside the next ones."""

    def __init__(
        self,
        fleet: Fleet,
        valkey: Valkey,
        wires: dict[str, Wire],
        telegram: FakeTelegram,
        discord: FakeDiscord,
        tasks: asyncio.TaskGroup,
        seed: int,
        lease: float,
    ) -> None:
        self._fleet, self._valkey, self._wires = fleet, valkey, wires
        self._telegram, self._discord = telegram, discord
        self._tasks, self._lease = tasks, lease
        self._chance = random.Random(f"{seed} troubles")
        self.noted: list[Trouble] = []
        self.kills = 0

    def plan(self, kills: int) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """So many kills, every third of a gateway, and between them each other trouble at least once."""
        others = [
            ("gateway paused", self.pause_gateway),
            ("worker paused", self.pause_worker),
            ("store restarted", self.restart_store),
            ("answers lost", self.lose_answers),
            *((f"{name} cut", lambda name=name: self.cut(name)) for name in self._wires),
        ]
        between = others * max(1, kills // (3 * len(others)))
        steps: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        for number in range(kills):
            role: Role = "gateway" if number % 3 == 2 else "worker"
            steps.append((f"{role} killed", lambda role=role: self.kill(role)))
        for number, other in enumerate(between):
            steps.insert((2 * number + 1) * (kills + len(between)) // (2 * len(between)), other)
        return steps

    async def kill(self, role: Role) -> None:
        """`kill -9`."""
        with self._noted(f"{role} killed", unknown=role == "worker"):
            await self._fleet.kill(role, self._chance.randrange(8))
        self.kills += 1

    async def pause_worker(self) -> None:
        """A worker stands still for longer than its lease of turns."""
        with self._noted("worker paused", unknown=True):
            await self._fleet.pause("worker", self._chance.randrange(8), self._lease + _BEYOND_LEASE)

    async def pause_gateway(self) -> None:
        """A gateway stands still for longer than its lease of receivers, while other things go wrong."""
        number = self._chance.randrange(8)

        async def pause() -> None:
            with self._noted("gateway paused"):
                await self._fleet.pause("gateway", number, _RECEIVER_LEASE + _BEYOND_LEASE)

        self._tasks.create_task(pause(), name="pause")

    async def restart_store(self) -> None:
        """The store is killed and starts again on its append-only file."""
        with self._noted("store restarted"):
            await self._valkey.stop()
            await asyncio.sleep(_STORE_DOWN)
            await self._valkey.start()

    async def lose_answers(self) -> None:
        """Platforms do what they are asked, and their answers get lost."""
        with self._noted("answers lost", unknown=True):
            await self._telegram.inject("sendMessage", "close_after", count=_LOST_ANSWERS)
            await self._discord.fail("create_message", "close_after", count=_LOST_ANSWERS)
            await asyncio.sleep(_CUT)
            await self._telegram.clear_faults()
            await self._discord.stop_failing()

    async def cut(self, name: str) -> None:
        """A network is away for a moment."""
        with self._noted(f"{name} cut", unknown=name == "telegram"):
            self._wires[name].cut()
            await asyncio.sleep(_CUT)
            await self._wires[name].mend()

    @contextmanager
    def _noted(self, what: str, *, unknown: bool = False) -> Generator[None]:
        begin = time.time()
        try:
            yield
        finally:
            self.noted.append(Trouble(what, begin, time.time(), unknown))
