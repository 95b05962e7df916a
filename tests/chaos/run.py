"""One run: a bot on two platforms, people who talk to it, and trouble all the while."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.fleet import Fleet
from tests.chaos.people import SLOWLY, DiscordPerson, Person, TelegramPerson
from tests.chaos.tally import Tally, Trouble
from tests.chaos.troubles import Troubles
from tests.chaos.wire import Wire
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.settings import Settings as DiscordSettings
from tests.fakes.openai import FakeOpenAI
from tests.fakes.openai.script import Script
from tests.fakes.telegram import FakeTelegram
from tests.process.program import Valkey, write_manifest

DUPLICATES = 0.05
"""Share of the questions that their platform delivers twice."""
_SLOW_TOKENS_PER_SECOND = 12.0
_AHEAD = 2
"""Shares of the questions that may be asked before the trouble that belongs to them is over."""


@dataclass(slots=True)
class Outcome:
    """What came of a run."""

    messages: int = 0
    repeated: int = 0
    kills: int = 0
    seconds: float = 0.0
    tallies: dict[str, Tally] = field(default_factory=dict[str, Tally])
    troubles: list[Trouble] = field(default_factory=list[Trouble])
    errors: list[str] = field(default_factory=list[str])
    """Error lines in the logs of gateways and workers."""


class _Pace:
    """Lets questions and troubles go side by side: neither runs away from the other."""

    def __init__(self, messages: int, troubles: int) -> None:
        self._left = messages
        self._share = messages / (troubles + 1)
        self._troubles = troubles
        self.asked = 0
        self._over = 0
        self._changed = asyncio.Condition()

    async def may_ask(self, want: Callable[[int], int]) -> int:
        """Wait until questions may be asked; how many of those wanted (given what is left). 0: all are asked."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._left == 0 or self._allowed())
            count = want(self._left)
            self._left -= count
            self.asked += count
            self._changed.notify_all()
            return count

    def _allowed(self) -> bool:
        return self._over == self._troubles or self.asked < (self._over + _AHEAD) * self._share

    async def due(self) -> None:
        """Wait until the next trouble's time has come."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.asked >= (self._over + 1) * self._share or self._left == 0)

    async def over(self) -> None:
        """A trouble is over."""
        async with self._changed:
            self._over += 1
            self._changed.notify_all()


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
    chance = random.Random(seed)
    outcome = Outcome()
    async with AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(FakeTelegram(rate_limits=False))
        settings = DiscordSettings(rate_limits=False)
        discord = await stack.enter_async_context(FakeDiscord(settings=settings))
        model = await stack.enter_async_context(FakeOpenAI())
        model.scripts.append(Script(match=SLOWLY, tokens_per_second=_SLOW_TOKENS_PER_SECOND, times=None))
        valkey = Valkey(directory)
        await valkey.start()
        stack.push_async_callback(valkey.stop)
        ports = {"telegram": telegram.port, "discord": discord.port, "model": model.port, "store": valkey.port}
        wires = {name: await stack.enter_async_context(Wire(port)) for name, port in ports.items()}
        bot = await discord.add_bot()
        manifest = write_manifest(
            directory / "bot.yaml", _spec(wires), {"telegram": telegram.token, "discord": bot["token"]}
        )
        people = await _people(telegram, discord, conversations, chance)
        store = valkey.url.replace(str(valkey.port), str(wires["store"].port))
        fleet = await stack.enter_async_context(Fleet(manifest, store, lease))
        await discord.wait_for_connections(timeout=60)
        troubles = Troubles(fleet, valkey, wires, telegram, discord, chance, lease)
        plan = troubles.plan(kills)
        pace = _Pace(messages, len(plan))
        started = time.monotonic()

        async def make_trouble() -> None:
            for number, step in enumerate(plan, 1):
                await pace.due()
                await step()
                await pace.over()
                fleet.check()
                say(f"{time.monotonic() - started:6.1f} s  {pace.asked:>6} asked  {troubles.noted[-1].what}"
                    f" ({number} of {len(plan)})")  # fmt: skip

        async with asyncio.TaskGroup() as group:
            group.create_task(make_trouble())
            for person in people:
                group.create_task(_talk(person, pace, patience))
        outcome.seconds = time.monotonic() - started
        codes = await fleet.drain()
        assert all(code == 0 for group in codes.values() for code in group), f"exit codes after SIGTERM: {codes}"
    outcome.kills, outcome.troubles, outcome.errors = troubles.kills, troubles.noted, fleet.errors
    for person in people:
        outcome.messages += len(person.asked)
        outcome.repeated += person.repeated
        tally = outcome.tallies.setdefault(person.platform, Tally())
        tally.add(person.asked, person.answers(), troubles.noted)
    return outcome


async def _people(
    telegram: FakeTelegram, discord: FakeDiscord, conversations: int, chance: random.Random
) -> list[Person]:
    people: list[Person] = []
    for number in range(conversations):
        own = random.Random(chance.random())
        if number % 2:
            user = await discord.add_user(f"Person{number}")
            people.append(DiscordPerson(number, own, DUPLICATES, discord, user, await discord.open_dm(user)))
        else:
            people.append(TelegramPerson(number, own, DUPLICATES, telegram))
    return people


async def _talk(person: Person, pace: _Pace, patience: float) -> None:
    while count := await pace.may_ask(person.burst):
        for _ in range(count):
            await person.ask()
        await person.read(patience)


def _spec(wires: dict[str, Wire]) -> dict[str, Any]:
    def at(name: str, path: str = "") -> str:
        return f"http://127.0.0.1:{wires[name].port}{path}"

    plenty = {"messages": 100_000, "per": "1m"}
    return {
        "platforms": {
            "telegram": {"tokenSecretRef": {"name": "bot", "key": "telegram"}, "apiBaseUrl": at("telegram")},
            "discord": {"tokenSecretRef": {"name": "bot", "key": "discord"}, "apiBaseUrl": at("discord", "/api/v10")},
        },
        "llm": {"baseUrl": at("model", "/v1"), "model": "echo", "timeoutSeconds": 10},
        "gateway": {"concurrency": 0},
        "personas": [{"name": "echo", "title": "Echo", "prompt": "Say it again."}],
        "context": {"maxMessages": 4, "mergeBursts": False},
        "limits": {"perUser": plenty, "perChat": plenty, "tokensPerDay": 0},
    }
