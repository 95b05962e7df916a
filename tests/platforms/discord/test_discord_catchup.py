"""What was written while nobody held the session: fetched once; and what a killed gateway had acknowledged."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.base import Forgets
from gptbot.platforms.discord import catchup, places, shard
from gptbot.platforms.discord.client import Socket
from gptbot.platforms.discord.places import Place, Places
from gptbot.platforms.discord.sender import DiscordSender
from gptbot.platforms.discord.shard import Shard
from tests.platforms.discord.conftest import Running, Scene, Start, say, texts


async def until(condition: Any) -> None:
    """Wait until a condition with an await in it holds."""
    async with asyncio.timeout(15):
        while not await condition():
            await asyncio.sleep(0.01)


async def fetches(scene: Scene, channel: str) -> list[dict[str, Any]]:
    return [call for call in await scene.discord.calls("get_messages") if call["channel"] == channel]


async def test_what_was_missed_is_fetched_once_and_only_what_was_for_the_bot(scene: Scene, start: Start) -> None:
    discord = scene.discord
    dm = await discord.open_dm(scene.user)
    first = start()
    await first.connected()
    await say(scene, "one")
    await discord.say(dm, scene.user, "dm one")
    await first.intake.next(2)
    await first.stop()
    await discord.refuse_resumes()  # as long away as it takes Discord to forget the session
    staff = await discord.give_role(scene.guild, scene.user)
    question = await discord.say(scene.channel, scene.user, "two", mention=True)
    await discord.say(scene.channel, scene.user, "not for the bot")
    gone = await discord.say(scene.channel, scene.user, "taken back", mention=True)
    await discord.delete(scene.channel, gone)
    await discord.say(scene.channel, scene.user, "a webhook", mention=True, webhook=True)
    thread = await discord.add_thread(scene.channel)
    await discord.say(dm, scene.user, "dm two")
    await discord.say(scene.channel, scene.user, "three", mention=True)
    second = start(intake=first.intake)
    await second.connected()
    await second.intake.until(lambda: {"three", "dm two"} <= set(texts(second.intake)))
    await say(scene, "live")
    await second.intake.until(lambda: "live" in texts(second.intake))
    in_channel = [m.text for m in second.intake.taken if m.conversation == scene.channel]
    assert in_channel == ["one", "two", "three", "live"], "in order, nothing else"
    assert [m.text for m in second.intake.taken if m.conversation == dm] == ["dm one", "dm two"]
    [missed] = [message for message in second.intake.taken if message.text == "two"]
    assert missed.address == {"channel": scene.channel, "message": question}
    assert {f"guild:{scene.guild}", f"role:{staff}"} <= set(missed.principals), "access rules hold for it too"
    assert not await fetches(scene, thread), "nobody spoke to the bot there"
    assert (await discord.stats())["identifies"][scene.bot] == 2

    await second.stop()  # a session that goes on is sent all by Discord itself
    asked = len(await fetches(scene, scene.channel))
    third = start(intake=first.intake)
    await third.connected()
    await say(scene, "resumed")
    await third.intake.until(lambda: "resumed" in texts(third.intake))
    assert len(await fetches(scene, scene.channel)) == asked


async def test_what_was_missed_in_a_thread_knows_its_channel_and_one_who_left_has_no_roles(
    scene: Scene, start: Start
) -> None:
    discord = scene.discord
    thread = await discord.add_thread(scene.channel)
    gateway = start()
    await gateway.connected()
    await discord.say(thread, scene.user, "one", mention=True)
    await gateway.intake.next()
    await gateway.stop()
    await discord.refuse_resumes()
    await discord.say(thread, scene.user, "two", mention=True)
    await discord.leave(scene.user)
    after = start(intake=gateway.intake)
    _, missed = await after.intake.next(2)
    assert missed.text == "two"
    assert f"channel:{scene.channel}" in missed.principals
    assert not [name for name in missed.principals if name.startswith("role:")]


async def waits(scene: Scene) -> bool:
    """Whether the fault that was asked for has met its call."""
    return not scene.discord.front.faults.waiting("get_messages")


async def test_a_fetch_that_was_cut_short_is_done_by_the_next_gateway(
    scene: Scene, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "_SETTLE", 0.2)
    first = start()
    await first.connected()
    await say(scene, "one")
    await first.intake.next()
    await first.stop()
    await scene.discord.refuse_resumes()
    await say(scene, "two")
    await scene.discord.fail("get_messages", "stall_before", seconds=30)
    second = start(intake=first.intake)
    await second.connected()
    await until(lambda: waits(scene))
    await second.stop()
    assert texts(first.intake) == ["one"]
    third = start(intake=first.intake)
    await third.connected()
    await third.intake.next(2)
    assert texts(third.intake) == ["one", "two"]
    assert (await scene.discord.stats())["resumes"][scene.bot] == 1, "its session goes on"


async def test_trouble_with_a_fetch_is_tried_again_and_a_closed_channel_forgotten(
    scene: Scene, start: Start, store: Store, keys: BotKeys
) -> None:
    discord = scene.discord
    closed = await discord.add_channel(scene.guild, "closed")
    first = start()
    await first.connected()
    await discord.say(closed, scene.user, "here", mention=True)
    await say(scene, "one")
    await first.intake.next(2)
    await first.stop()
    await discord.refuse_resumes()
    await say(scene, "two")
    await discord.deny(closed, "view")
    await discord.fail("get_messages", status=502, channel=scene.channel)
    second = start(intake=first.intake)
    await second.intake.next(3)
    assert texts(second.intake) == ["here", "one", "two"]
    noted = Places(store, keys, 3600)

    async def forgotten() -> bool:
        return await noted.of_shard(0, 1, 10) == [Place(scene.channel, scene.guild)]

    await until(forgotten)


async def test_a_busy_channel_is_read_page_by_page_and_old_messages_are_left(
    scene: Scene, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start()
    await first.connected()
    await say(scene, "one")
    await first.intake.next()
    await first.stop()
    await scene.discord.refuse_resumes()
    await say(scene, "too old")
    await asyncio.sleep(0.01)  # ids of Discord count milliseconds
    began = time.time()
    for number in range(250):
        await scene.discord.say(scene.channel, scene.user, str(number))
    await say(scene, "two")
    now = time.time()  # for as long as the second one takes to connect
    monkeypatch.setattr(catchup, "time", SimpleNamespace(time=lambda: now))
    monkeypatch.setattr(catchup, "AGE", now - began)
    monkeypatch.setattr(catchup, "_OVERLAP", 0.0)
    second = start()
    await second.intake.until(lambda: "two" in texts(second.intake))
    assert "too old" not in texts(second.intake)
    assert len(await fetches(scene, scene.channel)) == 3


async def kill(gateway: Running, scene: Scene) -> None:
    """End a gateway as `kill -9` does: nothing is said or saved."""

    async def die(self: Shard, socket: Socket, inflow: object) -> None:
        await scene.discord.drop_sockets()  # by the kernel
        await socket.shut()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shard, "_part", die)
        await gateway.stop()


@pytest.mark.parametrize("acknowledged", [False, True])
async def test_a_killed_gateway_has_acknowledged_nothing_that_the_store_does_not_know(
    scene: Scene, start: Start, monkeypatch: pytest.MonkeyPatch, acknowledged: bool
) -> None:
    monkeypatch.setattr(shard, "_SAVE_INTERVAL", 0.05 if acknowledged else 60.0)
    await scene.discord.configure(heartbeat_interval_ms=50)
    first = start()
    await first.connected()
    [connection] = scene.discord.gateway.connections
    [session] = scene.discord.gateway.sessions.values()
    await say(scene, "one", "two")
    await first.intake.next(2)
    said = session.sequence
    beats = connection.beats

    async def heard() -> bool:
        return connection.beats >= beats + 3 and (session.forgotten >= said or not acknowledged)

    await until(heard)
    assert (session.forgotten >= said) == acknowledged

    await kill(first, scene)
    await say(scene, "three")
    second = start(intake=first.intake)
    await second.connected()
    await second.intake.next(3)
    assert texts(second.intake) == ["one", "two", "three"]
    stats = await scene.discord.stats()
    assert (stats["identifies"][scene.bot], stats["resumes"][scene.bot]) == (1, 1)


async def test_places_are_sealed_capped_and_forgotten(
    store: Store, keys: BotKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MOST", 3)
    noted = Places(store, keys, 100)
    now = time.time()
    for number in range(5):
        monkeypatch.setattr(places.time, "time", lambda number=number: now + number)
        await noted.note(Place(str(1000 + number), None if number == 4 else str(7 << 22)))
    assert [place.channel for place in await noted.of_shard(7 % 2, 2, 9)] == ["1003", "1002"]
    assert await noted.of_shard(0, 2, 9) == [Place("1004", None)]
    assert len(await noted.of_shard(0, 1, 2)) == 2
    key = keys.platform("discord", "places")
    for value in await store.command("ZRANGE", key, 0, -1):
        for number in range(1000, 1005):
            assert number.to_bytes(8, "big") not in value
            assert str(number).encode() not in value
    assert 0 < await store.command("TTL", key) <= 100
    assert await Places(store, BotKeys(keys.bot, b"q" * 32), 100).of_shard(0, 1, 9) == [], "another pepper"
    await noted.forget(Place("1004", None))
    assert await noted.of_shard(0, 2, 9) == []
    monkeypatch.setattr(places.time, "time", lambda: now + 200)
    assert await noted.of_shard(1, 2, 9) == []


async def test_who_forgets_a_chat_does_not_look_for_what_was_missed_there(
    sender: DiscordSender, store: Store, keys: BotKeys
) -> None:
    noted = Places(store, keys, 100)
    kept, forgotten = Place("1001", "5"), Place("1002", None)
    for place in (kept, forgotten):
        await noted.note(place)
    assert isinstance(sender, Forgets)
    for _ in range(2):
        await sender.forget(keys.pseudonym("discord", "conversation", "1002"))
    assert await noted.of_shard(0, 1, 9) == [kept]
