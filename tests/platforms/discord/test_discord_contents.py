"""What a message says besides its text: embeds, a poll, what it forwards, what it replies to, what its thread is of."""

from __future__ import annotations

from typing import Any

from gptbot.platforms.discord import contents
from gptbot.platforms.discord.mapping import Directory, from_message
from gptbot.platforms.discord.sender import DiscordSender
from gptbot.platforms.inbound import person
from tests.platforms.discord.conftest import Scene, Start

PNG = ("cat.png", "image/png", b"\x89PNG")
CARD: dict[str, Any] = {
    "type": "rich", "title": "Build 7 failed", "description": "test_kettle of <@6> is red",
    "url": "https://ci.example.org/7", "fields": [{"name": "Branch", "value": "main"}, {"value": "odd"}],
    "author": {"name": "Eve Secret"}, "footer": {"text": "Eve Secret"},
}  # fmt: skip
CARD_IN_WORDS = f"Build 7 failed\ntest_kettle of {person('6')} is red\nBranch: main\nodd"
TEXTS = [{"type": 17, "components": [{"type": 10, "content": "a text"}, {"type": 9, "components": [
    {"type": 10, "content": "another"}]}]}]  # fmt: skip
POLL = {"question": {"text": "Tea?"}, "answers": [{"answer_id": 1, "poll_media": {"text": "yes"}}, {"poll_media": {}}]}
MESSAGE: dict[str, Any] = {
    "id": "1", "type": 0, "channel_id": "2", "author": {"id": "3", "username": "ada"}, "content": "", "mentions": [],
}  # fmt: skip


def test_embeds_are_quoted_without_names() -> None:
    inbound = from_message(MESSAGE | {"content": "what is it?", "embeds": [CARD]}, Directory(user="9"))
    assert inbound is not None
    assert (inbound.text, inbound.quote) == ("what is it?", CARD_IN_WORDS)


def test_a_forwarded_message_brings_its_files_embeds_and_poll() -> None:
    file = {"id": "8", "filename": "a.png", "content_type": "image/png", "size": 9}
    event = MESSAGE | {
        "message_reference": {"type": 1, "message_id": "4", "channel_id": "5"},
        "message_snapshots": [
            {"message": {"content": "look", "embeds": [CARD], "attachments": [file]}}, {"message": {"poll": POLL}},
        ],
    }  # fmt: skip
    inbound = from_message(event, Directory(user="9"))
    assert inbound is not None
    assert inbound.quote == f"look\n\n{CARD_IN_WORDS}\n\n[poll] Tea?\n- yes"
    assert [file.reference for file in inbound.attachments] == [{"message": "1", "attachment": "8"}]


async def test_a_forwarded_file_is_fetched(scene: Scene, start: Start, sender: DiscordSender) -> None:
    bot = start()
    await bot.connected()
    there = await scene.discord.say(scene.channel, scene.user, "", files=[PNG])
    file = scene.discord.world.channels[scene.channel].messages[there].files[0]
    dm = await scene.discord.open_dm(scene.user)
    forwards = {"message_snapshots": [{"message": {"content": "", "attachments": [
        file.json(scene.channel, scene.discord.world.cdn)]}}]}  # fmt: skip
    await scene.discord.say(dm, scene.user, "", more=forwards)
    await bot.intake.until(lambda: any(message.direct for message in bot.intake.taken))
    [direct] = [message for message in bot.intake.taken if message.direct]
    [found] = direct.attachments
    assert await sender.fetch(direct.address, found.reference, 100) == PNG[2]


async def test_another_bots_message_is_read_where_it_is_replied_to(scene: Scene, start: Start) -> None:
    reader = await scene.discord.add_bot("Reader", message_content=True)
    bot = start(token=reader["token"], messageContentIntent=True)
    await bot.connected()
    other = await scene.discord.add_bot("CI")
    said = await scene.discord.say(scene.channel, other["user"], "", files=[PNG], more={"embeds": [CARD]})
    made = await scene.discord.say(scene.channel, other["user"], "", more={"components": TEXTS})
    for replied in (said, made):
        await scene.discord.say(
            scene.channel, scene.user, "why?", reply_to=replied, ping_replied=False, mention=True, bot=reader["user"]
        )
    first, second = await bot.intake.next(2)
    assert first.quote == f"{person(other['user'])}: {CARD_IN_WORDS}"
    assert [file.reference["message"] for file in first.attachments] == [said]
    assert second.quote == f"{person(other['user'])}: a text\n\nanother"


