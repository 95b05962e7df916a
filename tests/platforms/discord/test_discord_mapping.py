"""What people write comes in as it should: who, where, whether the bot was meant, and nothing that is not for a bot."""

from __future__ import annotations

import time

from gptbot.platforms.discord.mapping import Directory, from_message
from gptbot.platforms.inbound import Inbound, person
from tests.fakes.discord import FakeDiscord
from tests.platforms.discord.conftest import Running, Scene, Start


async def heard(gateway: Running, scene: Scene, *, channel: str | None = None) -> list[Inbound]:
    """All that came in before a last message, which is waited for."""
    last = await scene.discord.say(channel or scene.channel, scene.user, "that is all", mention=True)
    await gateway.intake.until(lambda: any(message.event == last for message in gateway.intake.taken))
    return [message for message in gateway.intake.taken if message.event != last]


async def test_a_mention_comes_in_without_the_mention(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    message = await scene.discord.say(scene.channel, scene.user, "which fridge is quiet?", mention=True)
    [inbound] = await gateway.intake.next()
    assert inbound.event == message
    assert inbound.text == "which fridge is quiet?"
    assert inbound.conversation == scene.channel
    assert inbound.user == scene.user
    assert inbound.addressed
    assert not inbound.direct
    assert inbound.address == {"channel": scene.channel, "message": message}
    assert inbound.sent is not None
    assert abs(inbound.sent - time.time()) < 60


async def test_a_direct_message_is_read_without_the_content_intent(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    dm = await scene.discord.open_dm(scene.user)
    await scene.discord.say(dm, scene.user, "hello")
    [inbound] = await gateway.intake.next()
    assert (inbound.text, inbound.direct, inbound.addressed) == ("hello", True, False)
    assert inbound.principals == (f"user:{scene.user}", f"channel:{dm}")
    assert inbound.language is None


async def test_other_messages_of_a_guild_are_read_only_with_the_content_intent(
    discord: FakeDiscord, scene: Scene, start: Start
) -> None:
    reader = await discord.add_bot("Reader", message_content=True)
    without, with_it = start(), start(token=reader["token"], messageContentIntent=True)
    await without.connected()
    await with_it.connected()
    await discord.say(scene.channel, scene.user, "talking to nobody")
    [seen] = await with_it.intake.next()
    assert (seen.text, seen.addressed) == ("talking to nobody", False)
    assert [message.text for message in await heard(without, scene)] == [""]


async def test_a_reply_to_the_bot_means_the_bot(scene: Scene, start: Start, sender: object) -> None:
    gateway = start()
    await gateway.connected()
    from gptbot.platforms.discord.sender import DiscordSender

    assert isinstance(sender, DiscordSender)
    question = await scene.discord.say(scene.channel, scene.user, "first", mention=True)
    answer = await sender.send(
        {"channel": scene.channel, "message": question}, "an answer", nonce="n", first=True, final=True
    )
    await scene.discord.say(scene.channel, scene.user, "and then?", reply_to=answer)
    _, inbound = await gateway.intake.next(2)
    assert (inbound.text, inbound.addressed) == ("and then?", True)


async def test_a_reply_to_somebody_else_does_not(discord: FakeDiscord, scene: Scene, start: Start) -> None:
    reader = await discord.add_bot("Reader", message_content=True)
    gateway = start(token=reader["token"], messageContentIntent=True)
    await gateway.connected()
    bob = await discord.add_user("Bob")
    question = await discord.say(scene.channel, bob, "who?")
    await discord.say(scene.channel, scene.user, "me", reply_to=question)
    first, second = await gateway.intake.next(2)
    assert not first.addressed
    assert not second.addressed


async def test_the_managed_role_means_the_bot_and_another_role_does_not(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    role = await scene.discord.managed_role(scene.guild)
    other = await scene.discord.give_role(scene.guild, scene.user, "staff")
    # Without the content intent a mention of a role shows who is meant, but not what was said.
    await scene.discord.say(scene.channel, scene.user, f"<@&{role}> what now?")
    await scene.discord.say(scene.channel, scene.user, f"<@&{other}> what now?")
    mine, others = await heard(gateway, scene)
    assert mine.addressed
    assert not others.addressed


async def test_the_managed_role_is_known_in_a_process_that_resumed(scene: Scene, start: Start) -> None:
    first = start()
    await first.connected()
    await first.stop()
    second = start()
    await second.connected()
    assert (await scene.discord.stats())["identifies"][scene.bot] == 1
    role = await scene.discord.managed_role(scene.guild)
    await scene.discord.say(scene.channel, scene.user, f"<@&{role}>")
    [inbound] = await second.intake.next()
    assert inbound.addressed


async def test_a_thread_is_a_conversation_of_its_own_and_counts_as_its_channel(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    staff = await scene.discord.give_role(scene.guild, scene.user, "staff")
    thread = await scene.discord.add_thread(scene.channel)
    await scene.discord.say(thread, scene.user, "in here", mention=True)
    [inbound] = await gateway.intake.next()
    assert inbound.conversation == thread
    assert inbound.address["channel"] == thread
    assert inbound.principals == (
        f"user:{scene.user}", f"guild:{scene.guild}", f"role:{staff}", f"channel:{thread}", f"channel:{scene.channel}",
    )  # fmt: skip


async def test_bots_webhooks_and_system_messages_are_left_alone(
    scene: Scene, start: Start, discord: FakeDiscord
) -> None:
    gateway = start()
    await gateway.connected()
    other = await discord.add_bot("Other")
    await discord.say(scene.channel, other["user"], "beep", mention=True, bot=scene.bot)
    await discord.say(scene.channel, scene.bot, "talking to myself", mention=True)
    await discord.say(scene.channel, scene.user, "from a hook", mention=True, webhook=True)
    await discord.say(scene.channel, scene.user, "joined", mention=True, kind=7)
    assert await heard(gateway, scene) == []


async def test_mentions_inside_become_marks_and_no_id_is_left(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    bob = await scene.discord.add_user("Bob")
    said = f"<@!{scene.bot}>: does <@{bob}> know <@{scene.bot}> well? <#1234567890> <@&99> <a:wave:77> </ask now:55>"
    await scene.discord.say(scene.channel, scene.user, said)
    [inbound] = await gateway.intake.next()
    assert inbound.text == f"does {person(bob)} know @Helper well? #channel @role :wave: /ask now"


async def test_what_is_replied_to_comes_with_its_author(discord: FakeDiscord, scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    bob = await discord.add_user("Bob")
    # Without the content intent, the bot reads what mentions it, and what is replied to there.
    question = await discord.say(scene.channel, bob, f"ask <@{scene.user}>", mention=True)
    await discord.say(scene.channel, scene.user, "is that so?", reply_to=question, mention=True)
    _, reply = await gateway.intake.next(2)
    assert (reply.text, reply.quote) == ("is that so?", f"{person(bob)}: ask {person(scene.user)}")


def test_a_forwarded_message_is_a_quote() -> None:
    event = {
        "id": "1", "type": 0, "channel_id": "2", "author": {"id": "3", "username": "ada"}, "content": "",
        "mentions": [], "message_reference": {"type": 1, "message_id": "4", "channel_id": "5"},
        "message_snapshots": [{"message": {"type": 0, "content": "the kettle of <@6> is loud", "mentions": []}}],
    }  # fmt: skip
    inbound = from_message(event, Directory(user="9"))
    assert inbound is not None
    assert (inbound.text, inbound.quote) == ("", f"the kettle of {person('6')} is loud")
    assert inbound.forwarded


async def test_a_message_tells_what_the_bot_is_called(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    await scene.discord.say(scene.channel, scene.user, "!reset@another_bot", mention=True)
    [inbound] = await gateway.intake.next()
    assert (inbound.text, inbound.forwarded) == ("!reset@another_bot", False)
    assert "another_bot" not in inbound.names
    assert len(inbound.names) >= 1


async def test_a_guild_that_chose_a_language_tells_it(discord: FakeDiscord, scene: Scene, start: Start) -> None:
    russian = await discord.add_guild("Гильдия", preferred_locale="ru", features=["COMMUNITY"])
    american = await discord.add_guild("Guild", preferred_locale="en-US", features=["COMMUNITY"])
    gateway = start()
    await gateway.connected()
    languages: list[str | None] = []
    for guild in (russian, american, scene.guild):
        await discord.say(await discord.add_channel(guild), scene.user, "hi", mention=True)
        languages.append((await gateway.intake.next(len(languages) + 1))[-1].language)
    assert languages == ["ru", "en-US", None]


async def test_a_channel_stays_in_order(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    other = await scene.discord.add_channel(scene.guild, "other")
    for number in range(150):
        await scene.discord.say(scene.channel, scene.user, f"a{number}", mention=True)
        await scene.discord.say(other, scene.user, f"b{number}", mention=True)
    taken = await gateway.intake.next(300)
    for channel, letter in ((scene.channel, "a"), (other, "b")):
        texts = [message.text for message in taken if message.conversation == channel]
        assert texts == [f"{letter}{number}" for number in range(150)]
