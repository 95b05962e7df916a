"""People on both platforms: each has one conversation, asks in bursts, and reads the answers."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator

from tests.chaos.tally import Answer, tag
from tests.fakes.discord import FakeDiscord
from tests.fakes.telegram import FakeTelegram

SLOWLY = "slowly"
"""In a question whose answer comes word by word."""
_LOOK = 0.1
_MOST_AT_ONCE = 3
_SLOW_SHARE = 0.1
_MOST_REPEATS_AFTER = 20


class Person(ABC):
    """One conversation."""

    platform: str

    def __init__(self, number: int, chance: random.Random, duplicates: float) -> None:
        self.number = number
        self.asked: list[str] = []
        """Tags in order."""
        self.repeated = 0
        """Questions that the platform delivered twice."""
        self._chance = chance
        self._duplicates = duplicates

    @abstractmethod
    async def say(self, text: str) -> int:
        """Write; the id of what the platform can deliver again."""

    @abstractmethod
    async def again(self, event: int) -> None:
        """The platform delivers an event once more, unchanged."""

    @abstractmethod
    def answers(self) -> Iterator[Answer]:
        """Messages of the bot, newest first."""

    async def ask(self) -> None:
        """Ask the next question."""
        name = tag(self.number, len(self.asked))
        self.asked.append(name)
        slow = self._chance.random() < _SLOW_SHARE
        event = await self.say(f"{name} tell me {SLOWLY} what the weather is like there" if slow else f"{name} hello")
        if self._chance.random() < self._duplicates:
            self.repeated += 1
            await self.again(event)

    def burst(self, left: int) -> int:
        """How many questions come one after another."""
        return min(left, self._chance.randint(1, _MOST_AT_ONCE))

    async def read(self, patience: float) -> None:
        """Wait until the last question is answered, for `patience` seconds at most: what is lost is counted later."""
        wanted = self.asked[-1]
        end = asyncio.get_running_loop().time() + patience
        while asyncio.get_running_loop().time() < end:
            newest = (answer for answer, _ in zip(self.answers(), range(_MOST_REPEATS_AFTER), strict=False))
            if any(wanted in answer.text for answer in newest):
                return
            await asyncio.sleep(_LOOK)


class TelegramPerson(Person):
    """A private chat on Telegram."""

    platform = "telegram"

    def __init__(self, number: int, chance: random.Random, duplicates: float, telegram: FakeTelegram) -> None:
        super().__init__(number, chance, duplicates)
        self._telegram = telegram
        self._chat = 1000 + number

    async def say(self, text: str) -> int:
        world = self._telegram.world
        if self._chat not in world.users:
            await self._telegram.add_user(self._chat, f"Person {self.number}", language_code="en")
        _, update = world.said(
            world.chat(self._chat), world.users[self._chat], text, topic=None, reply_to=None, entities=None, extra=None
        )
        assert update is not None, "private messages are always delivered"
        return update

    async def again(self, event: int) -> None:
        await self._telegram.redeliver(event)

    def answers(self) -> Iterator[Answer]:
        for message in reversed(self._telegram.world.chat(self._chat).messages.values()):
            if message.from_bot:
                yield Answer(message.id, message.text, message.versions[0].at)


class DiscordPerson(Person):
    """The direct messages of a person on Discord."""

    platform = "discord"

    def __init__(
        self, number: int, chance: random.Random, duplicates: float, discord: FakeDiscord, user: str, channel: str
    ) -> None:
        super().__init__(number, chance, duplicates)
        self._discord = discord
        self._user, self._channel = user, channel

    async def say(self, text: str) -> int:
        return int(await self._discord.say(self._channel, self._user, text))

    async def again(self, event: int) -> None:
        await self._discord.repeat(self._channel, str(event))

    def answers(self) -> Iterator[Answer]:
        for message in reversed(self._discord.world.channels[self._channel].messages.values()):
            if message.author.bot:
                yield Answer(int(message.id), message.content, message.at)
