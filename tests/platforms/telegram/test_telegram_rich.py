"""Rich messages where the server knows them, text where it does not, and never a text that is lost in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.errors import FloodWait, Rejected, TooLong
from gptbot.platforms.telegram.sender import TelegramSender
from tests.fakes.telegram import FakeTelegram
from tests.platforms.telegram.harness import ADA, GROUP, sending
from tests.platforms.telegram.test_telegram_sender import STREAM, group, private, say


@pytest_asyncio.fixture
async def sender(fake: FakeTelegram, store: Store, keys: BotKeys) -> AsyncIterator[TelegramSender]:
    """A sender at a server of Bot API 10.1, without rate limits."""
    await fake.set_rate_limits(False)
    await fake.set_bot_api(10, 1)
    async with sending(fake, store, keys) as made:
        yield made


def refusal(words: str) -> dict[str, Any]:
    return {"status": 400, "body": {"ok": False, "error_code": 400, "description": f"Bad Request: {words}"}}


async def test_markdown_goes_as_it_is(fake: FakeTelegram, sender: TelegramSender) -> None:
    text = "# Kettles\n\n| a | b |\n|---|---|\n| 1 | `x` |\n\n- **hot**"
    asked = await fake.say(GROUP, ADA, "question")
    await say(sender, text, group(asked.id))
    [message] = await fake.messages(GROUP, from_bot=True)
    assert (message.text, message.versions[-1].rich, message.reply_to) == (text, True, asked.id)
    assert sender.max_length == 32768


async def test_stream_of_a_rich_message(fake: FakeTelegram, sender: TelegramSender) -> None:
    message_id = await sender.send(private(), STREAM[:1], nonce="n", first=True, final=False)
    for end in range(2, len(STREAM) + 1):
        await sender.edit(private(), message_id, STREAM[:end], final=end == len(STREAM))
    [message] = await fake.messages(ADA, from_bot=True)
    assert message.versions[-1].rich
    assert "List\\<int>" not in message.text.partition("1.")[0]  # code is left alone
    assert r"1. List\<int> & \<b>more\</b>" in message.text


async def test_a_server_that_is_older_is_asked_once_a_day(
    fake: FakeTelegram, sender: TelegramSender, store: Store, keys: BotKeys
) -> None:
    await fake.set_bot_api(10, 0)
    await say(sender, "**one**")
    await say(sender, "**two**")
    async with sending(fake, store, keys) as other_worker:
        await say(other_worker, "**three**")
        assert other_worker.max_length == 4096
    assert [m.text for m in await fake.messages(ADA, from_bot=True)] == ["one", "two", "three"]
    assert len(await fake.calls("sendRichMessage")) == 1


async def test_another_server_is_asked_anew(
    fake: FakeTelegram, sender: TelegramSender, store: Store, keys: BotKeys
) -> None:
    await fake.set_bot_api(10, 0)
    await say(sender, "one")
    async with FakeTelegram(rate_limits=False) as newer:
        await newer.add_user(ADA)
        await newer.set_bot_api(10, 1)
        async with sending(newer, store, keys) as moved:
            await say(moved, "two")
        [message] = await newer.messages(ADA, from_bot=True)
        assert message.versions[-1].rich


async def test_a_server_that_got_older_between_two_edits(fake: FakeTelegram, sender: TelegramSender) -> None:
    """It passes over `rich_message`, and finds no text then."""
    message_id = await say(sender, "**one**")
    await fake.set_bot_api(10, 0)
    await sender.edit(private(), message_id, "**two**", final=False)
    await sender.edit(private(), message_id, "**three**", final=True)
    [message] = await fake.messages(ADA, from_bot=True)
    assert (message.text, message.versions[-1].rich) == ("three", False)
    assert sender.max_length == 4096
    assert [bool(call.error) for call in await fake.calls("editMessageText")] == [True, False, False]


async def test_refused_content_goes_as_text_and_the_final_text_is_tried_again(
    fake: FakeTelegram, sender: TelegramSender
) -> None:
    await fake.inject("sendRichMessage", "answer", **refusal("RICH_MESSAGE_EMAIL_INVALID"))
    message_id = await sender.send(private(), "a **b**", nonce="n", first=True, final=False)
    await sender.edit(private(), message_id, "a **b** c", final=False)
    await sender.edit(private(), message_id, "a **b** c d", final=True)
    [message] = await fake.messages(ADA, from_bot=True)
    assert [(v.text, v.rich) for v in message.versions] == [("a b", False), ("a b c", False), ("a **b** c d", True)]
    assert sender.max_length == 32768


@pytest.mark.parametrize("text", ["- x\n" * 1500, "word " * 2000])
async def test_a_long_text_that_is_refused_is_to_be_split(
    fake: FakeTelegram, sender: TelegramSender, text: str
) -> None:
    if not text.startswith("-"):
        await fake.inject("sendRichMessage", "answer", **refusal("RICH_MESSAGE_INVALID"))
    with pytest.raises(TooLong) as caught:
        await say(sender, text)
    assert caught.value.max_length == 4096
    assert await fake.messages(ADA, from_bot=True) == []


async def test_what_is_not_about_the_text_is_not_tried_again(fake: FakeTelegram, sender: TelegramSender) -> None:
    with pytest.raises(Rejected, match="chat not found"):
        await say(sender, address=private() | {"chat_id": 424242})
    await fake.inject("sendRichMessage", "answer", status=429)
    with pytest.raises(FloodWait):
        await say(sender)
    assert await fake.calls("sendMessage") == []


async def test_longest_rich_message(fake: FakeTelegram, sender: TelegramSender) -> None:
    text = "слово " * 5461
    await say(sender, text)
    [message] = await fake.messages(ADA, from_bot=True)
    assert message.text == text.strip()


async def test_a_rich_message_follows_its_group(fake: FakeTelegram, sender: TelegramSender) -> None:
    await fake.add_group(-55, "Old", supergroup=False)
    asked = await fake.say(-55, ADA, "question")
    await fake.migrate(-55, GROUP - 2)
    await say(sender, "after", group(asked.id, -55))
    [message] = await fake.messages(GROUP - 2, from_bot=True)
    assert message.versions[-1].rich


@pytest.mark.parametrize(
    ("rich", "error"),
    [
        ({"markdown": " "}, "CONTENT_REQUIRED"),
        ({"markdown": "a", "html": "a"}, "CONTENT_REQUIRED"),
        ({"markdown": "x" * 32769}, "TOO_LONG"),
        ({"markdown": "List<int>"}, "Unsupported start tag"),
        ({"markdown": "- a\n" * 501}, "BLOCKS_TOO_MUCH"),
        (None, "object expected"),
    ],
)
async def test_the_fake_is_strict(fake: FakeTelegram, sender: TelegramSender, rich: Any, error: str) -> None:
    from gptbot.platforms.telegram.api import BadRequest

    with pytest.raises(BadRequest, match=error):
        await sender._api.call("sendRichMessage", {"chat_id": ADA, "rich_message": rich})
