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
_LOST_ANSWERS = 3


class Troubles:
    """Makes one trouble at a time and notes when it was."""

    def __init__(
        self,
        fleet: Fleet,
        valkey: Valkey,
        wires: dict[str, Wire],
        telegram: FakeTelegram,
        discord: FakeDiscord,
        chance: random.Random,
        lease: float,
    ) -> None:
        self._fleet, self._valkey, self._wires = fleet, valkey, wires
        self._telegram, self._discord = telegram, discord
        self._chance, self._lease = chance, lease
        self.noted: list[Trouble] = []
        self.kills = 0

    def plan(self, kills: int) -> list[Callable[[], Awaitable[None]]]:
        """So many kills, every third of a gateway, and between them each other trouble at least once."""
        others = [
            self.pause, self.restart_store, self.lose_answers,
            *(lambda name=name: self.cut(name) for name in self._wires),
        ]  # fmt: skip
        rounds = max(1, kills // (3 * len(others)))
        between = others * rounds
        steps: list[Callable[[], Awaitable[None]]] = []
        for number in range(kills):
            role: Role = "gateway" if number % 3 == 2 else "worker"
            steps.append(lambda role=role: self.kill(role))
        for number, other in enumerate(between):
            steps.insert((2 * number + 1) * (kills + len(between)) // (2 * len(between)), other)
        return steps

    async def kill(self, role: Role) -> None:
        """`kill -9`."""
        with self._noted(f"{role} killed"):
            await self._fleet.kill(role, self._chance.randrange(8))
        self.kills += 1

    async def pause(self) -> None:
        """A worker stands still for longer than its lease."""
        with self._noted("worker paused"):
            await self._fleet.pause("worker", self._chance.randrange(8), self._lease + _BEYOND_LEASE)

    async def restart_store(self) -> None:
        """The store is killed and starts again on its data."""
        with self._noted("store restarted"):
            await self._valkey.stop()
            await asyncio.sleep(_STORE_DOWN)
            await self._valkey.start()

    async def lose_answers(self) -> None:
        """Platforms do what they are asked, and their answers get lost."""
        with self._noted("answers lost"):
            await self._telegram.inject("sendMessage", "close_after", count=_LOST_ANSWERS)
            await self._discord.fail("create_message", "close_after", count=_LOST_ANSWERS)
            await asyncio.sleep(_CUT)
            await self._telegram.clear_faults()
            await self._discord.stop_failing()

    async def cut(self, name: str) -> None:
        """A network is away for a moment."""
        with self._noted(f"{name} cut"):
            self._wires[name].cut()
            await asyncio.sleep(_CUT)
            await self._wires[name].mend()

    @contextmanager
    def _noted(self, what: str) -> Generator[None]:
        begin = time.time()
        try:
            yield
        finally:
            self.noted.append(Trouble(what, begin, time.time()))
