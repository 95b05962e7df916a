"""The gateway holds on: dropped sockets, refused sessions, a store that goes away, wrong tokens and intents."""

from __future__ import annotations

import asyncio

import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.discord.client import Session, Socket, resume_address
from gptbot.platforms.discord.sessions import Progress, SharedSessions
from gptbot.platforms.discord.shard import Shard
from gptbot.platforms.errors import Misconfigured
from tests.fakes.discord import FakeDiscord
from tests.platforms.discord.conftest import Running, Scene, Start, config, say, texts


@pytest.mark.parametrize("code", [None, 4000, 4009, 1000, 1001])
async def test_a_dropped_socket_is_resumed_without_a_new_session(scene: Scene, start: Start, code: int | None) -> None:
    gateway = start()
    await gateway.connected()
    await say(scene, "before")
    await gateway.intake.next()
    assert await scene.discord.drop_sockets(code) == 1
    await say(scene, "meanwhile")
    await gateway.intake.next(2)
    assert texts(gateway.intake) == ["before", "meanwhile"]
    stats = await scene.discord.stats()
    assert (stats["identifies"][scene.bot], stats["resumes"][scene.bot]) == (1, 1)


async def test_many_drops_in_a_row_lose_nothing(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    for number in range(4):
        await say(scene, f"{number}a", f"{number}b")
        await scene.discord.drop_sockets()
        await say(scene, f"{number}c")
        await gateway.intake.next(3 * number + 3)
    assert texts(gateway.intake) == [f"{number}{letter}" for number in range(4) for letter in "abc"]
    assert (await scene.discord.stats())["identifies"][scene.bot] == 1


async def test_reconnect_and_resumable_invalidation_are_followed(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    await scene.discord.ask_to_reconnect()
    await scene.discord.wait_for(lambda: resumed(scene, 1))
    await scene.discord.invalidate(resumable=True)
    await scene.discord.wait_for(lambda: resumed(scene, 2))
    await say(scene, "still here")
    await gateway.intake.next()
    assert (await scene.discord.stats())["identifies"][scene.bot] == 1


async def resumed(scene: Scene, count: int) -> bool:
    return (await scene.discord.stats())["resumes"][scene.bot] >= count


async def test_a_session_that_is_gone_is_started_anew(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    await scene.discord.refuse_resumes()
    await scene.discord.drop_sockets()
    await scene.discord.wait_for(lambda: identified(scene, 2))
    await scene.discord.wait_for_connections()
    await say(scene, "again")
    await gateway.intake.next()
    assert texts(gateway.intake) == ["again"]


async def identified(scene: Scene, count: int) -> bool:
    return (await scene.discord.stats())["identifies"][scene.bot] >= count


async def test_another_gateway_goes_on_where_the_last_stopped(scene: Scene, start: Start) -> None:
    first = start()
    await first.connected()
    await say(scene, "one")
    await first.intake.next()
    await first.stop()
    await say(scene, "two")
    second = start()
    await second.connected()
    await second.intake.next()
    assert texts(second.intake) == ["two"]
    stats = await scene.discord.stats()
    assert (stats["identifies"][scene.bot], stats["resumes"][scene.bot]) == (1, 1)


async def test_another_gateway_goes_on_where_one_was_killed(
    scene: Scene, start: Start, store: Store, keys: BotKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gptbot.platforms.discord.shard._SAVE_INTERVAL", 3600.0)  # it is noted at once, not only then
    first = start()
    await first.connected()
    await say(scene, "one")
    await first.intake.next()
    async with asyncio.timeout(10):
        while not await store.command("EXISTS", keys.platform("discord", "session:0:1")):
            await asyncio.sleep(0.01)

    async def die(self: Shard, socket: Socket, inflow: object) -> None:
        await scene.discord.drop_sockets()  # what the kernel does to a dead process; nothing is said or saved
        await socket.shut()

    monkeypatch.setattr(Shard, "_part", die)
    await first.stop()
    monkeypatch.undo()
    await say(scene, "two")
    second = start()
    await second.connected()
    await second.intake.until(lambda: "two" in texts(second.intake))
    stats = await scene.discord.stats()
    assert (stats["identifies"][scene.bot], stats["resumes"][scene.bot]) == (1, 1)


async def test_one_that_was_paused_does_not_overwrite_its_successor(store: Store, keys: BotKeys) -> None:
    shared = SharedSessions(store, keys)
    old = await shared.hold(0)
    first = Progress(Session("a", 1, "ws://x"), until=1.0)
    second = Progress(Session("b", 7, "ws://x"), until=5.0, missed=3.0)
    await shared.save(0, old, "terms", first)
    new = await shared.hold(0)
    assert await shared.load(0, new, "terms") == first
    await shared.save(0, new, "terms", second)
    await shared.save(0, old, "terms", first)
    assert await shared.load(0, await shared.hold(0), "terms") == second
    assert await shared.load(0, await shared.hold(0), "other terms") == Progress(None, until=5.0, missed=3.0)
    assert await shared.load(1, await shared.hold(1), "terms") == Progress(until=3.0), "one more shard than before"


async def test_only_one_gateway_of_two_reads(scene: Scene, start: Start) -> None:
    first, second = start(), start()
    connecting = [asyncio.ensure_future(gateway.connected()) for gateway in (first, second)]
    await asyncio.wait(connecting, return_when=asyncio.FIRST_COMPLETED)
    reading, waiting = (first, second) if connecting[0].done() else (second, first)
    await say(scene, *map(str, range(5)))
    await reading.intake.next(5)
    assert waiting.intake.tries == 0
    for task in connecting:
        task.cancel()
    assert (await scene.discord.stats())["opened"] == 1


async def test_changed_intents_start_a_new_session(discord: FakeDiscord, scene: Scene, start: Start) -> None:
    reader = await discord.add_bot("Reader", message_content=True)
    first = start(token=reader["token"])
    await first.connected()
    await first.stop()
    second = start(token=reader["token"], messageContentIntent=True)
    await second.connected()
    await discord.say(scene.channel, scene.user, "for all")
    [inbound] = await second.intake.next()
    assert inbound.text == "for all"


async def test_a_refused_token_is_told(scene: Scene, start: Start) -> None:
    gateway = start(token="wrong")
    with pytest.raises(Misconfigured, match="Developer Portal"):
        await gateway.task
    connected, message = gateway.reports.lines[-1]
    assert not connected
    assert "token" in message
    assert "wrong" not in message


async def test_a_token_that_is_reset_meanwhile_is_told(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    await scene.discord.revoke()
    with pytest.raises(Misconfigured, match="token"):
        await asyncio.wait_for(gateway.task, 15)


async def test_a_refused_intent_is_told_and_others_go_on(discord: FakeDiscord, scene: Scene, start: Start) -> None:
    other = await discord.add_bot("Other")
    refused, fine = start(messageContentIntent=True), start(token=other["token"])
    with pytest.raises(Misconfigured, match="messageContentIntent"):
        await asyncio.wait_for(refused.task, 15)
    assert not refused.reports.lines[-1][0]
    assert (await discord.stats())["identifies"][scene.bot] == 0
    await fine.connected()
    await discord.say(scene.channel, scene.user, "you?", mention=True, bot=other["user"])
    await fine.intake.next()


async def test_an_empty_budget_of_session_starts_is_waited_for(scene: Scene, start: Start) -> None:
    await scene.discord.configure(identifies_left=0, budget_reset_after_ms=1200)
    gateway = start()
    await gateway.reports.until(lambda connected, message: "session starts" in message)
    assert (await scene.discord.stats())["identifies"][scene.bot] == 0
    await scene.discord.configure(identifies_left=1000)
    await gateway.reports.until(lambda connected, _: connected)


async def test_a_low_budget_of_session_starts_is_told_and_spread_over_the_time_left(scene: Scene, start: Start) -> None:
    await scene.discord.configure(identifies_left=4, budget_reset_after_ms=3000)
    gateway = start()
    await gateway.reports.until(
        lambda connected, message: connected and message == "only 3 session starts are left for 0.0 h"
    )
    began = asyncio.get_running_loop().time()
    await scene.discord.invalidate(resumable=False)
    await gateway.reports.until(
        lambda connected, message: not connected and message == "3 session starts are left; the next one is in 0 min"
    )
    assert (await scene.discord.stats())["identifies"][scene.bot] == 1
    await gateway.reports.until(lambda connected, message: connected and message.startswith("only 2 session starts"))
    assert asyncio.get_running_loop().time() - began > 0.8, "a third of the three seconds"
    await say(scene, "hello")
    await gateway.intake.next()


async def test_shards_are_as_many_as_discord_says_and_each_has_a_lease(
    scene: Scene, start: Start, store: Store, keys: BotKeys
) -> None:
    await scene.discord.configure(shards=3)
    gateway = start()
    await scene.discord.wait_for_connections(3)
    for number in range(3):
        assert await store.command("EXISTS", keys.lease(f"discord:{number}")) == 1
    await say(scene, "hello")
    dm = await scene.discord.open_dm(scene.user)
    await scene.discord.say(dm, scene.user, "psst")
    await gateway.intake.next(2)
    assert sorted(texts(gateway.intake)) == ["hello", "psst"]


async def test_more_shards_are_opened_when_discord_demands_them(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    await scene.discord.configure(shards=2)
    await scene.discord.refuse_resumes()
    await scene.discord.drop_sockets()
    await scene.discord.wait_for_connections(2, timeout=20)
    await say(scene, "here")
    await gateway.intake.next()


async def test_an_api_that_is_not_there_is_told_and_tried_again(scene: Scene, start: Start) -> None:
    await scene.discord.fail("me", status=403, body={"message": "no", "code": 0})
    gateway = start()
    await gateway.reports.until(lambda connected, message: "cannot be reached" in message)
    await gateway.connected()


async def test_two_bots_with_different_bases_live_in_one_process(scene: Scene, start: Start, store: Store) -> None:
    async with FakeDiscord() as elsewhere:
        bot = await elsewhere.add_bot("Elsewhere")
        channel = await elsewhere.add_channel(await elsewhere.add_guild())
        user = await elsewhere.add_user()
        here = start()
        there = Running(config(bot["token"], apiBaseUrl=elsewhere.url), store, BotKeys("test/elsewhere", b"p" * 32))
        try:
            await here.connected()
            await there.connected()
            await elsewhere.say(channel, user, "there", mention=True)
            await say(scene, "here")
            assert [message.text for message in await there.intake.next()] == ["there"]
            assert [message.text for message in await here.intake.next()] == ["here"]
        finally:
            await there.stop()


async def test_a_proxy_that_names_itself_is_not_gone_round(scene: Scene, start: Start) -> None:
    # READY names another host than /gateway/bot did: "localhost" stands for Discord's own.
    await scene.discord.configure(resume_url=f"ws://localhost:{scene.discord.port}/gone-round/")
    gateway = start()
    await gateway.connected()
    await scene.discord.drop_sockets()
    await say(scene, "back")
    await gateway.intake.next()
    stats = await scene.discord.stats()
    assert stats["resumes"][scene.bot] == 1
    assert "unknown" not in stats["calls"]


@pytest.mark.parametrize(
    ("resume", "gateway", "expected"),
    [
        ("wss://gateway-us-east1-b.discord.gg", "wss://gateway.discord.gg", "wss://gateway-us-east1-b.discord.gg"),
        ("wss://gateway-us-east1-b.discord.gg", "ws://proxy.bots.svc:4000", "ws://proxy.bots.svc:4000"),
        ("wss://gateway-us-east1-b.discord.gg", "ws://127.0.0.1:4000", "ws://127.0.0.1:4000"),
        ("wss://gateway-us-east1-b.discord.gg", "ws://proxy:4000", "ws://proxy:4000"),
        ("ws://10.0.0.1:1", "ws://10.0.0.2:1", "ws://10.0.0.2:1"),
        ("ws://proxy:4000/resume", "ws://proxy:4000/", "ws://proxy:4000/resume"),
        ("wss://discord.gg.evil.example", "wss://gateway.discord.gg", "wss://gateway.discord.gg"),
        ("wss://x.example.com", "wss://gateway.com", "wss://gateway.com"),
    ],
)
def test_where_to_resume(resume: str, gateway: str, expected: str) -> None:
    assert resume_address(resume, gateway) == expected
