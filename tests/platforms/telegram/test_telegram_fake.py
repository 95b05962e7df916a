"""The fake is as strict as the Bot API, seen through plain HTTP."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from tests.fakes.telegram import FakeTelegram, RemoteTelegram
from tests.fakes.telegram.rates import RateModel
from tests.platforms.telegram.harness import ADA, BOB, GROUP

Answer = dict[str, Any]


class Caller:
    """Calls methods as any client might."""

    def __init__(self, fake: FakeTelegram, http: aiohttp.ClientSession) -> None:
        self._fake, self._http = fake, http

    async def __call__(self, method: str, token: str | None = None, **parameters: Any) -> Answer:
        url = f"{self._fake.url}/bot{token or self._fake.token}/{method}"
        async with self._http.post(url, json=parameters) as response:
            answer: Answer = await response.json()
            assert response.status == answer.get("error_code", 200)
            return answer

    async def refused(self, method: str, **parameters: Any) -> str:
        answer = await self(method, **parameters)
        assert answer["ok"] is False
        return answer["description"]


@pytest_asyncio.fixture
async def call(fake: FakeTelegram) -> AsyncIterator[Caller]:
    """A client; nothing is limited."""
    await fake.set_rate_limits(False)
    async with aiohttp.ClientSession() as http:
        yield Caller(fake, http)


async def test_tokens_and_methods(call: Caller) -> None:
    assert (await call("getMe"))["result"]["username"] == "gptbot_test_bot"
    assert (await call("GETME"))["ok"]
    assert await call("getMe", token="1:unknown") == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    assert await call("getMe", token="malformed") == {"ok": False, "error_code": 404, "description": "Not Found"}
    for method in ("sendRichMessage", "sendRichMessageDraft", "nonsense"):
        assert await call.refused(method) == "Not Found: method not found"


async def test_forms_queries_and_json(fake: FakeTelegram, call: Caller) -> None:
    url = f"{fake.url}/bot{fake.token}/sendMessage"
    async with aiohttp.ClientSession() as http:
        async with http.get(url, params={"chat_id": ADA, "text": "by query"}) as response:
            assert response.status == 200
        entities = '[{"type": "bold", "offset": 0, "length": 2}]'
        async with http.post(url, data={"chat_id": ADA, "text": "by form", "entities": entities}) as response:
            assert response.status == 200
        with aiohttp.MultipartWriter("form-data") as multipart:
            for name, value in (("chat_id", str(ADA)), ("text", "by multipart")):
                multipart.append(value).set_content_disposition("form-data", name=name)
        async with http.post(url, data=multipart) as response:
            assert response.status == 200
        async with http.post(url, data="[1]", headers={"Content-Type": "application/json"}) as response:
            assert response.status == 400
    messages = await fake.messages(ADA)
    assert [m.text for m in messages] == ["by query", "by form", "by multipart"]
    assert messages[1].entities == [{"type": "bold", "offset": 0, "length": 2}]


async def test_texts(call: Caller) -> None:
    send: Answer = {"method": "sendMessage", "chat_id": ADA}
    assert await call.refused(**send, text="") == "Bad Request: message text is empty"
    assert await call.refused(**send, text=" \n ") == "Bad Request: text must be non-empty"
    assert await call.refused(**send, text="😀" * 2048 + "x") == "Bad Request: message is too long"
    assert await call.refused(**send, text="x" * 33000) == "Bad Request: text is too long"
    assert (await call(**send, text="😀" * 2048))["ok"]
    assert (await call(**send, text="  trimmed \n"))["result"]["text"] == "trimmed"


@pytest.mark.parametrize(
    ("entity", "complaint"),
    [
        ({"type": "bold", "offset": 1, "length": 2}, "begins in a middle of a UTF-16 symbol"),
        ({"type": "bold", "offset": 0, "length": 1}, "ends in a middle of a UTF-16 symbol"),
        ({"type": "bold", "offset": 3, "length": 9}, "ends after the end of the text at UTF-16 offset 12"),
        ({"type": "bold", "offset": 99, "length": 1}, "begins after the end of the text at UTF-16 offset 99"),
        ({"type": "bold", "offset": -1, "length": 1}, "incorrect offset -1"),
        ({"type": "bold", "offset": 0, "length": -1}, "incorrect length -1"),
        ({"type": "bold", "length": 1}, "can't parse MessageEntity"),
        ({"type": "text_link", "offset": 0, "length": 2}, "can't parse MessageEntity"),
        ("bold", "can't parse MessageEntity"),
    ],
)
async def test_entities(call: Caller, entity: object, complaint: str) -> None:
    assert complaint in await call.refused("sendMessage", chat_id=ADA, text="😀 word", entities=[entity])


async def test_entities_move_with_trimming(call: Caller) -> None:
    entities = [{"type": "italic", "offset": 4, "length": 6}, {"type": "mention", "offset": 0, "length": 1}]
    answer = await call("sendMessage", chat_id=ADA, text="  a word  ", entities=entities)
    assert answer["result"]["text"] == "a word"
    assert answer["result"]["entities"] == [{"type": "italic", "offset": 2, "length": 4}]


@pytest.mark.parametrize(
    ("mode", "text", "plain", "kinds"),
    [
        ("HTML", "<b>bold <i>both</i></b> &lt;&amp;&#33;", "bold both <&!", ["bold", "italic"]),
        ("HTML", '<a href="http://a.b/?x=1&amp;y=2">link</a>', "link", ["text_link"]),
        ("html", "<pre><code>x</code></pre><tg-spoiler>s</tg-spoiler>", "xs", ["pre", "code", "spoiler"]),
        ("MarkdownV2", r"*bold _both_* \. `co*de`", "bold both . co*de", ["bold", "italic", "code"]),
        ("MarkdownV2", "||spoiler|| ~gone~ __under__", "spoiler gone under", ["spoiler", "strikethrough", "underline"]),
        ("MarkdownV2", "```py\nx = 1```", "x = 1", ["pre"]),
        ("MarkdownV2", r"[link](http://a\.b/\))", "link", ["text_link"]),
        ("MarkdownV2", ">quoted\n>more\nplain", "quoted\nmore\nplain", ["blockquote"]),
    ],
)
async def test_parse_modes(call: Caller, mode: str, text: str, plain: str, kinds: list[str]) -> None:
    result = (await call("sendMessage", chat_id=ADA, text=text, parse_mode=mode))["result"]
    assert result["text"] == plain
    assert sorted(entity["type"] for entity in result["entities"]) == sorted(kinds)


@pytest.mark.parametrize(
    ("mode", "text", "complaint"),
    [
        ("HTML", "<div>x</div>", 'Unsupported start tag "div" at byte offset 0'),
        ("HTML", "é<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("HTML", "<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("HTML", "x</b>", "Unexpected end tag at byte offset 1"),
        ("HTML", "1 < 2", "Unclosed start tag at byte offset 2"),
        ("MarkdownV2", "Hello.", r"Character '.' is reserved and must be escaped with the preceding '\'"),
        ("MarkdownV2", "é *bold", "Can't find end of Bold entity at byte offset 3"),
        ("MarkdownV2", "a ] b", "Character ']' is reserved"),
        ("MarkdownV2", "[link](http://a", "Can't find end of a URL at byte offset 7"),
        ("MarkdownV2", "`code", "Can't find end of Code entity"),
        ("MarkdownV2", "> not first\nx > y", "is reserved"),
    ],
)
async def test_parse_modes_refuse(call: Caller, mode: str, text: str, complaint: str) -> None:
    description = await call.refused("sendMessage", chat_id=ADA, text=text, parse_mode=mode)
    assert description.startswith("Bad Request: can't parse entities: ")
    assert complaint in description


async def test_unknown_parse_mode(call: Caller) -> None:
    text = "Bad Request: unsupported parse_mode"
    assert await call.refused("sendMessage", chat_id=ADA, text="x", parse_mode="BBCode") == text


async def test_chats(fake: FakeTelegram, call: Caller) -> None:
    await fake.add_user(3003, "Eve", started=False)
    await fake.add_group(-77, supergroup=False)
    await fake.migrate(-77, -1007)

    async def refused(chat: object, **more: Any) -> str:
        return await call.refused("sendMessage", chat_id=chat, text="x", **more)

    assert await refused(424242) == "Bad Request: chat not found"
    assert await refused(None) == "Bad Request: chat_id is empty"
    assert await refused(3003) == "Forbidden: bot can't initiate conversation with a user"
    answer = await call("sendMessage", chat_id=-77, text="x")
    assert answer["description"] == "Bad Request: group chat was upgraded to a supergroup chat"
    assert answer["parameters"] == {"migrate_to_chat_id": -1007}
    await fake.set_chat(ADA, blocked=True)
    assert await refused(ADA) == "Forbidden: bot was blocked by the user"
    await fake.set_chat(ADA, blocked=False)
    assert (await call("sendMessage", chat_id=ADA, text="x"))["ok"]
    reply = {"message_id": 999}
    assert await refused(ADA, reply_parameters=reply) == "Bad Request: message to be replied not found"
    assert (
        await call("sendMessage", chat_id=ADA, text="x", reply_parameters=reply | {"allow_sending_without_reply": True})
    )["ok"]
    await fake.add_group(-1008, forum=True)
    topic = await fake.add_topic(-1008)
    await fake.set_chat(-1008, closed_topic=topic)
    assert await refused(-1008, message_thread_id=topic) == "Bad Request: TOPIC_CLOSED"
    assert await refused(-1008, message_thread_id=topic + 9) == "Bad Request: message thread not found"
    assert (
        await call.refused("sendChatAction", chat_id=BOB, action="dance")
        == "Bad Request: wrong parameter action in request"
    )


async def test_edits_and_deletions(fake: FakeTelegram, call: Caller) -> None:
    sent = (await call("sendMessage", chat_id=ADA, text="one"))["result"]["message_id"]
    edit: Answer = {"method": "editMessageText", "chat_id": ADA, "message_id": sent}
    assert (await call(**edit, text="two"))["result"]["edit_date"]
    assert "message is not modified" in await call.refused(**edit, text="two")
    assert "message is not modified" in await call.refused(**edit, text="two  ")
    assert (await call(**edit, text="two", entities=[{"type": "bold", "offset": 0, "length": 3}]))["ok"]
    assert await call.refused(**edit, text="x" * 4097) == "Bad Request: MESSAGE_TOO_LONG"
    theirs = await fake.say(ADA, ADA, "mine")
    assert (
        await call.refused("editMessageText", chat_id=ADA, message_id=theirs.id, text="x")
        == "Bad Request: message can't be edited"
    )
    [message] = await fake.messages(ADA, from_bot=True)
    assert [version.text for version in message.versions] == ["one", "two", "two"]
    assert message.versions[0].at <= message.versions[1].at <= time.time()
    assert (await call("deleteMessage", chat_id=ADA, message_id=sent))["ok"]
    assert message.deleted_at is not None
    assert await call.refused(**edit, text="three") == "Bad Request: message to edit not found"
    assert (
        await call.refused("deleteMessage", chat_id=ADA, message_id=sent) == "Bad Request: message to delete not found"
    )


async def test_updates_are_kept_until_confirmed(fake: FakeTelegram, call: Caller) -> None:
    for number in range(5):
        await fake.say(ADA, ADA, str(number))
    first = (await call("getUpdates", limit=2))["result"]
    assert [u["message"]["text"] for u in first] == ["0", "1"]
    assert (await call("getUpdates", limit=2))["result"] == first
    rest = (await call("getUpdates", offset=first[-1]["update_id"] + 1))["result"]
    assert [u["message"]["text"] for u in rest] == ["2", "3", "4"]
    assert await fake.pending() == 3
    assert [u["message"]["text"] for u in (await call("getUpdates", offset=-1))["result"]] == ["4"]
    assert await fake.pending() == 1
    assert (await call("getUpdates", offset=rest[-1]["update_id"] + 1))["result"] == []


async def test_an_update_is_delivered_again_after_it_was_confirmed(fake: FakeTelegram, call: Caller) -> None:
    await fake.say(ADA, ADA, "one")
    [first] = (await call("getUpdates"))["result"]
    await fake.redeliver(first["update_id"])
    assert (await call("getUpdates"))["result"] == [first]
    await fake.say(ADA, ADA, "two")
    found = (await call("getUpdates", offset=first["update_id"] + 1))["result"]
    assert (found[0], found[1]["message"]["text"]) == (first, "two")
    assert len((await call("getUpdates"))["result"]) == 1, "once"
    with pytest.raises(LookupError):
        await fake.redeliver(first["update_id"])


async def test_long_poll_ends_with_an_update(fake: FakeTelegram, call: Caller) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=30))
    await fake.wait_for(lambda: bool(fake.history))
    began = time.monotonic()
    await fake.say(ADA, ADA, "hello")
    assert [u["message"]["text"] for u in (await poll)["result"]] == ["hello"]
    assert time.monotonic() - began < 5


async def test_two_pollers_conflict(fake: FakeTelegram, call: Caller) -> None:
    first = asyncio.create_task(call("getUpdates", timeout=30))
    await fake.wait_for(lambda: bool(fake.history))
    second = asyncio.create_task(call("getUpdates", timeout=30))
    assert (await first)["description"].startswith("Conflict: terminated by other getUpdates request")
    await fake.say(ADA, ADA, "hello")
    assert len((await second)["result"]) == 1


async def test_webhook_and_polling_exclude_each_other(fake: FakeTelegram, call: Caller) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=30))
    await fake.wait_for(lambda: bool(fake.history))
    assert (await call("setWebhook", url="http://127.0.0.1:9/x", secret_token="s"))["ok"]
    assert (await poll)["description"] == "Conflict: terminated by setWebhook request"
    assert "while webhook is active" in await call.refused("getUpdates")
    assert await call.refused("setWebhook", url="http://a/", secret_token="a b") == (
        "Bad Request: secret token contains unallowed characters"
    )
    assert await call.refused("setWebhook", url="nonsense") == "Bad Request: invalid webhook URL specified"
    assert (await call("deleteWebhook"))["ok"]
    assert (await call("getWebhookInfo"))["result"]["url"] == ""


async def test_allowed_updates(fake: FakeTelegram, call: Caller) -> None:
    await call("getUpdates", allowed_updates=["callback_query"])
    await fake.say(ADA, ADA, "not asked for")
    row = [{"text": "Yes", "callback_data": "yes"}]
    markup = {"inline_keyboard": [row]}
    sent = (await call("sendMessage", chat_id=ADA, text="press", reply_markup=markup))["result"]["message_id"]
    query = await fake.press(ADA, ADA, sent, "yes")
    [update] = (await call("getUpdates"))["result"]
    assert update["callback_query"]["data"] == "yes"
    assert (await call("answerCallbackQuery", callback_query_id=query))["ok"]
    assert "query is too old" in await call.refused("answerCallbackQuery", callback_query_id=query)


async def test_privacy_mode(fake: FakeTelegram, call: Caller) -> None:
    ours = fake.world.store(fake.world.chat(GROUP), fake.world.me, "hi", [])
    for text in ("talk", "@gptbot_test_bot hi", "/help", "/help@gptbot_test_bot", "/help@another_bot", "@bob_the_user"):
        await fake.say(GROUP, ADA, text)
    await fake.say(GROUP, ADA, "reply", reply_to=ours.id)
    seen = [update["message"]["text"] for update in (await call("getUpdates"))["result"]]
    assert seen == ["@gptbot_test_bot hi", "/help", "/help@gptbot_test_bot", "reply"]


async def test_commands(fake: FakeTelegram, call: Caller) -> None:
    menu = [{"command": "help", "description": "Help"}]
    assert (await call("setMyCommands", commands=menu, language_code="ru"))["ok"]
    assert (await call("getMyCommands", language_code="ru"))["result"] == menu
    assert (await call("getMyCommands"))["result"] == []
    for wrong in ({"command": "Help", "description": "x"}, {"command": "help", "description": ""}):
        assert "BOT_COMMAND" in await call.refused("setMyCommands", commands=[wrong])
    assert "language" in await call.refused("setMyCommands", commands=menu, language_code="russian")
    assert "scope" in (await call.refused("setMyCommands", commands=menu, scope={"type": "world"})).lower()
    assert (await call("deleteMyCommands", language_code="ru"))["ok"]
    assert await fake.commands("default", "ru") == []


def test_rates() -> None:
    now = [1000.0]
    rates = RateModel(clock=lambda: now[0])
    assert [rates.take(1, group=False) for _ in range(4)] == [0, 0, 0, 1]
    now[0] += 1.0
    assert [rates.take(1, group=False) for _ in range(2)] == [0, 1]
    assert rates.take(2, group=False) == 0, "another chat has its own limit"
    now[0] += 100
    taken = 0
    while rates.take(-5, group=True) == 0:
        taken += 1
        now[0] += 1.0
    assert taken == 20
    assert rates.take(-5, group=True) == 40
    now[0] += 100
    total = sum(rates.take(chat, group=False) == 0 for chat in range(100, 200))
    assert total == 30
    assert rates.take(500, group=False) == 1


async def test_429_in_the_server_s_words(fake: FakeTelegram, call: Caller) -> None:
    await fake.set_rate_limits(True)
    sent = (await call("sendMessage", chat_id=ADA, text="0"))["result"]["message_id"]
    for number in range(2):
        await call("editMessageText", chat_id=ADA, message_id=sent, text=f"edit {number}")
    answer = await call("editMessageText", chat_id=ADA, message_id=sent, text="too fast")
    assert answer["description"] == "Too Many Requests: retry after 1"
    assert answer["parameters"] == {"retry_after": 1}


async def test_faults(fake: FakeTelegram, call: Caller) -> None:
    await fake.inject("sendMessage", "close_before", chat_id=BOB)
    assert (await call("sendMessage", chat_id=ADA, text="other chat"))["ok"]
    with pytest.raises(aiohttp.ClientError):
        await call("sendMessage", chat_id=BOB, text="cut before")
    await fake.inject("*", "close_after", count=2)
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await call("sendMessage", chat_id=BOB, text="cut after")
    await fake.inject("sendMessage", "stall_before", seconds=0.3)
    began = time.monotonic()
    assert (await call("sendMessage", chat_id=BOB, text="late"))["ok"]
    assert time.monotonic() - began >= 0.3
    await fake.inject("sendMessage", "answer", count=100)
    await fake.clear_faults()
    assert (await call("sendMessage", chat_id=BOB, text="fine"))["ok"]
    assert [m.text for m in await fake.messages(BOB)] == ["cut after", "cut after", "late", "fine"]
    calls = await fake.calls("sendMessage")
    assert [c.fault for c in calls] == ["", "close_before", "close_after", "close_after", "stall_before", ""]
    assert [c.processed for c in calls] == [True, False, True, True, True, True]


async def test_control_over_http(fake: FakeTelegram, call: Caller) -> None:
    async with RemoteTelegram(fake.url) as remote:
        await remote.add_user(5005, "Zoe", language_code="de")
        await remote.add_group(-1009, "Remote")
        said = await remote.say(5005, 5005, "hello")
        assert said.text == "hello"
        waiting = asyncio.create_task(remote.wait_for_messages(5005, contains="answer", timeout=10))
        await fake.wait_for(lambda: any("wait_for" in str(t.get_coro()) for t in asyncio.all_tasks()))
        await call("sendMessage", chat_id=5005, text="the answer")
        [answer] = await waiting
        assert answer == (await fake.messages(5005, from_bot=True))[0]
        assert answer == (await remote.messages(5005, from_bot=True))[0]
        assert (await remote.calls("sendMessage"))[0].processed
        assert (await remote.sent())["sendMessage"] == 1
        await remote.inject("sendMessage", "answer", status=500)
        assert await call.refused("sendMessage", chat_id=5005, text="x") == "Internal Server Error"
        await remote.call("set_privacy_mode", on=False)
        assert not fake.world.privacy_mode
        with pytest.raises(TimeoutError, match="in vain"):
            await remote.wait_for_calls("deleteMessage", timeout=0.1)
        with pytest.raises(LookupError):
            await remote.messages(123456)
        with pytest.raises(LookupError):
            await remote.call("start")
        with pytest.raises(ValueError, match="negative"):
            await remote.add_group(5)


async def test_runs_by_itself() -> None:
    """As in a pod of its own: started as a program, driven over HTTP, ended by SIGTERM."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.telegram", "--port", "0", "--token", "77:abc", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert program.stdout is not None
        async with asyncio.timeout(60):
            url = (await program.stdout.readline()).decode().split()[-1]
        async with RemoteTelegram(url) as remote, aiohttp.ClientSession() as http:
            await remote.add_user(1)
            async with http.post(f"{url}/bot77:abc/sendMessage", json={"chat_id": 1, "text": "hi"}) as response:
                assert response.status == 200
            assert [message.text for message in await remote.messages(1)] == ["hi"]
    finally:
        program.terminate()
        async with asyncio.timeout(20):
            assert await program.wait() == 0


