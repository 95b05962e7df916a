"""Two workers that answer in one channel by turns: neither runs into a bucket that the other has used up."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.base import SenderContext
from gptbot.platforms.discord import PLATFORM
from gptbot.platforms.discord.sender import DiscordSender
from gptbot.platforms.errors import FloodWait
from tests.platforms.discord.conftest import Scene, config, settings_of

QUESTIONS = 14


@pytest_asyncio.fixture
async def workers(scene: Scene, store: Store, keys: BotKeys) -> AsyncIterator[list[DiscordSender]]:
    """Two of them, whose buckets last half a second: what matters is how many places they have."""
    await scene.discord.configure(bucket_seconds=0.5)
    bot = config(scene.token, apiBaseUrl=scene.discord.url)
    async with aiohttp.ClientSession() as http:
        context = SenderContext(bot=bot, settings=settings_of(bot), http=http, store=store, keys=keys)
        made = [PLATFORM.sender(context) for _ in range(2)]
        yield [sender for sender in made if isinstance(sender, DiscordSender)]


async def test_quick_questions_cost_no_429(scene: Scene, workers: list[DiscordSender]) -> None:
    address = {"channel": scene.channel}
    floods = 0
    for number in range(QUESTIONS):
        try:
            await workers[number % 2].send(address, f"{number}", nonce=f"n{number}", first=True, final=True)
        except FloodWait:
            floods += 1
    stats = await scene.discord.stats()
    assert (floods, stats["rate_limited"]) == (0, 0)
    assert len(await scene.discord.answers(scene.channel)) == QUESTIONS


async def test_nothing_of_the_channel_stands_in_the_store(
    scene: Scene, workers: list[DiscordSender], store: Store, keys: BotKeys
) -> None:
    await scene.discord.configure(bucket_seconds=60.0)
    for number in range(5):
        await workers[0].send({"channel": scene.channel}, "x", nonce=f"n{number}", first=True, final=True)
    found = [key.decode() for key in await store.command("KEYS", f"{keys.prefix}*bucket:*")]
    assert len(found) == 1
    assert scene.channel not in found[0]
    assert 0 < await store.command("PTTL", found[0]) <= 60_000
