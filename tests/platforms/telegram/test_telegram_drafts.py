"""Drafts in private chats: the text grows in one, Stop stands below it, and a real message ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gptbot.delivery.live import LiveMessage
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.base import Button
from gptbot.platforms.errors import TooLong
from gptbot.platforms.telegram.api import BadRequest, BotApi
from gptbot.platforms.telegram.sender import TelegramSender, draft_id
from tests.delivery.test_live import Journal
from tests.fakes.telegram import FakeTelegram
from tests.platforms.telegram.harness import ADA, GROUP, config, eventually, running, sending
from tests.platforms.telegram.test_telegram_sender import group, private

STOP = Button("Stop", "stop")


@pytest_asyncio.fixture
async def sender(fake: FakeTelegram, store: Store, keys: BotKeys) -> AsyncIterator[TelegramSender]:
    """A sender at a server of Bot API 10.3, without rate limits, that edits quickly."""
    await fake.set_rate_limits(False)
    await fake.set_bot_api(10, 3)
    async with sending(fake, store, keys) as made:
        made.edit_interval = 0.02
        yield made


async def test_a_reply_grows_as_a_draft_and_ends_as_a_message(fake: FakeTelegram, sender: TelegramSender) -> None:
    journal = Journal()
    live = LiveMessage(sender, private(), "n", journal, {}, buttons=[STOP])
    show = asyncio.create_task(live.show())
    live.feed("**One** ")
    await fake.wait_for(lambda: len(fake.world.chat(ADA).drafts) == 1)
    live.feed("two ")
    await fake.wait_for(lambda: len(fake.world.chat(ADA).drafts) == 2)
    assert await fake.messages(ADA, from_bot=True) == []
    assert journal.notes == {}
    draft = await fake.draft(ADA)
    assert draft is not None
    assert (draft.text, draft.rich, draft.can_stop) == ("**One** two", True, True)
    show.cancel()
    await live.finish("**One** two three")
    [message] = await fake.messages(ADA, from_bot=True)
    assert (message.text, message.versions[-1].rich) == ("**One** two three", True)
    assert journal.notes == {0: str(message.id)}
    assert await fake.draft(ADA) is None
    assert len({draft.id for draft in await fake.drafts(ADA)}) == 1


async def test_another_worker_goes_on_with_the_same_draft(fake: FakeTelegram, sender: TelegramSender) -> None:
    for words in ("first try", "second try"):
        live = LiveMessage(sender, private(), "n", Journal(), {})
        show = asyncio.create_task(live.show())
        live.feed(words)
        await fake.wait_for(lambda words=words: [d.text for d in fake.world.chat(ADA).drafts][-1:] == [words])
        show.cancel()
    await live.finish("done")
    assert [m.text for m in await fake.messages(ADA, from_bot=True)] == ["done"]
    assert len({draft.id for draft in await fake.drafts(ADA)}) == 1


async def test_full_parts_are_sent_while_the_last_one_is_a_draft(fake: FakeTelegram, sender: TelegramSender) -> None:
    live = LiveMessage(sender, private(), "n", Journal(), {})
    show = asyncio.create_task(live.show())
    text = "word " * 8000
    live.feed(text)
    await fake.wait_for(lambda: bool(fake.world.chat(ADA).drafts))
    assert len(await fake.messages(ADA, from_bot=True)) == 1
    show.cancel()
    await live.finish(text)
    parts = [m.text for m in await fake.messages(ADA, from_bot=True)]
    assert " ".join(parts) == text.strip()
    assert len(parts) == 2


async def test_a_draft_does_not_fade_while_the_model_thinks(fake: FakeTelegram, sender: TelegramSender) -> None:
    sender.draft_lasts = 0.1
    live = LiveMessage(sender, private(), "n", Journal(), {})
    show = asyncio.create_task(live.show())
    live.feed("hm")
    await fake.wait_for(lambda: len(fake.world.chat(ADA).drafts) >= 3)
    show.cancel()


async def test_no_drafts_in_groups(fake: FakeTelegram, sender: TelegramSender) -> None:
    assert not await sender.draft(group(1), "text", nonce="n")
    assert await fake.calls("sendRichMessageDraft") == []


async def test_an_older_server_gets_a_message_that_is_edited(fake: FakeTelegram, sender: TelegramSender) -> None:
    await fake.set_bot_api(10, 0)
    live = LiveMessage(sender, private(), "n", Journal(), {}, buttons=[STOP])
    show = asyncio.create_task(live.show())
    live.feed("One ")
    [message] = await fake.wait_for_messages(ADA)
    live.feed("two")
    await fake.wait_for_messages(ADA, contains="One two")
    assert message.markup == {"inline_keyboard": [[{"text": "Stop", "callback_data": "!stop"}]]}
    show.cancel()
    await live.finish("One two three")
    assert [m.text for m in await fake.messages(ADA, from_bot=True)] == ["One two three"]
    assert not await sender.draft(private(), "text", nonce="n")
    assert len(await fake.calls("sendRichMessageDraft")) == 1


async def test_refused_content_is_drafted_as_text(fake: FakeTelegram, sender: TelegramSender) -> None:
    refusal = {"ok": False, "error_code": 400, "description": "Bad Request: RICH_MESSAGE_EMAIL_INVALID"}
    await fake.inject("sendRichMessageDraft", "answer", status=400, body=refusal)
    assert await sender.draft(private(), "a **b**", nonce="n")
    assert [(d.text, d.rich) for d in await fake.drafts(ADA)] == [("a b", False)]
    with pytest.raises(TooLong):
        await sender.draft(private(), "word " * 1000, nonce="n")


async def test_a_refused_draft_is_no_reason_to_say_nothing(fake: FakeTelegram, sender: TelegramSender) -> None:
    refusal = {"ok": False, "error_code": 400, "description": "Bad Request: TEXTDRAFT_PEER_INVALID"}
    await fake.inject("sendRichMessageDraft", "answer", status=400, body=refusal)
    await fake.inject("sendMessageDraft", "answer", status=400, body=refusal)
    assert not await sender.draft(private(), "text", nonce="n")


async def test_stop_below_a_draft_comes_in(
    fake: FakeTelegram, sender: TelegramSender, store: Store, keys: BotKeys
) -> None:
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.reports.connected)
        await sender.draft(private(), "endless", nonce="n", buttons=[STOP])
        update = await fake.stop_draft(ADA)
        await eventually(lambda: bot.intake.texts == ["!stop"])
        [stop] = bot.intake.accepted
        assert (stop.event, stop.conversation, stop.user) == (str(update), str(ADA), str(ADA))
        assert stop.direct
        assert stop.addressed
        await sender.send(stop.address, "stopped", nonce="m", first=True, final=True)
        await fake.wait_for_messages(ADA, contains="stopped")


async def test_a_draft_without_the_button_cannot_be_stopped(fake: FakeTelegram, sender: TelegramSender) -> None:
    await sender.draft(private(), "text", nonce="n")
    with pytest.raises(LookupError):
        await fake.stop_draft(ADA)
    await fake.set_bot_api(10, 2)  # knows no Stop, and passes over what it does not know
    await sender.draft(private(), "text", nonce="n", buttons=[STOP])
    with pytest.raises(LookupError):
        await fake.stop_draft(ADA)


async def test_the_fake_is_strict(fake: FakeTelegram, sender: TelegramSender) -> None:
    api: BotApi = sender._api
    rich = {"rich_message": {"markdown": "text"}}
    for parameters, error in (
        ({"chat_id": ADA, "draft_id": 0, **rich}, "non-zero"),
        ({"chat_id": GROUP, "draft_id": 1, **rich}, "TEXTDRAFT_PEER_INVALID"),
    ):
        with pytest.raises(BadRequest) as refused:
            await api.call("sendRichMessageDraft", parameters)
        assert error in refused.value.description


def test_ids_of_drafts() -> None:
    ids = {draft_id(f"nonce{number}") for number in range(1000)}
    assert len(ids) == 1000
    assert all(0 < number < 2**31 for number in ids)
