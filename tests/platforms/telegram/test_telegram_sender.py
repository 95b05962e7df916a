"""Answers over plain REST: what is sent, and what each failure means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.errors import (
    FloodWait,
    MessageGone,
    NotSent,
    OutcomeUnknown,
    PlatformError,
    Rejected,
    SendError,
    TooLong,
)
from gptbot.platforms.telegram import api as api_module
from gptbot.platforms.telegram.api import BotApi, UnknownMethod
from gptbot.platforms.telegram.limits import utf16_length
from gptbot.platforms.telegram.sender import TelegramSender
from tests.fakes.telegram import FakeTelegram
from tests.platforms.telegram.harness import ADA, BOB, GROUP, sending

STREAM = """# Kettles

A **kettle** boils *water*, see [the manual](https://example.org/a_(b)) and `boil()`:

```python
def boil(water: List[str]) -> None:
    print("**hot**")
```

> careful || hot

| a | b |
|---|---|
| 1 | `x` |

1. List<int> & <b>more</b>
2. ~~cold~~ 😀 _end_
"""


def private(message_id: int = 1) -> dict[str, Any]:
    return {"chat_id": ADA, "thread_id": None, "message_id": message_id, "chat_type": "private"}


def group(message_id: int, chat: int = GROUP, thread: int | None = None) -> dict[str, Any]:
    return {"chat_id": chat, "thread_id": thread, "message_id": message_id, "chat_type": "supergroup"}


@pytest_asyncio.fixture
async def sender(fake: FakeTelegram, store: Store, keys: BotKeys) -> AsyncIterator[TelegramSender]:
    """A sender, without rate limits."""
    await fake.set_rate_limits(False)
    async with sending(fake, store, keys) as made:
        yield made


async def say(sender: TelegramSender, text: str = "hello", address: dict[str, Any] | None = None) -> str:
    return await sender.send(address or private(), text, nonce="n", first=True, final=True)


async def test_markdown_becomes_entities(fake: FakeTelegram, sender: TelegramSender) -> None:
    message_id = await say(sender, "**bold** 😀 and `code`, https://example.org")
    [message] = await fake.messages(ADA, from_bot=True)
    assert str(message.id) == message_id
    assert message.text == "bold 😀 and code, https://example.org"
    assert [(e["type"], e["offset"], e["length"]) for e in message.entities] == [("bold", 0, 4), ("code", 12, 4)]
    assert not message.link_preview


async def test_reply_in_groups_only_and_only_first(fake: FakeTelegram, sender: TelegramSender) -> None:
    asked = await fake.say(GROUP, ADA, "question")
    await sender.send(group(asked.id), "first", nonce="1", first=True, final=True)
    await sender.send(group(asked.id), "second", nonce="2", first=False, final=True)
    asked_privately = await fake.say(ADA, ADA, "question")
    await sender.send(private(asked_privately.id), "third", nonce="3", first=True, final=True)
    answers = await fake.messages(GROUP, from_bot=True) + await fake.messages(ADA, from_bot=True)
    assert [(m.text, m.reply_to) for m in answers] == [("first", asked.id), ("second", None), ("third", None)]


async def test_question_deleted_meanwhile(fake: FakeTelegram, sender: TelegramSender) -> None:
    asked = await fake.say(GROUP, ADA, "question")
    await fake.delete(GROUP, asked.id)
    await say(sender, "answer", group(asked.id))
    [answer] = await fake.messages(GROUP, from_bot=True)
    assert answer.reply_to is None


async def test_topic(fake: FakeTelegram, sender: TelegramSender) -> None:
    await fake.add_group(GROUP - 1, forum=True)
    topic = await fake.add_topic(GROUP - 1)
    asked = await fake.say(GROUP - 1, ADA, "question", topic=topic)
    address = group(asked.id, GROUP - 1, topic)
    await sender.typing(address)
    message_id = await say(sender, "answer", address)
    answer = fake.world.chat(GROUP - 1).messages[int(message_id)]
    assert answer.topic == topic
    assert (await fake.calls("sendChatAction"))[0].parameters == {
        "chat_id": GROUP - 1, "message_thread_id": topic, "action": "typing",
    }  # fmt: skip


async def test_stream_never_breaks_on_unfinished_markdown(fake: FakeTelegram, sender: TelegramSender) -> None:
    message_id = await sender.send(private(), STREAM[:1], nonce="n", first=True, final=False)
    for end in range(2, len(STREAM) + 1):
        await sender.edit(private(), message_id, STREAM[:end], final=end == len(STREAM))
    [message] = await fake.messages(ADA, from_bot=True)
    assert [call for call in await fake.calls() if "entit" in call.error] == []
    for kept in ("Kettles", "List[str]", "**hot**", "careful || hot", "List<int> & <b>more</b>", "cold", "😀 end"):
        assert kept in message.text
    kinds = {entity["type"] for entity in message.entities}
    assert {"bold", "italic", "text_link", "code", "pre", "blockquote", "strikethrough"} <= kinds
    assert message.edits > 50


async def test_plain_text_when_entities_are_refused(fake: FakeTelegram, sender: TelegramSender) -> None:
    refusal = {"ok": False, "error_code": 400, "description": "Bad Request: can't parse entities: whatever"}
    await fake.inject("sendMessage", "answer", status=400, body=refusal)
    message_id = await say(sender, "**bold** [link](https://example.org)")
    [message] = await fake.messages(ADA, from_bot=True)
    assert message.text == "**bold** [link](https://example.org)"
    assert message.entities == []
    await fake.inject(
        "editMessageText", "answer", status=400, body=refusal | {"description": "Bad Request: ENTITY_BOUNDS_INVALID"}
    )
    await sender.edit(private(), message_id, "*changed*", final=True)
    assert message.text == "*changed*"


async def test_longest_message(fake: FakeTelegram, sender: TelegramSender) -> None:
    text = "😀" * 2048
    await say(sender, text)
    assert sender.length(text) == sender.max_length == 4096
    with pytest.raises(TooLong, match="4096"):
        await say(sender, text + "x")
    grows = "- x\n" * 800 + "![i](http://a.b)" * 50
    assert sender.length(grows) <= sender.max_length
    await say(sender, grows)
    assert len(await fake.messages(ADA, from_bot=True)) == 2


async def test_text_that_utf8_cannot_carry(fake: FakeTelegram, sender: TelegramSender) -> None:
    assert sender.length("a\ud83d") == 2
    await say(sender, "cut \ud83d here")
    [message] = await fake.messages(ADA, from_bot=True)
    assert message.text == "cut ? here"


async def test_edit(fake: FakeTelegram, sender: TelegramSender) -> None:
    message_id = await say(sender, "one")
    await sender.edit(private(), message_id, "two", final=False)
    await sender.edit(private(), message_id, "two", final=True)  # the same again is no error
    [message] = await fake.messages(ADA, from_bot=True)
    assert [version.text for version in message.versions] == ["one", "two"]


async def test_edit_of_what_is_gone(fake: FakeTelegram, sender: TelegramSender) -> None:
    message_id = await say(sender, "one")
    await fake.delete(ADA, int(message_id))
    with pytest.raises(MessageGone):
        await sender.edit(private(), message_id, "two", final=True)
    theirs = await fake.say(ADA, ADA, "mine")
    with pytest.raises(MessageGone):
        await sender.edit(private(), str(theirs.id), "two", final=True)


async def test_refused_for_good(fake: FakeTelegram, sender: TelegramSender) -> None:
    with pytest.raises(Rejected, match="chat not found"):
        await say(sender, address=private() | {"chat_id": 424242})
    await fake.set_chat(ADA, blocked=True)
    with pytest.raises(Rejected, match="blocked by the user"):
        await say(sender)
    await fake.set_chat(GROUP, member=False)
    with pytest.raises(Rejected, match="kicked"):
        await say(sender, address=group(1))
    with pytest.raises(Rejected, match="message thread not found"):
        await say(sender, address=private() | {"chat_id": BOB, "thread_id": 99})
    with pytest.raises(Rejected, match="text is empty"):
        await say(sender, "", private() | {"chat_id": BOB})
    await sender.typing(private())  # does not matter


async def test_group_became_a_supergroup(fake: FakeTelegram, sender: TelegramSender) -> None:
    await fake.add_group(-55, "Old", supergroup=False)
    asked = await fake.say(-55, ADA, "question")
    address = group(asked.id, -55)
    message_id = await say(sender, "before", address)
    await fake.migrate(-55, GROUP - 2)
    with pytest.raises(MessageGone):
        await sender.edit(address, message_id, "edited", final=True)
    await say(sender, "after", address)
    assert [m.text for m in await fake.messages(GROUP - 2, from_bot=True)] == ["after"]


async def test_flood_wait_of_the_rate_model(fake: FakeTelegram, sender: TelegramSender) -> None:
    await fake.set_rate_limits(True)
    for _ in range(3):  # a short burst passes
        await say(sender)
    with pytest.raises(FloodWait) as caught:
        await say(sender)
    assert caught.value.retry_after == 1
    assert len(await fake.messages(ADA, from_bot=True)) == 3


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ({"body": {"ok": False, "error_code": 429, "description": "…", "parameters": {"retry_after": 37}}}, 37),
        ({"body": "<html>slow down</html>", "headers": {"Retry-After": "12"}}, 12),
        ({"body": "<html>slow down</html>", "headers": {"Retry-After": "soon"}}, 1),
        ({"body": "<html>slow down</html>"}, 1),
    ],
)
async def test_flood_wait(fake: FakeTelegram, sender: TelegramSender, answer: dict[str, Any], seconds: float) -> None:
    await fake.inject("sendMessage", "answer", status=429, **answer)
    with pytest.raises(FloodWait) as caught:
        await say(sender)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("fault", "kind", "arrived"),
    [
        ({"kind": "close_before"}, OutcomeUnknown, 0),
        ({"kind": "close_after"}, OutcomeUnknown, 1),
        ({"kind": "stall_after", "seconds": 5.0}, OutcomeUnknown, 1),
        ({"kind": "answer", "status": 500}, OutcomeUnknown, 0),
        ({"kind": "answer_after", "status": 502, "body": "<html>Bad Gateway</html>"}, OutcomeUnknown, 1),
        ({"kind": "answer_after", "status": 200, "body": "<html>Hello</html>"}, OutcomeUnknown, 1),
        ({"kind": "answer_after", "status": 200, "body": {"ok": True, "result": True}}, OutcomeUnknown, 1),
        ({"kind": "answer", "status": 503, "body": "<html>Service Unavailable</html>"}, NotSent, 0),
        ({"kind": "answer", "status": 401}, NotSent, 0),
        ({"kind": "answer", "status": 404}, NotSent, 0),
        ({"kind": "answer", "status": 302, "headers": {"Location": "https://elsewhere.invalid/"}}, NotSent, 0),
        ({"kind": "answer", "status": 413, "body": "<html>"}, NotSent, 0),
        ({"kind": "answer", "status": 403}, Rejected, 0),
    ],
)
async def test_what_failures_mean(
    fake: FakeTelegram,
    sender: TelegramSender,
    monkeypatch: pytest.MonkeyPatch,
    fault: dict[str, Any],
    kind: type[SendError],
    arrived: int,
) -> None:
    monkeypatch.setattr(BotApi.call, "__defaults__", (0.5,))
    await fake.inject("sendMessage", **fault)
    with pytest.raises(kind) as caught:
        await say(sender)
    assert len(await fake.messages(ADA, from_bot=True)) == arrived
    assert_no_token(caught.value, fake.token)


async def test_no_server(fake: FakeTelegram, sender: TelegramSender) -> None:
    await fake.stop()
    with pytest.raises(NotSent, match="cannot be reached") as caught:
        await say(sender)
    assert_no_token(caught.value, fake.token)
    await sender.typing(private())
    await fake.start()
    await say(sender)


async def test_server_that_does_not_take_the_connection(fake: FakeTelegram, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full backlog: the connection is not made in time, so nothing was sent."""
    import socket

    monkeypatch.setattr(api_module, "CONNECT_TIMEOUT", 0.2)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        try:
            async with aiohttp.ClientSession() as http:
                with pytest.raises(NotSent):
                    await BotApi(http, f"http://127.0.0.1:{port}", fake.token).call("getMe", {})
        finally:
            for filler in fillers:
                filler.close()


@pytest.mark.parametrize("url", ["http://", "http://[", "ftp://x"])
async def test_address_that_is_none(fake: FakeTelegram, url: str) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(NotSent, match="apiBaseUrl") as caught:
            await BotApi(http, url, fake.token).call("getMe", {})
    assert_no_token(caught.value, fake.token)


async def test_method_of_a_newer_bot_api(fake: FakeTelegram) -> None:
    async with aiohttp.ClientSession() as http:
        bot_api = BotApi(http, fake.url + "/", fake.token)
        with pytest.raises(UnknownMethod):
            await bot_api.call("sendRichMessage", {"chat_id": ADA})

        async def rich(_: object) -> dict[str, int]:
            return {"message_id": 5}

        fake.add_method("sendRichMessage", rich)
        assert await bot_api.call("sendRichMessage", {"chat_id": ADA}) == {"message_id": 5}


async def test_typing_waits_for_nobody(
    fake: FakeTelegram, sender: TelegramSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gptbot.platforms.telegram import sender as sender_module

    monkeypatch.setattr(sender_module, "TYPING_TIMEOUT", 0.2)
    await fake.inject("sendChatAction", "stall_before", seconds=30)
    async with asyncio.timeout(2):
        await sender.typing(private())


async def test_typing_that_is_refused_is_a_wait(fake: FakeTelegram, sender: TelegramSender) -> None:
    body = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 17}}
    await fake.inject("sendChatAction", "answer", status=429, body=body)
    with pytest.raises(FloodWait) as flood:
        await sender.typing(private())
    assert (flood.value.retry_after, flood.value.scope) == (17, "chat")


