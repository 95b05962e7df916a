"""Everything around the bot: platforms, model, store, the networks to them, and people."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.fleet import Fleet
from tests.chaos.people import SLOWLY, DiscordPerson, Person, TelegramPerson
from tests.chaos.visitors import Visitor
from tests.chaos.wire import Wire
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.settings import Settings as DiscordSettings
from tests.fakes.openai import FakeOpenAI
from tests.fakes.openai.script import Script
from tests.fakes.telegram import FakeTelegram
from tests.process.program import Valkey, write_manifest

SHARDS = 2
_IDENTIFY_WINDOW = 0.5
_SLOW_TOKENS_PER_SECOND = 12.0


@dataclass(slots=True)
class Scene:
    """One bot on three platforms, and people who can talk to it."""

    telegram: FakeTelegram
    discord: FakeDiscord
    model: FakeOpenAI
    valkey: Valkey
    wires: dict[str, Wire]
    fleet: Fleet
    people: list[Person]


@asynccontextmanager
async def scene(directory: Path, *, conversations: int, lease: float, seed: int) -> AsyncGenerator[Scene]:
    """Start everything and wait until the bot is connected everywhere."""
    async with AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(FakeTelegram(rate_limits=False))
        settings = DiscordSettings(rate_limits=False, shards=SHARDS, identify_window=_IDENTIFY_WINDOW)
        discord = await stack.enter_async_context(FakeDiscord(settings=settings))
        model = await stack.enter_async_context(FakeOpenAI())
        model.scripts.append(Script(match=SLOWLY, tokens_per_second=_SLOW_TOKENS_PER_SECOND, times=None))
        valkey = Valkey(directory)
        await valkey.start()
        stack.push_async_callback(valkey.stop)
        ports = {"telegram": telegram.port, "discord": discord.port, "model": model.port, "store": valkey.port}
        wires = {name: await stack.enter_async_context(Wire(lambda port=port: port)) for name, port in ports.items()}
        bot = await discord.add_bot()
        manifest = write_manifest(
            directory / "bot.yaml", _spec(wires), {"telegram": telegram.token, "discord": bot["token"]}
        )
        store = valkey.url.replace(str(valkey.port), str(wires["store"].port))
        fleet = Fleet(manifest, store, lease)
        chance = random.Random(f"{seed} gateways")
        # As a Service of Kubernetes: each connection to some gateway.
        wires["web"] = await stack.enter_async_context(Wire(lambda: chance.choice(fleet.http_ports())))
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())
        )
        people = await _people(conversations, seed, telegram, discord, http, f"http://127.0.0.1:{wires['web'].port}")
        await stack.enter_async_context(fleet)
        await discord.wait_for_connections(SHARDS, timeout=60)
        for person in people:
            if isinstance(person, Visitor):
                await person.open()
        yield Scene(telegram, discord, model, valkey, wires, fleet, people)


async def _people(
    conversations: int, seed: int, telegram: FakeTelegram, discord: FakeDiscord, http: aiohttp.ClientSession, web: str
) -> list[Person]:
    """A third on each platform; on Discord one after another in direct messages (shard 0) and in each shard's guild."""
    guilds: dict[int, str] = {}
    while len(guilds) < SHARDS:
        guild = await discord.add_guild()
        guilds[(int(guild) >> 22) % SHARDS] = guild
    people: list[Person] = []
    for number in range(conversations):
        match number % 3:
            case 0:
                people.append(TelegramPerson(number, seed, telegram))
            case 1:
                user = await discord.add_user(f"Person{number}")
                guild = guilds.get(number // 3 % (SHARDS + 1))
                channel = await (discord.add_channel(guild) if guild else discord.open_dm(user))
                people.append(DiscordPerson(number, seed, discord, user, channel, mention=bool(guild)))
            case _:
                people.append(Visitor(number, seed, http, web))
    return people


def _spec(wires: dict[str, Wire]) -> dict[str, Any]:
    def at(name: str, path: str = "") -> str:
        return f"http://127.0.0.1:{wires[name].port}{path}"

    plenty = {"messages": 100_000, "per": "1m"}
    return {
        "platforms": {
            "telegram": {"tokenSecretRef": {"name": "bot", "key": "telegram"}, "apiBaseUrl": at("telegram")},
            "discord": {"tokenSecretRef": {"name": "bot", "key": "discord"}, "apiBaseUrl": at("discord", "/api/v10")},
            "web": {"perAddress": {"requests": 0, "messages": 0, "sessions": 0}},
        },
        "llm": {"baseUrl": at("model", "/v1"), "model": "echo", "timeoutSeconds": 10, "stallSeconds": 10},
        "gateway": {"concurrency": 0},
        "personas": [{"name": "echo", "title": "Echo", "prompt": "Say it again."}],
        "context": {"maxMessages": 4},
        "limits": {"perUser": plenty, "perChat": plenty, "tokensPerDay": 0},
    }
