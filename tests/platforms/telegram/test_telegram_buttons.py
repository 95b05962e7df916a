"""Buttons: as inline keyboards below messages, and as commands when they are pressed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.base import Button
from gptbot.platforms.inbound import Hears, Inbound
from gptbot.platforms.telegram.api import BadRequest, BotApi
from gptbot.platforms.telegram.callbacks import command, keyboard
from gptbot.platforms.telegram.sender import TelegramSender
from tests.fakes.telegram import FakeTelegram
from tests.platforms.telegram.harness import (
    ADA,
    BOB,
    GROUP,
    FakeIntake,
    Running,
    config,
    eventually,
    running,
    sending,
)
from tests.platforms.telegram.test_telegram_sender import group, private
from tests.platforms.telegram.test_telegram_webhook import front, webhook_mode

STOP, RETRY = Button("Стоп", "stop"), Button("Ещё раз", "retry")
CONTINUE = Button("Продолжить", f"continue {'A' * 11}.{10**19}")


@pytest_asyncio.fixture(params=["10.0", "10.3"])
async def sender(
    fake: FakeTelegram, store: Store, keys: BotKeys, request: pytest.FixtureRequest
) -> AsyncIterator[TelegramSender]:
    """A sender at an older and at a newer server, without rate limits."""
    major, _, minor = request.param.partition(".")
    await fake.set_rate_limits(False)
    await fake.set_bot_api(int(major), int(minor))
    async with sending(fake, store, keys) as made:
        yield made


@asynccontextmanager
async def receiving(fake: FakeTelegram, store: Store, keys: BotKeys, mode: str, **more: Any) -> AsyncGenerator[Running]:
    """A gateway that reads or is posted to."""
    if mode == "polling":
        async with running(config(fake), store, keys, **more) as bot:
            await eventually(lambda: bot.reports.connected)
            yield bot
        return
    async with front() as web, running(webhook_mode(fake, web.url), store, keys, **more) as bot:
        web.serve(bot)
        await eventually(lambda: bot.reports.connected)
        yield bot


async def test_a_keyboard_comes_and_goes_with_edits(fake: FakeTelegram, sender: TelegramSender) -> None:
    message_id = await sender.send(private(), "a", nonce="n", first=True, final=False, buttons=[STOP])
    [message] = await fake.messages(ADA, from_bot=True)
    assert message.markup == {"inline_keyboard": [[{"text": "Стоп", "callback_data": "!stop"}]]}
    await sender.edit(private(), message_id, "a b", final=True, buttons=[RETRY])
    assert message.markup == {"inline_keyboard": [[{"text": "Ещё раз", "callback_data": "!retry"}]]}
    await sender.edit(private(), message_id, "a b", final=True, buttons=[RETRY])  # the same again is no error
    await sender.edit(private(), message_id, "a b", final=True)
    assert message.markup is None


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_a_press_is_a_command(
    fake: FakeTelegram, sender: TelegramSender, store: Store, keys: BotKeys, mode: str
) -> None:
    asked = await fake.say(GROUP, ADA, "not for the bot")
    message_id = int(await sender.send(group(asked.id), "a", nonce="n", first=True, final=False, buttons=[STOP]))
    async with receiving(fake, store, keys, mode) as bot:
        query = await fake.press(GROUP, BOB, message_id, "!stop")
        await eventually(lambda: bot.intake.texts == ["!stop"])
        await fake.wait_for(lambda: query in fake.methods.queries.answers)
        [press] = bot.intake.accepted
        assert (press.conversation, press.user, press.direct, press.addressed) == (str(GROUP), str(BOB), False, True)
        assert press.principals == (f"user:{BOB}", f"chat:{GROUP}")
        assert press.address == {**group(message_id), "pressed": True}
        assert query in press.event
        assert press.pressed == str(message_id)
        again = await fake.press(GROUP, BOB, message_id, "!stop")
        await eventually(lambda: len(bot.intake.accepted) == 2)
        await fake.wait_for(lambda: again in fake.methods.queries.answers)
    message = fake.world.chat(GROUP).messages[message_id]
    assert message.markup is not None


@pytest.mark.parametrize("mode", ["polling", "webhook"])
@pytest.mark.parametrize("button", [RETRY, CONTINUE])
async def test_what_makes_another_answer_is_pressed_once(
    fake: FakeTelegram, store: Store, keys: BotKeys, mode: str, button: Button
) -> None:
    async with sending(fake, store, keys) as sender, receiving(fake, store, keys, mode) as bot:
        message_id = int(
            await sender.send(private(), "a", nonce="n", first=True, final=True, buttons=[CONTINUE, RETRY])
        )
        await fake.press(ADA, ADA, message_id, f"!{button.command}")
        await eventually(lambda: bot.intake.texts == [f"!{button.command}"])
        message = fake.world.chat(ADA).messages[message_id]
        await fake.wait_for(lambda: message.markup is None)
        assert message.text == "a"


class Deaf(FakeIntake):
    """Takes nothing from Bob."""

    async def accept(self, message: Inbound, hears: Hears | None = None) -> bool:
        return message.user != str(BOB) and await super().accept(message, hears)


async def test_who_may_not_ask_does_not_take_the_keyboard_away(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    intake = Deaf()
    async with sending(fake, store, keys) as sender, receiving(fake, store, keys, "polling", intake=intake):
        asked = await fake.say(GROUP, ADA, "question")
        message_id = int(await sender.send(group(asked.id), "a", nonce="n", first=True, final=True, buttons=[RETRY]))
        query = await fake.press(GROUP, BOB, message_id, "!retry")
        await fake.wait_for_confirmed()
        await fake.wait_for(lambda: query in fake.methods.queries.answers)
        assert await fake.calls("editMessageReplyMarkup") == []
        assert intake.accepted == []


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_a_press_that_means_nothing_any_more_is_answered_too(
    fake: FakeTelegram, store: Store, keys: BotKeys, mode: str
) -> None:
    async with sending(fake, store, keys) as sender, receiving(fake, store, keys, mode) as bot:
        message_id = int(await sender.send(private(), "a", nonce="n", first=True, final=True, buttons=[STOP]))
        stale = await fake.press(ADA, ADA, message_id, "!stop", stale=True)
        other = await fake.press(ADA, ADA, message_id, "made by another program", stale=True)
        await fake.wait_for(lambda: {stale, other} <= fake.methods.queries.answers.keys())
        await fake.wait_for_confirmed()
        assert bot.intake.accepted == []


async def test_a_query_that_is_too_old_does_not_hold_up_the_press(
    fake: FakeTelegram, store: Store, keys: BotKeys
) -> None:
    async with sending(fake, store, keys) as sender:
        message_id = int(await sender.send(private(), "a", nonce="n", first=True, final=True, buttons=[STOP]))
    query = await fake.press(ADA, ADA, message_id, "!stop")
    await fake.expire_query(query)
    async with receiving(fake, store, keys, "polling") as bot:
        await fake.wait_for_calls("answerCallbackQuery")
        await eventually(lambda: bot.intake.texts == ["!stop"])
        await fake.wait_for_confirmed()
        assert "query is too old" in (await fake.calls("answerCallbackQuery"))[0].error


async def test_a_rich_message_of_a_newer_server_hides_no_press(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    """A kind of block that aiogram has never heard of."""
    async with receiving(fake, store, keys, "polling") as bot:
        message = {
            "message_id": 7, "date": 1, "chat": {"id": ADA, "type": "private", "first_name": "Ada"},
            "from": fake.world.me.api(), "rich_message": {"blocks": [{"type": "hologram", "volume": 3}]},
        }  # fmt: skip
        query = {"id": "q", "from": fake.world.users[ADA].api(), "chat_instance": "1", "data": "!stop"}
        await fake.push_update("callback_query", {**query, "message": message}, ADA)
        await eventually(lambda: bot.intake.texts == ["!stop"])


async def test_the_fake_is_strict(fake: FakeTelegram, sender: TelegramSender) -> None:
    api: BotApi = sender._api
    await sender.send(private(), "a", nonce="n", first=True, final=True, buttons=[STOP])
    [message] = await fake.messages(ADA, from_bot=True)
    with pytest.raises(LookupError):
        await fake.press(ADA, ADA, message.id, "!retry")
    for button, error in (
        ({"text": "x", "callback_data": "я" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"callback_data": "x"}, "text"),
        ({"text": "x"}, "Text buttons"),
    ):
        markup = {"inline_keyboard": [[button]]}
        with pytest.raises(BadRequest, match=error):
            await api.call("sendMessage", {"chat_id": ADA, "text": "x", "reply_markup": markup})
    place = {"chat_id": ADA, "message_id": message.id}
    await api.call("editMessageReplyMarkup", place)
    with pytest.raises(BadRequest, match="not modified"):
        await api.call("editMessageReplyMarkup", place)


def test_callback_data() -> None:
    assert keyboard([]) is None
    assert keyboard([Button("x", "я" * 32)]) is None  # a byte too many
    longest = "persona " + "я" * 27 + "x"
    made = keyboard([Button("x", longest), Button("y", "я" * 60)])
    assert made == {"inline_keyboard": [[{"text": "x", "callback_data": f"!{longest}"}]]}
    assert len(f"!{longest}".encode()) == 64
    assert [command(data) for data in ("!stop", "!", "", None, "stop")] == ["!stop", None, None, None, None]
