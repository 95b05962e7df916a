"""One run: a bot on three platforms, people who talk to it, and trouble all the while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.history import history
from tests.chaos.pace import Pace
from tests.chaos.people import Person
from tests.chaos.scene import Scene, scene
from tests.chaos.tally import Tally, Trouble
from tests.chaos.troubles import Troubles
from tests.chaos.visitors import Visitor

MAY_DOUBLE = frozenset({"telegram"})
"""Platforms that cannot tell a message sent again from a new one."""
_MOST_HISTORIES = 10


@dataclass(slots=True)
class Outcome:
    """What came of a run."""

    messages: int = 0
    repeated: int = 0
    resumed: int = 0
    """How often a web page took its events up again."""
    kills: int = 0
    seconds: float = 0.0
    tallies: dict[str, Tally] = field(default_factory=dict[str, Tally])
    troubles: list[Trouble] = field(default_factory=list[Trouble])
    errors: list[str] = field(default_factory=list[str])
    """Error lines in the logs of gateways and workers."""
    histories: list[str] = field(default_factory=list[str])
    """What is known of the first questions that were lost."""

    @property
    def broken(self) -> list[str]:
        """A line for each promise that was not kept."""
        return [
            f"{name}: {what}: {' '.join(tags[:20])}"
            for name, tally in self.tallies.items()
            for what, tags in tally.broken(may_double=name in MAY_DOUBLE).items()
        ]


async def run(
    directory: Path,
    *,
    messages: int,
    conversations: int,
    kills: int,
    lease: float,
    patience: float,
    seed: int,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Ask, make trouble, wait for the answers, count. `patience`: seconds until a question counts as lost."""
    outcome = Outcome()
    async with scene(directory, conversations=conversations, lease=lease, seed=seed) as world:
        started = time.monotonic()
        async with _listening(world.people), asyncio.TaskGroup() as tasks:
            troubles = Troubles(
                world.fleet, world.valkey, world.wires, world.telegram, world.discord, tasks, seed, lease
            )
            plan = troubles.plan(kills)
            pace = Pace(messages, len(plan))

            async def make_trouble() -> None:
                for number, (what, step) in enumerate(plan, 1):
                    await pace.due()
                    await step()
                    await pace.over()
                    world.fleet.check()
                    say(f"{time.monotonic() - started:6.1f} s  {pace.asked:>6} asked  {what}"
                        f" ({number} of {len(plan)})")  # fmt: skip

            tasks.create_task(make_trouble(), name="trouble")
            for person, questions in zip(world.people, _shares(messages, conversations), strict=True):
                tasks.create_task(person.talk(questions, pace, patience), name="person")
        outcome.seconds = time.monotonic() - started
        outcome.kills, outcome.troubles = troubles.kills, troubles.noted
        _count(outcome, world.people)
        outcome.histories = await _histories(outcome, world)
        codes = await world.fleet.drain()
        assert all(code == 0 for group in codes.values() for code in group), f"exit codes after SIGTERM: {codes}"
    outcome.errors = world.fleet.errors
    return outcome


def _shares(messages: int, conversations: int) -> list[int]:
    """Questions of each conversation: as many for all, as far as that goes."""
    each, more = divmod(messages, conversations)
    return [each + (number < more) for number in range(conversations)]


@asynccontextmanager
async def _listening(people: Sequence[Person]) -> AsyncGenerator[None]:
    """Web pages are open."""
    async with asyncio.TaskGroup() as tasks:
        pages = [tasks.create_task(person.listen()) for person in people if isinstance(person, Visitor)]
        yield
        for page in pages:
            page.cancel()


def _count(outcome: Outcome, people: Sequence[Person]) -> None:
    for person in people:
        outcome.messages += len(person.asked)
        outcome.repeated += person.repeated
        if isinstance(person, Visitor):
            outcome.resumed += person.resumed
        tally = outcome.tallies.setdefault(person.platform, Tally())
        tally.add(person.asked, person.answers(), outcome.troubles)


async def _histories(outcome: Outcome, world: Scene) -> list[str]:
    lost = [name for tally in outcome.tallies.values() for name in tally.lost][:_MOST_HISTORIES]
    askers = {name: person for person in world.people for name in person.asked}
    return [await history(name, askers[name], world.model, world.valkey.admin, outcome.troubles) for name in lost]
