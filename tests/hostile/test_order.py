"""Who somebody is comes before any work on what they sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from gptbot.inbox import intake
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from gptbot.platforms.inbound import Address, Verdict
from gptbot.platforms.web import attached
from gptbot.safety.normalize import MOST_CHARACTERS
from gptbot_api import policy
from tests.platforms.web.conftest import Browser, browser
from tests.platforms.web.scene import bot, scene
from tests.platforms.web.test_web_files import form, kept, post
from tests.store.test_intake import Door

__all__ = ["browser"]

_LONG = "word " * (MOST_CHARACTERS // 5)


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of the texts that were made plain, and of those that were redacted."""
    lengths: list[int] = []

    def noting(work: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any) -> Any:
            lengths.append(len(arguments[-1]))
            return work(*arguments)

        return noted

    monkeypatch.setattr(intake, "normalize", noting(intake.normalize))
    monkeypatch.setattr(intake.Redactor, "redact", noting(intake.Redactor.redact))
    return lengths


@pytest.mark.parametrize(
    "limits", [{"perUser": {"messages": 1, "per": "1m"}}, {"perChat": {"messages": 1, "per": "1m"}}]
)
async def test_nothing_is_read_of_somebody_over_a_limit(
    store: Store, keys: BotKeys, worked: list[int], limits: dict[str, Any]
) -> None:
    door = Door(store, keys, limits=limits)
    assert await door.say("one")
    assert not await door.say("two")  # the store says so, and this process remembers it
    worked.clear()
    assert not await door.say(_LONG, quote=_LONG)
    assert max(worked, default=0) <= 64


async def test_nothing_is_read_of_somebody_who_is_muted(store: Store, keys: BotKeys, worked: list[int]) -> None:
    door = Door(store, keys, limits={"perUser": {"messages": 1, "per": "1m"}, "mute": {"after": 2}})
    for _ in range(4):
        await door.say("flood")
    worked.clear()
    assert not await door.say(_LONG, quote=_LONG)
    assert max(worked, default=0) <= 64
    worked.clear()
    assert await door.say("!forget me")
    assert max(worked) <= 64


@pytest.mark.parametrize("direct", [True, False])
async def test_nothing_is_read_of_somebody_the_bot_is_not_for(
    store: Store, keys: BotKeys, worked: list[int], direct: bool
) -> None:
    door = Door(store, keys, access={"deny": ["web:page:public"]})
    assert not await door.say(_LONG, quote=_LONG, direct=direct, addressed=True, principals=("page:public",))
    assert worked == []


async def test_edits_are_as_much_work_as_messages_and_no_more(store: Store, keys: BotKeys, worked: list[int]) -> None:
    door = Door(store, keys, limits={"perUser": {"messages": 3, "per": "1h"}})
    assert await door.say("one", event="e")
    asked: list[str] = []
    run = store.run

    def noting(script: Any, *arguments: Any) -> Any:
        asked.append(script.text)
        return run(script, *arguments)

    worked.clear()
    for number in range(20):
        await door.say(f"{number} {_LONG}"[:MOST_CHARACTERS], event="e", original_at=time.time())
        if number == 10:
            store.run = noting  # type: ignore[method-assign]
    store.run = run  # type: ignore[method-assign]
    (message,) = await door.mail()
    assert message.text.startswith("2 word"), "three edits, and no fourth"
    assert sum(length > 64 for length in worked) <= 3 * 2, "made plain and redacted"
    assert asked == [], "after the first refusal the store is not asked"
    assert await door.say("two"), "edits do not use up what is for messages"


async def test_edits_of_somebody_over_the_limit_are_limited(store: Store, keys: BotKeys, worked: list[int]) -> None:
    door = Door(store, keys, limits={"perUser": {"messages": 1, "per": "1h"}})
    assert await door.say("one", event="e")
    assert not await door.say("two")
    worked.clear()
    for number in range(20):
        await door.say(f"{number} {_LONG}"[:MOST_CHARACTERS], event="e", original_at=time.time())
    assert sum(length > 64 for length in worked) <= 2


async def test_edits_of_many_people_in_a_chat_are_limited(store: Store, keys: BotKeys, worked: list[int]) -> None:
    door = Door(store, keys, limits={"perChat": {"messages": 3, "per": "1h"}})
    for number in range(20):
        await door.say(_LONG, event="e", user=f"u{number}", original_at=time.time(), direct=False)
    assert sum(length > 64 for length in worked) <= 3


@pytest.mark.parametrize("age", [0.0, 100_000.0])
async def test_an_edit_of_what_does_not_wait_is_not_redacted(
    store: Store, keys: BotKeys, worked: list[int], age: float
) -> None:
    door = Door(store, keys, answerIn={"groups": "mentioned"})
    assert await door.say("one", event="e")
    await store.command("DEL", keys.mail(keys.pseudonym("web", "conversation", "chat-4711")))
    worked.clear()
    assert not await door.say(_LONG, event="e", original_at=time.time() - age)
    assert [length for length in worked if length] == [len(_LONG)], "made plain, to see whether it is a command"
    if age:
        assert not await door.say(_LONG, event="never", original_at=time.time() - age)
        assert [length for length in worked if length] == [len(_LONG)] * 2


