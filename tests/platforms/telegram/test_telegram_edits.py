"""An edited message of Telegram comes in as the same event with another text, by polling and by webhook alike."""

from __future__ import annotations

import time

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from tests.fakes.telegram import FakeTelegram
from tests.platforms.telegram.harness import ADA, GROUP, config, eventually, running


async def test_an_edit_is_the_same_event(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.reports.connected)
        said = await fake.say(ADA, ADA, "helo")
        assert await fake.edit(ADA, said.id, "hello") is not None
        await eventually(lambda: bot.intake.edited)
    [first], [edited] = bot.intake.accepted, bot.intake.edited
    assert (first.text, edited.text) == ("helo", "hello")
    assert (edited.event, edited.conversation, edited.address) == (first.event, first.conversation, first.address)
    assert first.original_at is None
    assert edited.original_at is not None
    assert abs(edited.original_at - time.time()) < 60


async def test_a_mention_put_in_later_shows(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    await fake.set_privacy_mode(False)
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.reports.connected)
        said = await fake.say(GROUP, ADA, "what is a kettle?")
        await fake.edit(GROUP, said.id, "@gptbot_test_bot what is a kettle?")
        await fake.edit(GROUP, said.id, "never mind")
        await eventually(lambda: len(bot.intake.edited) == 2)
    assert [(edit.text, edit.addressed) for edit in bot.intake.edited] == [
        ("what is a kettle?", True),
        ("never mind", False),
    ]


async def test_messages_of_one_number_in_two_chats_are_two(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    await fake.set_privacy_mode(False)
    other = GROUP - 1
    await fake.add_group(other)
    async with running(config(fake), store, keys) as bot:
        await fake.say(GROUP, ADA, "@gptbot_test_bot one")
        await fake.say(other, ADA, "@gptbot_test_bot two")
        await eventually(lambda: len(bot.intake.accepted) == 2)
    first, second = bot.intake.accepted
    assert first.address["message_id"] == second.address["message_id"]
    assert first.event != second.event
