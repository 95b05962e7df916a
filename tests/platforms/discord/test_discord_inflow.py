"""From Discord to the store: what is not stored is not acknowledged, and not read on when the store is away."""

from __future__ import annotations

import asyncio

import pytest

from gptbot.platforms.discord import client, inflow, shard
from gptbot.platforms.inbound import Hears, Inbound
from tests.platforms.discord.conftest import NotingIntake, Scene, Start, say, texts


async def test_a_store_that_goes_away_loses_nothing_and_keeps_the_order(scene: Scene, start: Start) -> None:
    await scene.discord.configure(heartbeat_interval_ms=200)
    gateway = start()
    await gateway.connected()
    await say(scene, "0")
    await gateway.intake.next()
    gateway.intake.go_away()
    await say(scene, "1")
    await gateway.reports.until(lambda connected, message: "store" in message)
    tries = gateway.intake.tries
    await say(scene, *map(str, range(2, 400)))
    other = await scene.discord.add_channel(scene.guild)
    await scene.discord.say(other, scene.user, "elsewhere", mention=True)
    await heartbeats(scene, 3)
    assert gateway.intake.tries == tries  # what is not read is not tried
    await scene.discord.drop_sockets()  # takes what the socket held
    gateway.intake.come_back()
    await gateway.intake.next(401)
    assert [text for text in texts(gateway.intake) if text != "elsewhere"] == [str(number) for number in range(400)]
    await gateway.reports.until(lambda connected, message: connected and not message)
    assert (await scene.discord.stats())["identifies"][scene.bot] == 1


async def test_a_gateway_stopped_while_the_store_is_away_leaves_all_to_the_next(scene: Scene, start: Start) -> None:
    first = start()
    await first.connected()
    await say(scene, "taken")
    await first.intake.next()
    first.intake.go_away()
    await say(scene, "a", "b", "c")
    await first.reports.until(lambda connected, message: "store" in message)
    await first.stop()
    second = start()
    await second.connected()
    await second.intake.until(lambda: "c" in texts(second.intake))
    assert [text for text in texts(second.intake) if text != "taken"] == ["a", "b", "c"]


async def heartbeats(scene: Scene, count: int) -> None:
    """Wait for further heartbeats."""
    [connection] = scene.discord.gateway.connections
    last = connection.beats + count
    async with asyncio.timeout(15):
        while connection.beats < last:
            await asyncio.sleep(0.02)


async def test_what_is_under_way_is_not_acknowledged(scene: Scene, start: Start) -> None:
    await scene.discord.configure(heartbeat_interval_ms=100)
    gateway = start()
    await gateway.connected()
    await scene.discord.wait_for(scene.discord.commands)
    [session] = scene.discord.gateway.sessions.values()
    other = await scene.discord.add_channel(scene.guild)
    await scene.discord.fail("callback", "stall_before", seconds=1.0)
    await scene.discord.slash(scene.channel, scene.user, "help")
    command = session.sequence
    await scene.discord.say(other, scene.user, "elsewhere", mention=True)
    await gateway.intake.next()
    await heartbeats(scene, 2)
    assert session.forgotten < command
    await gateway.intake.next(2)
    async with asyncio.timeout(10):
        while session.forgotten <= command:  # once it is noted in the store, Discord is told
            await heartbeats(scene, 1)


async def test_the_connection_is_kept_while_nothing_is_read(
    scene: Scene, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "HEARTBEAT_TIMEOUT", 0.8)
    monkeypatch.setattr(shard, "_TICK", 0.1)
    await scene.discord.configure(heartbeat_interval_ms=300)
    gateway = start()
    await gateway.connected()
    gateway.intake.go_away()
    await say(scene, "wait")
    await gateway.reports.until(lambda connected, message: "store" in message)
    await heartbeats(scene, 6)  # longer than the server waits for one
    gateway.intake.come_back()
    await gateway.intake.next()
    stats = await scene.discord.stats()
    assert (stats["opened"], stats["close_codes"]) == (1, [])


async def test_an_odd_event_ends_nothing(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    [bot] = scene.discord.world.bots.values()
    for odd in ({}, {"author": None}, {"type": 2}):
        scene.discord.gateway.dispatch(bot, None, 0, "MESSAGE_CREATE", odd)
        scene.discord.gateway.dispatch(bot, None, 0, "INTERACTION_CREATE", odd)
        scene.discord.gateway.dispatch(bot, None, 0, "GUILD_CREATE", odd)
    await say(scene, "still here")
    await gateway.intake.next()
    assert (await scene.discord.stats())["opened"] == 1


async def test_a_message_the_intake_always_fails_on_is_dropped_and_the_next_goes_on(
    scene: Scene, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inflow, "_PAUSE", 0.01)

    class Failing(NotingIntake):
        async def accept(self, message: Inbound, hears: Hears | None = None) -> bool:
            if message.text == "poison":
                self.tries += 1
                raise RuntimeError("cannot")
            return await super().accept(message, hears)

    gateway = start(intake=Failing())
    await gateway.connected()
    await say(scene, "poison", "fine")
    [inbound] = await gateway.intake.next()
    assert (inbound.text, gateway.intake.tries) == ("fine", 4)


async def test_an_event_that_is_sent_again_is_handed_in_again(scene: Scene, start: Start) -> None:
    """The store knows that it was there; here nothing has to be remembered."""
    gateway = start()
    await gateway.connected()
    said = await scene.discord.say(scene.channel, scene.user, "once", mention=True)
    await gateway.intake.next()
    await scene.discord.repeat(scene.channel, said)
    await gateway.intake.until(lambda: gateway.intake.tries == 2)
    assert texts(gateway.intake) == ["once"]
