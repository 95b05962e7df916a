"""What a message of Telegram becomes, over the wire through aiogram."""

from __future__ import annotations

import time
from typing import Any

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.inbound import Inbound, perhaps_person, person
from tests.fakes.telegram import FakeTelegram
from tests.platforms.telegram.harness import ADA, BOB, GROUP, config, eventually, running

PHOTO = {"photo": [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]}
OTHER_BOT = 777


async def taken(fake: FakeTelegram, store: Store, keys: BotKeys, *messages: tuple[Any, ...]) -> list[Inbound]:
    """What is accepted of some messages, once all of them were confirmed to Telegram."""
    await fake.set_privacy_mode(False)
    async with running(config(fake), store, keys) as bot:
        for chat, user, text, more in messages:
            await fake.say(chat, user, text, **more)
        await fake.wait_for_confirmed()
        return bot.intake.accepted


async def test_private_message(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    [message] = await taken(fake, store, keys, (ADA, ADA, "Привет, как дела?", {}))
    assert message.text == "Привет, как дела?"
    assert message.direct
    assert message.addressed
    assert message.conversation == str(ADA)
    assert message.user == str(ADA)
    assert message.language == "ru"
    assert list(message.principals) == [f"user:{ADA}", f"chat:{ADA}"]
    assert message.address == {"chat_id": ADA, "thread_id": None, "message_id": 1, "chat_type": "private"}


async def test_each_update_is_an_event_of_its_own(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    messages = await taken(fake, store, keys, *[(ADA, ADA, "the same", {})] * 3)
    assert len({message.event for message in messages}) == 3


async def test_addressed_in_a_group(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    understood = {
        "@gptbot_test_bot what is a kettle?": "what is a kettle?",
        "@GPTbot_Test_Bot: what is a kettle?": "what is a kettle?",
        "what is a kettle, @gptbot_test_bot": "what is a kettle,",
        "tell @gptbot_test_bot me 😀 more": "tell me 😀 more",
        "😀😀 @gptbot_test_bot hi": "😀😀 hi",
        "@gptbot_test_bot !help": "!help",
        "/help@gptbot_test_bot": "/help",
        "/persona@GptBot_Test_Bot translator": "/persona translator",
        "@gptbot_test_bot ask @Bob_the_user": f"ask {perhaps_person('@bob_the_user', '@Bob_the_user')}",
        "@gptbot_test_bot @Override in Java?": f"{perhaps_person('@override', '@Override')} in Java?",
        "hey @gptbot_test_bot and again @gptbot_test_bot!": "hey and again !",
    }
    messages = await taken(fake, store, keys, *[(GROUP, ADA, said, {}) for said in understood])
    assert [message.text for message in messages] == list(understood.values())
    for number, message in enumerate(messages, 1):
        assert message.addressed
        assert not message.direct
        assert message.conversation == str(GROUP)
        assert list(message.principals) == [f"user:{ADA}", f"chat:{GROUP}"]
        assert message.address["chat_type"] == "supergroup"
        assert message.address["message_id"] == number


async def test_mention_without_a_username(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    entity = {"type": "text_mention", "offset": 3, "length": 3, "user": fake.world.me.api()}
    [message] = await taken(fake, store, keys, (GROUP, ADA, "😀 Bot hello", {"entities": [entity]}))
    assert (message.text, message.addressed) == ("😀 hello", True)


async def test_reply_to_the_bot(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    ours = fake.world.store(fake.world.chat(GROUP), fake.world.me, "I am a bot", [])
    [message] = await taken(fake, store, keys, (GROUP, ADA, "and more?", {"reply_to": ours.id}))
    assert message.addressed


async def test_people_are_marked_as_they_are_mentioned(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    nameless = {"id": 4711, "is_bot": False, "first_name": "Eve"}
    named = {"id": 4712, "is_bot": False, "first_name": "Carol", "username": "Carol_C"}
    entities = [
        {"type": "text_mention", "offset": 3, "length": 3, "user": nameless},
        {"type": "text_mention", "offset": 11, "length": 5, "user": named},
    ]
    [message] = await taken(fake, store, keys, (GROUP, ADA, "😀 Eve and Carol!", {"entities": entities}))
    assert message.text == f"😀 {person('4711')} and {person('@carol_c')}!"
    assert message.speaker == speaker_of(fake, ADA)


async def test_whom_a_message_shows_to_be_in_the_group(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    await fake.add_user(OTHER_BOT, "Another", username="another_bot", is_bot=True)
    theirs = fake.world.store(fake.world.chat(GROUP), fake.world.users[BOB], "the kettle is loud", [])
    bots = fake.world.store(fake.world.chat(GROUP), fake.world.users[OTHER_BOT], "beep", [])
    eve = {"id": 4711, "is_bot": False, "first_name": "Eve", "username": "Eve_E"}
    robot = {"id": 5, "is_bot": True, "first_name": "Helper", "username": "helper_bot"}
    mention = [{"type": "text_mention", "offset": 4, "length": 3, "user": eve}]
    messages = await taken(
        fake, store, keys, (GROUP, ADA, "why?", {"reply_to": theirs.id}), (GROUP, ADA, "so?", {"reply_to": bots.id}),
        (GROUP, ADA, "ask Eve", {"entities": mention}), (GROUP, BOB, "", {"extra": {"new_chat_members": [eve, robot]}}),
        (GROUP, ADA, "@carol_c?", {}),
    )  # fmt: skip
    assert [list(message.people) for message in messages] == [["@bob_the_user"], [], ["@eve_e"], ["@eve_e"], []]
    joined = messages[3]
    assert (joined.text, joined.addressed, joined.speaker) == ("", False, "@bob_the_user")


async def test_in_private_nothing_is_marked(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    said = "What does @dataclass do? And @pytest.fixture, @bob_the_user, npm install @types/node?"
    ours = fake.world.store(fake.world.chat(ADA), fake.world.me, "Use @dataclass.", [
        {"type": "mention", "offset": 4, "length": 10}])  # fmt: skip
    quote = {"quote": {"text": "@dataclass", "position": 4, "entities": [
        {"type": "mention", "offset": 0, "length": 10}]}}  # fmt: skip
    eve = {"type": "text_mention", "offset": 4, "length": 3, "user": {"id": 9, "is_bot": False, "first_name": "Eve"}}
    messages = await taken(
        fake, store, keys, (ADA, ADA, said, {}), (ADA, ADA, "why?", {"reply_to": ours.id}),
        (ADA, ADA, "why?", {"reply_to": ours.id, "extra": quote}), (ADA, ADA, "ask Eve", {"entities": [eve]}),
    )  # fmt: skip
    assert [message.text for message in messages] == [said, "why?", "why?", "ask Eve"]
    assert [message.quote for message in messages] == ["", "Use @dataclass.", "@dataclass", ""]
    assert not any(message.people for message in messages)


def speaker_of(fake: FakeTelegram, user: int) -> str:
    username = fake.world.users[user].username
    return f"@{username.lower()}" if username else str(user)


async def test_what_is_replied_to_is_quoted(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    ours = fake.world.store(fake.world.chat(GROUP), fake.world.me, "an old answer", [])
    theirs = fake.world.store(fake.world.chat(GROUP), fake.world.users[BOB], "the kettle is loud", [])
    chosen = {"extra": {"quote": {"text": "loud", "position": 14, "is_manual": True}}}
    elsewhere = {"extra": {"quote": {"text": "from afar", "position": 0}, "external_reply": {"origin": {
        "type": "hidden_user", "date": 1, "sender_user_name": "Eve"}}}}  # fmt: skip
    messages = await taken(
        fake, store, keys, (GROUP, ADA, "why?", {"reply_to": ours.id}), (GROUP, ADA, "so?", {"reply_to": theirs.id}),
        (GROUP, ADA, "how?", {"reply_to": theirs.id} | chosen), (GROUP, ADA, "who?", elsewhere), (GROUP, ADA, "hm", {}),
    )  # fmt: skip
    bob = person(speaker_of(fake, BOB))
    assert [message.quote for message in messages] == [
        "an old answer", f"{bob}: the kettle is loud", f"{bob}: loud", "from afar", "",
    ]  # fmt: skip


async def test_not_addressed_in_a_group(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    talk = [
        "just talking", "!help", "/help", "ask @bob_the_user", "mail gptbot_test_bot", "@gptbot_test_bot_2 hi",
        "me@gptbot_test_bot",
    ]  # fmt: skip
    messages = await taken(fake, store, keys, *[(GROUP, ADA, said, {}) for said in talk])
    marked = [text.replace("@bob_the_user", perhaps_person("@bob_the_user", "@bob_the_user")) for text in talk]
    other = "@gptbot_test_bot_2"
    marked = [text.replace(other, perhaps_person(other, other)) for text in marked]
    assert [message.text for message in messages] == marked
    assert not any(message.addressed for message in messages)


async def test_reply_to_somebody_else(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    theirs = fake.world.store(fake.world.chat(GROUP), fake.world.users[BOB], "I am Bob", [])
    [message] = await taken(fake, store, keys, (GROUP, ADA, "hi Bob", {"reply_to": theirs.id}))
    assert not message.addressed


async def test_topics_are_conversations_of_their_own(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    forum = GROUP - 1
    await fake.add_group(forum, "Forum", forum=True)
    topic = await fake.add_topic(forum, "Kettles")
    in_topic = {"topic": topic, "reply_to": topic}  # Telegram lets what opens a topic be what is replied to
    first, general = await taken(fake, store, keys, (forum, ADA, "in it", in_topic), (forum, BOB, "outside", {}))
    assert first.conversation == f"{forum}:{topic}"
    assert first.address["thread_id"] == topic
    assert not first.addressed
    assert general.conversation == str(forum)
    assert general.address["thread_id"] is None


async def test_thread_of_a_plain_group_is_no_topic(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    [message] = await taken(fake, store, keys, (GROUP, ADA, "in a thread", {"extra": {"message_thread_id": 5}}))
    assert message.conversation == str(GROUP)
    assert message.address["thread_id"] is None


async def test_captions_count(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    [message] = await taken(fake, store, keys, (GROUP, ADA, "@gptbot_test_bot what is this?", {"extra": PHOTO}))
    assert (message.text, message.addressed) == ("what is this?", True)


async def test_a_message_says_when_it_was_written(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    old, new = await taken(
        fake, store, keys, (ADA, ADA, "long ago", {"extra": {"date": 1_700_000_000}}), (ADA, ADA, "now", {})
    )
    assert old.sent == 1_700_000_000
    assert new.sent is not None
    assert abs(new.sent - time.time()) < 60


async def test_what_is_not_for_the_bot(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    await fake.add_user(OTHER_BOT, "Another", username="another_bot", is_bot=True)
    joined = {"new_chat_members": [{"id": 5, "is_bot": True, "first_name": "Helper", "username": "helper_bot"}]}
    channel = {"id": -100555, "type": "channel", "title": "News"}
    messages = await taken(
        fake, store, keys,
        (GROUP, ADA, "/help@another_bot", {}),
        (GROUP, OTHER_BOT, "@gptbot_test_bot I am a bot as well", {}),
        (GROUP, ADA, "", {"extra": joined}),
        (GROUP, ADA, "news", {"extra": {"is_automatic_forward": True, "sender_chat": channel}}),
        (GROUP, ADA, "inline", {"extra": {"via_bot": fake.world.me.api()}}),
    )  # fmt: skip
    assert messages == []


async def test_what_is_forwarded_says_so_and_not_by_whom(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    author = {"type": "user", "date": 1, "sender_user": {"id": 5, "is_bot": False, "first_name": "Eve"}}
    own, theirs = await taken(
        fake,
        store,
        keys,
        (ADA, ADA, "is this true?", {}),
        (ADA, ADA, "it rains", {"extra": {"forward_origin": author}}),
    )
    assert (own.forwarded, theirs.forwarded, theirs.text) == (False, True, "it rains")
    assert "Eve" not in repr(theirs)


async def test_a_message_tells_what_the_bot_is_called(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    await fake.add_user(OTHER_BOT, "Another", username="another_bot", is_bot=True)
    [message] = await taken(fake, store, keys, (ADA, ADA, "!reset@another_bot", {}))
    assert (message.text, list(message.names)) == ("!reset@another_bot", ["gptbot_test_bot"])


async def test_anonymous_administrator_is_a_person(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    anonymous = 1087968824  # GroupAnonymousBot, the stand-in of the Bot API
    await fake.add_user(anonymous, "Group", username="GroupAnonymousBot", is_bot=True)
    as_group = {"extra": {"sender_chat": {"id": GROUP, "type": "supergroup", "title": "Workshop"}}}
    [message] = await taken(fake, store, keys, (GROUP, anonymous, "@gptbot_test_bot hello", as_group))
    assert message.user == str(GROUP)


async def test_one_bad_update_does_not_hide_the_others(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.reports.connected)
        await fake.push_update("message", {"message_id": "none", "chat": 5}, ADA)
        await fake.say(ADA, ADA, "after it")
        await eventually(lambda: bot.intake.texts == ["after it"])
        await fake.wait_for_confirmed()