async def test_a_poll_in_a_direct_message_is_a_question(scene: Scene, start: Start) -> None:
    bot = start()
    await bot.connected()
    await scene.discord.say(await scene.discord.open_dm(scene.user), scene.user, "", more={"poll": POLL})
    [inbound] = await bot.intake.next()
    assert inbound.text == "[poll] Tea?\n- yes"


async def test_a_thread_knows_the_message_it_was_made_of(scene: Scene, start: Start, sender: DiscordSender) -> None:
    bot = start()
    await bot.connected()
    bob = await scene.discord.add_user("Bob")
    origin = await scene.discord.say(scene.channel, bob, "my kettle is loud", mention=True, files=[PNG])
    thread = await scene.discord.add_thread(scene.channel, message=origin)
    for text in ("!help", "why?", "and then?"):
        await scene.discord.say(thread, scene.user, text, mention=True)
    _, command, first, second = await bot.intake.next(4)
    assert (command.text, command.quote) == ("!help", "")
    assert (first.text, first.quote) == ("why?", f"{person(bob)}: my kettle is loud")
    assert await sender.fetch(first.address, first.attachments[0].reference, 100) == PNG[2]
    assert (second.text, second.quote, list(second.attachments)) == ("and then?", "", [])
    calls = [call for call in await scene.discord.calls("get_message") if call["channel"] == scene.channel]
    assert len(calls) == 2, "asked for once, and once for its file"
    await sender.forget(bot.keys.pseudonym("discord", "conversation", thread))
    await scene.discord.say(thread, scene.user, "afresh?", mention=True)
    assert (await bot.intake.next(5))[-1].quote == first.quote


async def test_a_thread_is_known_in_a_process_that_resumed(scene: Scene, start: Start) -> None:
    origin = await scene.discord.say(scene.channel, scene.user, "a kettle", mention=True)
    thread = await scene.discord.add_thread(scene.channel, message=origin)
    before = start()
    await before.connected()
    await before.stop()
    bot = start()
    await bot.connected()
    await scene.discord.say(thread, scene.user, "which?", mention=True)
    [inbound] = await bot.intake.next()
    assert inbound.quote == f"{person(scene.user)}: a kettle"
    assert f"channel:{thread}" in inbound.principals


async def post(scene: Scene) -> str:
    """Somebody's post in a forum: its first message has its id."""
    forum = await scene.discord.add_thread(scene.channel, "forum")
    messages = scene.discord.world.channels[forum].messages
    said = messages.pop(await scene.discord.say(forum, scene.user, "my fridge hums", mention=True))
    said.id = forum
    messages[forum] = said
    return forum


async def test_a_post_of_a_forum_holds_its_first_message_itself(scene: Scene, start: Start) -> None:
    forum = await post(scene)
    bot = start()
    await bot.connected()
    await scene.discord.repeat(forum, forum)
    await scene.discord.say(forum, scene.user, "why?", mention=True)
    own, asked = await bot.intake.next(2)
    assert (own.text, own.quote) == ("my fridge hums", ""), "it is no quote of itself"
    assert (asked.text, asked.quote) == ("why?", ""), "the conversation has it already"
    await scene.discord.say(await scene.discord.add_thread(scene.channel), scene.user, "why?", mention=True)
    assert (await bot.intake.next(3))[-1].quote == "", "made of no message"


async def test_a_post_that_was_not_for_the_bot_is_told_with_the_first_question(scene: Scene, start: Start) -> None:
    forum = await post(scene)
    bot = start()
    await bot.connected()
    await scene.discord.say(forum, scene.user, "why?", mention=True)
    [asked] = await bot.intake.next()
    assert asked.quote == f"{person(scene.user)}: my fridge hums"


async def test_trouble_with_a_threads_message_is_not_for_ever(scene: Scene, start: Start) -> None:
    bot = start()
    await bot.connected()
    origin = await scene.discord.say(scene.channel, scene.user, "a kettle", mention=True)
    thread = await scene.discord.add_thread(scene.channel, message=origin)
    await scene.discord.fail("get_message", status=502)
    await scene.discord.say(thread, scene.user, "why?", mention=True)
    await scene.discord.say(thread, scene.user, "why now?", mention=True)
    _, first, second = await bot.intake.next(3)
    assert (first.quote, second.quote) == ("", f"{person(scene.user)}: a kettle")


def test_of_very_many_parts_the_first_are_read() -> None:
    answers = [{"poll_media": {"text": f"a{number}"}} for number in range(1000)]
    asked = {"poll": {"question": {"text": "q"}, "answers": answers}}
    assert len(contents.whole(asked).splitlines()) == 26
    snapshots = [{"message": {"content": f"s{number}"}} for number in range(1000)]
    assert contents.forwarded({"message_snapshots": snapshots}).split("\n\n") == [f"s{number}" for number in range(10)]
