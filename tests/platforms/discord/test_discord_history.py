"""What was said in a channel is read when it is asked for: in order, without ids, and a reason when it cannot be."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from gptbot.platforms.base import Remembers, Said
from gptbot.platforms.discord.sender import DiscordSender
from gptbot.platforms.errors import FloodWait, HistoryClosed
from gptbot.platforms.inbound import Address, person
from tests.platforms.discord.conftest import Scene


async def read(sender: DiscordSender, address: Address, most: int = 1000, since: float = 0.0) -> list[Said]:
    assert isinstance(sender, Remembers)
    found: list[Said] = []
    async with aclosing(sender.history(address, since)) as history:
        async for said in history:
            found.append(said)
            if len(found) == most:
                break
    return found


async def asked(scene: Scene) -> Address:
    return {"channel": scene.channel, "message": await scene.discord.say(scene.channel, scene.user, "!summary")}


@pytest.fixture
async def open_scene(scene: Scene) -> Scene:
    """The bot may read what was not said to it."""
    await scene.discord.allow_message_content()
    return scene


async def test_people_and_the_bot_are_told_and_nobody_else(open_scene: Scene, sender: DiscordSender) -> None:
    scene = open_scene
    bob, machine = await scene.discord.add_user("Bob"), await scene.discord.add_bot("Other")
    await scene.discord.say(scene.channel, scene.user, f"hi <@{bob}>, see <#{scene.channel}> <:smile:123456>")
    await scene.discord.say(scene.channel, bob, f"hello <@{scene.bot}> and <@&99>")
    await scene.discord.say(scene.channel, bob, "Bob joined", kind=7)
    await scene.discord.say(scene.channel, bob, "posted", webhook=True)
    await scene.discord.say(scene.channel, machine["user"], "beep")
    await sender.send({"channel": scene.channel}, "An answer.", nonce="n", first=True, final=True)
    address = await asked(scene)
    await scene.discord.say(scene.channel, bob, "later")
    told = await read(sender, address)
    assert [(said.author, said.text) for said in told] == [
        ("", "An answer."), (bob, "hello @bot and @role"), (scene.user, f"hi {person(bob)}, see #channel :smile:"),
    ]  # fmt: skip
    assert told == sorted(told, key=lambda said: said.sent, reverse=True)
    assert sender.conversation(address) == scene.channel


async def test_pages_are_read_as_far_as_they_are_wanted(open_scene: Scene, sender: DiscordSender) -> None:
    for number in range(130):
        await open_scene.discord.say(open_scene.channel, open_scene.user, f"m{number}")
    address = await asked(open_scene)
    assert [said.text for said in await read(sender, address, 3)] == ["m129", "m128", "m127"]
    pages = len(await open_scene.discord.calls("get_messages"))
    assert pages == 1
    told = await read(sender, address)
    assert len(told) == 130
    assert len(await open_scene.discord.calls("get_messages")) == pages + 2
    later = await read(sender, address, since=told[9].sent)
    assert 10 <= len(later) < 130
    assert later == [said for said in told if said.sent >= told[9].sent]


async def test_without_the_right_to_read_it_says_so(open_scene: Scene, sender: DiscordSender) -> None:
    address = await asked(open_scene)
    assert await read(sender, address) == [], "an empty channel is no trouble"
    await open_scene.discord.deny(open_scene.channel, "history")
    with pytest.raises(HistoryClosed) as closed:
        await read(sender, address)
    assert closed.value.lacks == "permission"
    await open_scene.discord.deny(open_scene.channel, "view")
    with pytest.raises(HistoryClosed):
        await read(sender, address)


async def test_without_the_intent_texts_are_hidden(scene: Scene, sender: DiscordSender) -> None:
    await scene.discord.say(scene.channel, scene.user, "psst")
    address: Address = {"channel": scene.channel, "message": await scene.discord.say(
        scene.channel, scene.user, "!summary", mention=True
    )}  # fmt: skip
    with pytest.raises(HistoryClosed) as closed:
        await read(sender, address)
    assert closed.value.lacks == "content"


async def test_in_direct_messages_texts_are_there(scene: Scene, sender: DiscordSender) -> None:
    channel = await scene.discord.open_dm(scene.user, scene.bot)
    await scene.discord.say(channel, scene.user, "psst")
    message = await scene.discord.say(channel, scene.user, "!summary")
    assert [said.text for said in await read(sender, {"channel": channel, "message": message})] == ["psst"]


async def test_a_short_wait_is_sat_out_and_a_long_one_is_told(open_scene: Scene, sender: DiscordSender) -> None:
    await open_scene.discord.say(open_scene.channel, open_scene.user, "hi")
    address = await asked(open_scene)

    async def flood(seconds: float) -> None:
        await open_scene.discord.fail(
            "get_messages", status=429, body={"message": "slow", "retry_after": seconds, "global": False},
            headers={"Via": "1.1 google", "Retry-After": str(seconds)},
        )  # fmt: skip

    await flood(0.2)
    assert [said.text for said in await read(sender, address)] == ["hi"]
    await flood(600.0)
    with pytest.raises(FloodWait):
        await read(sender, address)


async def test_an_interaction_says_whether_the_channel_may_be_read(scene: Scene, sender: DiscordSender) -> None:
    """A slash command leaves no message, so an empty channel looks as one that may not be read."""
    address: Address = {"channel": scene.channel, "interaction": str(10**18), "application": "1", "token": "t"}
    assert await read(sender, {**address, "readable": True}) == []
    with pytest.raises(HistoryClosed) as closed:
        await read(sender, {**address, "readable": False})
    assert closed.value.lacks == "permission"