async def test_cancelled_send_is_cancelled(fake: FakeTelegram, sender: TelegramSender) -> None:
    await fake.inject("sendMessage", "stall_before", seconds=30)
    task = asyncio.create_task(say(sender))
    await fake.wait_for(lambda: bool(fake.history))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def assert_no_token(error: PlatformError, token: str) -> None:
    """Neither the error nor anything it hangs together with shows the token."""
    seen: BaseException | None = error
    while seen is not None:
        assert token not in str(seen)
        assert token not in repr(seen)
        seen = seen.__cause__ or seen.__context__
    assert error.__context__ is None


def test_utf16_length() -> None:
    for text in ("", "abc", "привет", "😀", "a😀b", "👩‍👩‍👧"):
        assert utf16_length(text) == len(text.encode("utf-16-le")) // 2


async def test_a_message_is_deleted_within_48_hours(fake: FakeTelegram, sender: TelegramSender) -> None:
    first, second = [
        await sender.send(private(), text, nonce="n", first=True, final=True) for text in ("one", "two")
    ]  # fmt: skip
    await sender.delete(private(), first)
    await sender.delete(private(), first)  # "message to delete not found"
    assert [m.text for m in await fake.messages(ADA, from_bot=True) if m.deleted_at is None] == ["two"]
    await fake.age(ADA, int(second), 48 * 3600 + 1)
    with pytest.raises(Rejected, match="can't be deleted for"):
        await sender.delete(private(), second)
    theirs = await fake.say(ADA, ADA, "mine")
    with pytest.raises(Rejected, match="can't be deleted"):
        await sender.delete(private(), str(theirs.id))


async def test_privacy_mode_withholds_what_is_not_said_to_the_bot(fake: FakeTelegram, sender: TelegramSender) -> None:
    assert await sender.withheld(group(1)) == "privacy"
    fake.world.chat(GROUP).administrators.add(fake.world.me.id)
    assert await sender.withheld(group(1)) is None, "not from an administrator"
    fake.world.chat(GROUP).administrators.clear()
    await fake.set_privacy_mode(False)
    assert await sender.withheld(group(1)) is None
