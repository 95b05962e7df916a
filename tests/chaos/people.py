"""People: each has one conversation, asks a number of questions, and reads the answers."""

from __future__ import annotations

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

from tests.chaos.pace import Pace
from tests.chaos.tally import Answer, tag
from tests.fakes.discord import FakeDiscord
from tests.fakes.telegram import FakeTelegram

SLOWLY = "slowly"
"""In a question whose answer comes word by word."""
_DUPLICATES = 0.05
"""Share of the questions that their platform delivers twice."""
_LOOK = 0.1
_MOST_AT_ONCE = 3
_SLOW_SHARE = 0.1
_MOST_REPEATS_AFTER = 20


class Person(ABC):
    """One conversation. What is asked when depends on the seed and the number alone."""

    platform: str

    def __init__(self, number: int, seed: int) -> None:
        self.number = number
        self.asked: list[str] = []
        """Tags in order."""
        self.times: dict[str, float] = {}
        """When each was asked, in seconds since 1970."""
        self.repeated = 0
        """Questions that the platform delivered twice."""
        self._chance = random.Random(f"{seed} person {number}")
        self.hasty = self._chance.random() < 0.5
        """Asks several questions one after another, which may be answered together; others wait for each answer."""

    @abstractmethod
    async def say(self, text: str) -> int:
        """Write; the id of what the platform can deliver again."""

    @abstractmethod
    async def again(self, event: int) -> None:
        """The platform delivers an event once more, unchanged."""

    @abstractmethod
    def answers(self) -> Iterator[Answer]:
        """Messages of the bot, newest first."""

    async def talk(self, questions: int, pace: Pace, patience: float) -> None:
        """Ask all questions and wait for the answers."""
        while left := questions - len(self.asked):
            count = min(left, self._chance.randint(1, _MOST_AT_ONCE)) if self.hasty else 1
            await pace.may_ask(count)
            for _ in range(count):
                await self._ask()
            await self._read(patience)

    async def _ask(self) -> None:
        name = tag(self.number, len(self.asked))
        self.asked.append(name)
        self.times[name] = time.time()
        slow = self._chance.random() < _SLOW_SHARE
        twice = self._chance.random() < _DUPLICATES
        event = await self.say(f"{name} tell me {SLOWLY} what the weather is like there" if slow else f"{name} hello")
        if twice:
            self.repeated += 1
            await self.again(event)

    async def _read(self, patience: float) -> None:
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

    def __init__(self, number: int, seed: int, telegram: FakeTelegram) -> None:
        super().__init__(number, seed)
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
    """A channel on Discord: a person's direct messages, or one of a guild, in which the bot is mentioned."""

    platform = "discord"

    def __init__(self, number: int, seed: int, discord: FakeDiscord, user: str, channel: str, *, mention: bool) -> None:
        super().__init__(number, seed)
        self._discord = discord
        self._user, self._channel, self._mention = user, channel, mention

    async def say(self, text: str) -> int:
        return int(await self._discord.say(self._channel, self._user, text, mention=self._mention))

    async def again(self, event: int) -> None:
        await self._discord.repeat(self._channel, str(event))

    def answers(self) -> Iterator[Answer]:
        for message in reversed(self._discord.world.channels[self._channel].messages.values()):
            if message.author.bot:
                yield Answer(int(message.id), message.content, message.at)
