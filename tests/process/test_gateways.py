"""Two gateways of one bot as processes: each receiver is read by one, and who goes is replaced by who stays."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot_operator.store import StoreReader
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.settings import Settings
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import secrets, spec
from tests.process.program import PEPPER, Program, Valkey, program, write_manifest

PERSON = 11
SHARDS = 4
KEYS = BotKeys("default/bot", PEPPER.encode())


class World:
    """Channels on every shard, one person who asks in all of them and on Telegram, and who holds what."""

    def __init__(self, discord: FakeDiscord, telegram: FakeTelegram, model: FakeOpenAI, store: Store) -> None:
        self.discord, self.telegram, self.model, self.store = discord, telegram, model, store
        self.user = ""
        self.channels: dict[int, str] = {}
        self.asked: list[str] = []
        self._count = itertools.count()

    async def build(self) -> None:
        """A guild with a channel for each shard."""
        self.user = await self.discord.add_user("Ann")
        while len(self.channels) < SHARDS:
            guild = await self.discord.add_guild()
            shard = (int(guild) >> 22) % SHARDS
            if shard not in self.channels:
                self.channels[shard] = await self.discord.add_channel(guild)
            await asyncio.sleep(0.001)  # an id is the time in milliseconds

    async def ask_everywhere(self) -> None:
        """One question on each shard and one on Telegram."""
        text = f"question {next(self._count):03}"
        self.asked.append(text)
        self.model.say(f"Re: {text}", match=text, times=None)
        for channel in self.channels.values():
            await self.discord.say(channel, self.user, text, mention=True)
        await self.telegram.say(PERSON, PERSON, text)

    async def answered(self) -> bool:
        """Whether everything was answered. Raises AssertionError when something was answered twice."""
        wanted = Counter(f"Re: {text}" for text in self.asked)
        places = [
            Counter(answer["content"] for answer in await self.discord.answers(channel))
            for channel in self.channels.values()
        ]
        chat = self.telegram.world.chats[PERSON].messages.values()
        places.append(Counter(message.text for message in chat if message.from_bot))
        assert all(found <= wanted for found in places), (wanted, places)
        return all(found == wanted for found in places)

    async def holders(self) -> dict[str, list[str]]:
        """Process id to the receivers it holds."""
        held: dict[str, list[str]] = {}
        for receiver in ["telegram", *(f"discord:{number}" for number in range(SHARDS))]:
            holder = await self.store.command("GET", KEYS.lease(receiver))
            if holder is not None:
                held.setdefault(holder.decode().split("-")[-2], []).append(receiver)
        return held

    async def shards_of(self, *gateways: Program) -> list[int]:
        """How many shards each of these holds."""
        held = await self.holders()
        return [sum(name != "telegram" for name in held.get(str(one.process.pid), [])) for one in gateways]


@contextlib.asynccontextmanager
async def closing_reader() -> AsyncGenerator[StoreReader]:
    """The operator's eyes."""
    reader = StoreReader(max_age=0)
    try:
        yield reader
    finally:
        await reader.close()


async def until(condition: Callable[[], Awaitable[bool]], timeout: float = 120.0) -> None:
    """Wait until a condition with an await in it holds."""
    async with asyncio.timeout(timeout):
        while not await condition():
            await asyncio.sleep(0.05)


async def test_receivers_spread_and_are_handed_over(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    async with FakeDiscord(settings=Settings(shards=SHARDS, max_concurrency=2)) as discord:
        bot = await discord.add_bot("Helper")
        platforms = {
            **spec(telegram, model)["platforms"],
            "discord": {"tokenSecretRef": {"name": "bot", "key": "discord"}, "apiBaseUrl": discord.url},
        }
        limits = {"perUser": {"messages": 1000, "per": "1m"}, "perChat": {"messages": 1000, "per": "1m"}}
        wanted = spec(telegram, model, platforms=platforms, limits=limits, context={"mergeBursts": False})
        file = str(write_manifest(tmp_path / "bot.yaml", wanted, {**secrets(telegram), "discord": bot["token"]}))

        def gateway() -> AbstractAsyncContextManager[Program]:
            return program("gateway", "--manifest", file, store=valkey.url)

        async with (
            Store.connect(valkey.admin) as store,
            closing_reader() as reader,
            program("worker", "--manifest", file, store=valkey.url) as worker,
            gateway() as first,
            gateway() as second,
        ):
            for process in (worker, first, second):
                await process.ready()
            world = World(discord, telegram, model, store)
            await world.build()

            async def connected() -> bool:
                return (await discord.stats())["connections"] == SHARDS and len(await world.holders()) > 0

            async def all_is_well() -> bool:
                """By what two gateways report, as the operator reads it."""
                platforms = (await reader.read(valkey.admin, KEYS.bot)).platforms
                well = {name: (report.connected, report.message) for name, report in platforms.items()}
                return well == {"discord": (True, ""), "telegram": (True, "")}

            async def even() -> bool:
                return await world.shards_of(first, second) == [2, 2] and await connected()

            await until(even)
            await until(all_is_well)
            await world.ask_everywhere()
            await until(world.answered)
            assert (await discord.stats())["identifies"][bot["user"]] == SHARDS, "one session a shard, groups kept"

            first.process.send_signal(signal.SIGTERM)
            await world.ask_everywhere()

            async def second_has_all() -> bool:
                return len((await world.holders()).get(str(second.process.pid), [])) == SHARDS + 1

            await until(second_has_all, timeout=8)  # a lease that is not released lasts for 10 s
            async with asyncio.timeout(35):
                assert await first.process.wait() == 0
            await until(world.answered)
            await until(all_is_well)

            async with gateway() as third:

                async def newcomer_has_its_share() -> bool:
                    return await world.shards_of(second, third) == [2, 2] and await connected()

                await until(newcomer_has_its_share)
                await second.stop(signal.SIGKILL)
                await world.ask_everywhere()

                async def third_has_all() -> bool:
                    return len((await world.holders()).get(str(third.process.pid), [])) == SHARDS + 1

                await until(third_has_all, timeout=20)
                await until(world.answered)
                await until(all_is_well)
                stats = await discord.stats()
                assert stats["identifies"][bot["user"]] == SHARDS, "every hand-over was a RESUME"
                assert stats["close_codes"] == []
                heard = [call.error for call in telegram.history if call.status == 409 and call.heard]
                assert heard == [], "no two gateways ever polled at the same time"
                assert await third.stop() == 0
