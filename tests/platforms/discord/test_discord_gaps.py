"""What was missed where nobody spoke to the bot before, and what an earlier session left unfinished."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.discord import catchup, shard
from gptbot.platforms.inbound import Hears, Inbound
from tests.platforms.discord.conftest import NotingIntake, Scene, Start, say, texts
from tests.platforms.discord.test_discord_catchup import fetches, kill, until, waits


@pytest.fixture(autouse=True)
def no_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what was said shortly before a gap is not in it."""
    monkeypatch.setattr(catchup, "_OVERLAP", 0.0)


async def test_the_first_mention_in_a_channel_is_found_and_quiet_channels_are_left_alone(
    scene: Scene, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    discord = scene.discord
    quiet, new, busy = [await discord.add_channel(scene.guild, name) for name in ("quiet", "new", "busy")]
    await discord.say(quiet, scene.user, "long ago")
    first = start()
    await first.connected()
    await say(scene, "one")
    await first.intake.next()
    await first.stop()
    await discord.refuse_resumes()
    await discord.say(busy, scene.user, "beyond what is looked at", mention=True)
    thread = await discord.add_thread(new)
    await discord.say(new, scene.user, "not for the bot")
    await discord.say(thread, scene.user, "in a thread", mention=True)
    await discord.say(new, scene.user, "the first", mention=True)
    monkeypatch.setattr(shard, "CHANNELS", 2)
    second = start(intake=first.intake)
    await second.connected()
    await discord.say(new, scene.user, "live", mention=True)
    await second.intake.until(lambda: {"in a thread", "live"} <= set(texts(second.intake)))
    assert [m.text for m in second.intake.taken if m.conversation == new] == ["the first", "live"], "in order"
    assert not await fetches(scene, quiet), "nothing was said there"
    assert not await fetches(scene, busy), "two further channels at most, those with the latest messages"
    assert "beyond what is looked at" not in texts(second.intake)


async def test_a_look_at_further_channels_that_was_cut_short_is_done_by_the_next_gateway(
    scene: Scene, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "_SAVE_INTERVAL", 0.05)
    discord = scene.discord
    new = await discord.add_channel(scene.guild, "new")
    first = start()
    await first.connected()
    await say(scene, "one")
    await first.intake.next()
    await first.stop()
    await discord.refuse_resumes()
    await discord.say(new, scene.user, "the first", mention=True)
    await discord.fail("get_messages", "stall_before", seconds=30, channel=new)
    second = start(intake=first.intake)
    await second.connected()
    await until(lambda: waits(scene))
    await say(scene, "live")
    await second.intake.next(2)
    await kill(second, scene)
    assert texts(first.intake) == ["one", "live"]
    third = start(intake=first.intake)
    await third.intake.next(3)
    assert texts(third.intake) == ["one", "live", "the first"]
    assert (await discord.stats())["resumes"][scene.bot] == 1, "told of the guild again"


class SlowIntake(NotingIntake):
    """Takes some messages only when they are let in."""

    def __init__(self, *slow: str) -> None:
        super().__init__()
        self.slow = {text: asyncio.Event() for text in slow}
        self.asked: list[str] = []

    async def accept(self, message: Inbound, hears: Hears | None = None) -> bool:
        self.asked.append(message.text)
        if message.text in self.slow:
            await self.slow[message.text].wait()
        return await super().accept(message, hears)


async def test_what_waits_for_the_store_while_its_session_ends_survives_a_kill(
    scene: Scene, start: Start, store: Store, keys: BotKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "_SAVE_INTERVAL", 0.05)
    discord = scene.discord
    await discord.configure(heartbeat_interval_ms=50)
    dm = await discord.open_dm(scene.user)
    intake = SlowIntake("one", "two")
    first = start(intake=intake)
    await first.connected()
    await discord.say(dm, scene.user, "one")

    async def begun() -> bool:
        return intake.asked == ["one"]

    await until(begun)
    await discord.say(dm, scene.user, "two")
    await discord.invalidate(resumable=False)

    async def anew() -> bool:
        return (await discord.stats())["identifies"][scene.bot] == 2 and len(discord.gateway.sessions) == 1

    await until(anew)
    await say(scene, "live")
    await intake.until(lambda: "live" in texts(intake))  # the new session knows nothing of the private chat
    intake.slow["one"].set()
    await intake.until(lambda: "one" in texts(intake))
    [session] = discord.gateway.sessions.values()

    async def saved() -> bool:
        raw: Any = await store.command("GET", keys.platform("discord", "session:0:1"))
        return orjson.loads(raw)["session"][:2] == [session.id, session.sequence]

    await say(scene, "more")
    await intake.until(lambda: "more" in texts(intake))
    await until(saved)
    await kill(first, scene)
    assert "two" not in texts(intake)
    intake.slow["two"].set()
    second = start(intake=intake)
    await second.intake.until(lambda: "two" in texts(intake))
    assert [m.text for m in intake.taken if m.conversation == dm] == ["one", "two"]