async def test_edits_of_somebody_who_is_muted_are_not_looked_at(store: Store, keys: BotKeys, worked: list[int]) -> None:
    door = Door(store, keys, limits={"perUser": {"messages": 1, "per": "1m"}, "mute": {"after": 1}})
    for number in range(4):
        await door.say("flood", event=f"e{number}")
    worked.clear()
    for _ in range(5):
        assert not await door.say(_LONG, event="e0", original_at=time.time())
    assert worked == []


async def test_other_limits_forget_who_edited_too_much(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, limits={"perUser": {"messages": 1, "per": "1h"}})
    await door.say("one", event="e")
    for text in ("two", "three"):
        await door.say(text, event="e", original_at=time.time())
    limits = door.config.bot.spec.limits.model_copy(update={"per_user": policy.Rate(messages=5)})
    spec = door.config.bot.spec.model_copy(update={"limits": limits})
    door.config = BotConfig(door.config.bot.model_copy(update={"spec": spec}))
    await door.say("four", event="e", original_at=time.time())
    (message,) = await door.mail()
    assert message.text == "four"


async def test_a_long_text_is_searched_beside_the_event_loop(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys)
    text = f"mail ada@example.org {_LONG}"[:MOST_CHARACTERS]
    assert await door.say(text)
    (message,) = await door.mail()
    assert message.text.startswith("mail [email] word")


@pytest.mark.parametrize("refusal", ["limit-user", "limit-mute", "limit-tokens", "access-denied", "message-too-long"])
async def test_files_of_a_message_that_is_refused_are_not_cleaned(
    store: Store, browser: Browser, monkeypatch: pytest.MonkeyPatch, refusal: str
) -> None:
    cleaned: list[str] = []
    monkeypatch.setattr(attached, "_clean", lambda *_: cleaned.append("one") or b"")
    async with scene(store, bot()) as stage:
        page = await stage.replica()
        stage.desk.verdict = Verdict(refusal, {"seconds": 5, "most": 1}, private=True)
        files = [(f"{number}.txt", "text/plain", b"password: " + b" " * 17_000) for number in range(10)]
        status, answer = await post(browser, page, form("hello", *files))
        assert status in (422, 429), answer
        assert cleaned == []
        assert await kept(stage) == []


async def test_files_of_a_command_are_not_cleaned(
    store: Store, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaned: list[str] = []
    monkeypatch.setattr(attached, "_clean", lambda *_: cleaned.append("one") or b"x")
    async with scene(store, bot()) as stage:
        page = await stage.replica()
        stage.desk.verdict = Verdict(files=False)
        status, _ = await post(browser, page, form("!stop", ("a.txt", "text/plain", b"hello")))
        assert status == 200
        assert cleaned == []


@pytest.mark.parametrize(("text", "read"), [("!stop", False), ("!help", False), ("hello", True)])
async def test_the_files_of_commands_are_not_read(store: Store, keys: BotKeys, text: str, read: bool) -> None:
    verdicts: list[Verdict] = []

    async def hears(verdict: Verdict) -> Address | None:
        verdicts.append(verdict)
        return {"session": "s"}

    assert await Door(store, keys).say(text, hears)
    assert {verdict.files for verdict in verdicts} == {read}


async def test_a_message_that_is_sent_again_is_not_cleaned_again(
    store: Store, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaned: list[str] = []
    monkeypatch.setattr(attached, "_clean", lambda *_: cleaned.append("one") or b"x")
    async with scene(store, bot()) as stage:
        page = await stage.replica()
        for _ in range(3):
            status, _ = await post(browser, page, form("hello", ("a.txt", "text/plain", b"hello")))
            assert status == 200
            (message, *_) = stage.desk.received
            await stage.store.command("SET", stage.keys.seen(stage.keys.pseudonym("web", "event", message.event)), "1")
        assert cleaned == ["one"]


async def test_an_upload_of_somebody_who_is_refused_is_not_read(store: Store) -> None:
    async with scene(store, bot()) as stage:
        page = urlsplit(await stage.replica())
        stage.desk.verdict = Verdict("limit-mute", {"seconds": 5}, private=True)
        reader, writer = await asyncio.open_connection(page.hostname, page.port)
        head = f"POST {page.path}message HTTP/1.1\r\nHost: {page.netloc}\r\nAccept: application/json\r\n"
        writer.write(f"{head}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n".encode())
        async with asyncio.timeout(30):
            assert (await reader.readline()).startswith(b"HTTP/1.1 429")
        writer.close()