async def test_aiogram_understands_every_answer(fake: FakeTelegram) -> None:
    server = TelegramAPIServer.from_base(fake.url)
    bot = Bot(fake.token, session=AiohttpSession(api=server))
    try:
        assert (await bot.get_me()).id == fake.world.me.id
        await fake.add_group(GROUP - 5, forum=True)
        topic = await fake.add_topic(GROUP - 5)
        asked = await fake.say(GROUP - 5, ADA, "question", topic=topic)
        message = await bot.send_message(
            GROUP - 5, "<b>hi</b>", parse_mode="HTML", message_thread_id=topic, reply_to_message_id=None
        )
        assert message.is_topic_message
        edited = await bot.edit_message_text("new", chat_id=GROUP - 5, message_id=message.message_id)
        assert not isinstance(edited, bool)
        assert edited.text == "new"
        [update] = await bot.get_updates() or [None]
        assert update is None or update.message is not None
        assert asked.topic == topic
        assert (await bot.get_webhook_info()).pending_update_count == len(fake.world.updates)
    finally:
        await bot.session.close()


async def test_many_messages_stay_cheap(fake: FakeTelegram) -> None:
    """Eight times as many messages take about eight times as long; sixty-four would be one look at all for each.

    A busy machine can only make a figure larger, so one good measurement of five is enough.
    """

    async def spent(count: int) -> float:
        began = time.process_time()
        for number in range(count):
            await fake.say(ADA, ADA, f"message {number}")
        offset = 0
        while updates := await fake.world.updates.get(offset, 100, 0):
            offset = updates[-1]["update_id"] + 1
        return time.process_time() - began

    growth: list[float] = []
    while len(growth) < 5 and min(growth, default=64) >= 30:
        small = await spent(3000)
        growth.append(await spent(24000) / small)
    assert min(growth) < 30
