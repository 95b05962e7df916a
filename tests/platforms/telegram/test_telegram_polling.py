"""Long polling: nothing is told to Telegram before it is in the store, and no trouble ends it but a refused token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, MutableMapping, Sequence
from typing import Any

import pytest
import pytest_asyncio
import structlog.testing

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.leases import StoreLeases
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.platforms.errors import Misconfigured
from gptbot.platforms.telegram import session
from gptbot.telemetry.logs import _where_from
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram.methods import Parameters
from tests.fakes.telegram.updates import OTHER_READER
from tests.platforms.telegram.harness import ADA, BOB, GROUP, FakeIntake, config, eventually, prepare, running


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, shorter."""
    monkeypatch.setattr(session.Backoff.__init__, "__defaults__", (0.05, 0.2))


@pytest_asyncio.fixture
async def other_store(store_url: str) -> AsyncIterator[Store]:
    """The connection of another gateway."""
    async with Store.connect(store_url) as connected:
        yield connected


async def test_order_in_a_conversation_is_kept(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    for number in range(250):  # more than two batches
        await fake.say((ADA, BOB)[number % 2], (ADA, BOB)[number % 2], f"message {number}")
    async with running(config(fake), store, keys) as bot:
        await fake.wait_for_confirmed()
        for user in (ADA, BOB):
            numbers = [int(m.text.split()[1]) for m in bot.intake.accepted if m.user == str(user)]
            assert numbers == sorted(numbers)
            assert len(numbers) == 125
    assert bot.intake.duplicates == []


async def test_not_confirmed_before_accepted(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    intake = FakeIntake()
    intake.go_away()
    await fake.say(ADA, ADA, "one")
    await fake.say(BOB, BOB, "two")
    async with running(config(fake), store, keys, intake=intake) as bot:
        await eventually(lambda: len(intake.refused) >= 2)
        await eventually(lambda: bot.reports.said("the store is away"))
        reads = len(await fake.calls("getUpdates"))
        await fake.say(ADA, ADA, "three")
        assert intake.accepted == []
        assert await fake.pending() == 3
        assert len(await fake.calls("getUpdates")) == reads, "it must not read while the store is away"
        intake.come_back()
        await fake.wait_for_confirmed()
        assert sorted(intake.texts) == ["one", "three", "two"]
        await eventually(lambda: bot.reports.connected)
    assert intake.duplicates == []


async def test_stopped_in_the_middle_nothing_is_lost(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    intake = FakeIntake()
    intake.go_away()
    await fake.say(ADA, ADA, "one")
    async with running(config(fake), store, keys, intake=intake):
        await eventually(lambda: intake.refused)
    assert await fake.pending() == 1
    intake.come_back()
    async with running(config(fake), store, keys, intake=intake):
        await fake.wait_for_confirmed()
    assert intake.texts == ["one"]


async def test_another_gateway_goes_on_from_the_offset(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    intake = FakeIntake()
    async with running(config(fake), store, keys, intake=intake) as bot:
        await eventually(lambda: bot.reports.connected)
        await fake.say(ADA, ADA, "one")
        await eventually(lambda: intake.texts == ["one"])
        key = keys.platform("telegram", "offset")
        await stored(store, key)
        assert 0 < await store.command("TTL", key) <= 6 * 86400
    kept = (await store.command("GET", key)).decode()
    last = (await fake.calls("getUpdates"))[-1].number
    async with running(config(fake), store, keys, intake=intake) as bot:
        await eventually(lambda: bot.reports.connected)
    first = (await fake.calls("getUpdates", after=last))[0]
    assert kept == f"{fake.world.me.id}:{first.parameters['offset']}"
    assert intake.duplicates == []


async def test_offset_of_another_bot_is_not_used(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    await store.command("SET", keys.platform("telegram", "offset"), "77:999999")
    await fake.say(ADA, ADA, "hello")
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.intake.texts == ["hello"])
    assert "offset" not in (await fake.calls("getUpdates"))[0].parameters


async def test_offset_from_the_future_loses_nothing(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    """After a week without updates Telegram numbers anew, lower than before."""
    await store.command("SET", keys.platform("telegram", "offset"), f"{fake.world.me.id}:999999")
    await fake.say(ADA, ADA, "hello")
    async with running(config(fake), store, keys) as bot:
        await fake.wait_for_confirmed()
        assert bot.intake.texts == ["hello"]


async def test_two_gateways_one_reader_and_a_hand_over(
    fake: FakeTelegram, store: Store, other_store: Store, keys: BotKeys
) -> None:
    intake = FakeIntake()
    first = running(config(fake), store, keys, intake=intake, leases=StoreLeases(store, keys, "a", ttl=1.0))
    other = StoreLeases(other_store, keys, "b", ttl=1.0)
    second = running(config(fake), other_store, keys, intake=intake, leases=other)
    async with first as one:
        await eventually(lambda: one.reports.connected)
        async with second as two:
            for number in range(5):
                await fake.say(ADA, ADA, f"before {number}")
            await fake.wait_for_confirmed()
            assert two.reports.all == []
            await one.stop()
            for number in range(5):
                await fake.say(ADA, ADA, f"after {number}")
            await eventually(lambda: len(intake.accepted) == 10)
            await fake.wait_for_confirmed()
    assert intake.texts == [f"before {n}" for n in range(5)] + [f"after {n}" for n in range(5)]
    assert not one.reports.said("another program")
    assert not two.reports.said("another program")


async def test_poison_is_left_out_loudly(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    intake = FakeIntake()
    intake.fails_on = "poison"
    await fake.say(ADA, ADA, "poison, secretly")
    await fake.say(ADA, ADA, "next")
    await fake.say(BOB, BOB, "other")
    with structlog.testing.capture_logs() as lines:
        async with running(config(fake), store, keys, intake=intake):
            await fake.wait_for_confirmed()
    assert sorted(intake.texts) == ["next", "other"]
    assert intake.failures == 5
    assert [line["event"] for line in lines if "left out" in line["event"]]
    assert "secretly" not in logged(lines)


async def test_refused_token(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    bot = prepare(config(fake), store, keys)
    await fake.set_token("4200042:BBanother")
    with pytest.raises(Misconfigured, match=r"key 'token' of Secret 'bot'.*@BotFather"):
        await bot.gateway.run()
    assert bot.reports.all[-1][0] is False
    assert bot.reports.said("@BotFather")


async def test_token_revoked_while_reading(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.reports.connected)
        await fake.set_token("4200042:BBanother")
        await fake.say(ADA, ADA, "wakes the long poll")
        assert bot.task is not None
        with pytest.raises(Misconfigured, match="refuses the token"):
            await bot.task


@pytest.mark.parametrize("token", ["", "not a token", "12345"])
async def test_token_that_can_be_none(fake: FakeTelegram, store: Store, keys: BotKeys, token: str) -> None:
    wanted = config(fake)
    wrong = type(wanted)(wanted.bot, {("test", "bot"): {"token": token}})
    bot = prepare(wrong, store, keys)
    with pytest.raises(Misconfigured, match="'token'") as caught:
        await bot.gateway.run()
    if token:
        assert token not in str(caught.value)
    assert await fake.calls() == []


async def test_webhook_of_before_is_deleted(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    await fake.methods.handlers["setwebhook"](Parameters({"url": "http://127.0.0.1:9/nowhere"}))
    await fake.say(ADA, ADA, "hello")
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.intake.texts == ["hello"])
        assert bot.reports.said("a webhook was set for this bot and was deleted")
        assert (await fake.webhook_info())["url"] == ""


async def test_another_reader_is_reported_and_outlived(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.reports.connected)
        await fake.wait_for_calls("getUpdates")
        await fake.inject("getUpdates", "answer", status=409, body={
            "ok": False, "error_code": 409,
            "description": OTHER_READER,
        })  # fmt: skip
        await fake.say(ADA, ADA, "ends the poll that is under way")
        await eventually(lambda: bot.reports.said("another program reads this bot's messages"))
        await fake.say(ADA, ADA, "hello")
        await eventually(lambda: "hello" in bot.intake.texts)
        await eventually(lambda: bot.reports.connected)


async def test_flood_is_waited_out(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    await fake.inject("getUpdates", "answer", status=429, body={
        "ok": False, "error_code": 429, "description": "Too Many Requests: retry after 1",
        "parameters": {"retry_after": 1},
    })  # fmt: skip
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.reports.said("asks to wait 1 s"))
        asked = time.monotonic()
        await eventually(lambda: bot.reports.connected)
        assert time.monotonic() - asked > 0.7


@pytest.mark.parametrize(
    ("fault", "reported"),
    [
        ({"kind": "close_before"}, "cannot be reached"),
        ({"kind": "answer", "status": 502, "body": "<html>Bad Gateway</html>"}, "does not answer as a Bot API server"),
        ({"kind": "answer", "status": 500}, "the Bot API server fails"),
        ({"kind": "answer", "status": 400}, "Telegram refuses a request"),
    ],
)
@pytest.mark.parametrize("method", ["getMe", "getUpdates"])
async def test_trouble_is_reported_and_outlived(
    fake: FakeTelegram, store: Store, keys: BotKeys, method: str, fault: dict[str, object], reported: str
) -> None:
    await fake.inject(method, count=3, **fault)  # pyright: ignore[reportArgumentType]
    await fake.say(ADA, ADA, "hello")
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.intake.texts == ["hello"])
        assert bot.reports.said(reported)
        await eventually(lambda: bot.reports.connected)


async def test_server_restarts(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.reports.connected)
        await fake.stop()
        await eventually(lambda: not bot.reports.connected)
        await fake.start()
        await fake.say(ADA, ADA, "hello")
        await eventually(lambda: bot.intake.texts == ["hello"])


async def test_store_away_at_the_start(fake: FakeTelegram, keys: BotKeys) -> None:
    await fake.say(ADA, ADA, "hello")
    async with Store.connect("redis://127.0.0.1:1/0") as nowhere:
        with pytest.raises(StoreUnavailable):
            await nowhere.command("PING")
        async with running(config(fake), nowhere, keys) as bot:
            await eventually(lambda: bot.reports.said("the store is away"))
            assert await fake.calls("getUpdates") == []


async def test_command_menu(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    async with running(config(fake), store, keys):
        await fake.wait_for(lambda: len(fake.methods.commands) == 12)
        for scope in ("default", "all_private_chats", "all_group_chats"):
            english = await fake.commands(scope)
            assert english == [
                {"command": "help", "description": "What this bot can do"},
                {"command": "persona", "description": "Choose a persona"},
            ]
            assert (await fake.commands(scope, "ru"))[0]["description"] == "Что умеет бот"
            assert (await fake.commands(scope, "ru"))[1]["description"] == "Choose a persona"
        bosses = await fake.commands("all_chat_administrators")
        assert [entry["command"] for entry in bosses] == ["help", "persona", "settings"]
        await stored(store, keys.platform("telegram", "menu"))
    set_before = len(await fake.calls("setMyCommands"))
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.reports.connected)
        await fake.say(ADA, ADA, "hello")
        await eventually(lambda: bot.intake.texts)
        assert len(await fake.calls("setMyCommands")) == set_before, "the menu is as it was"


async def test_who_administers_a_group_is_known_when_it_is_asked(
    fake: FakeTelegram, store: Store, keys: BotKeys
) -> None:
    await fake.promote(GROUP, BOB)
    anonymous = {"sender_chat": {"id": GROUP, "type": "supergroup", "title": "Group"}}
    async with running(config(fake), store, keys) as bot:
        await fake.say(GROUP, ADA, "/settings")
        await fake.say(GROUP, BOB, "/settings")
        await fake.say(GROUP, BOB, "/settings", extra=anonymous)
        await fake.say(ADA, ADA, "/settings")
        await eventually(lambda: len(bot.intake.accepted) == 4)
        assert await fake.calls("getChatAdministrators") == [], "only commands that need it ask"
        by_chat = {message.direct: message for message in bot.intake.accepted}
        assert by_chat[True].administrator is None
        known = [await m.administrator() for m in bot.intake.accepted if m.administrator is not None]
        assert known == [False, True, True]
        await fake.inject("getChatAdministrators", "answer", status=400)
        [ada, *_] = [message for message in bot.intake.accepted if message.administrator is not None]
        assert ada.administrator is not None
        assert not await ada.administrator()


async def test_menu_that_is_refused_keeps_nothing_from_working(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    await fake.inject("setMyCommands", "answer", count=100, status=400)
    await fake.say(ADA, ADA, "hello")
    async with running(config(fake), store, keys) as bot:
        await eventually(lambda: bot.intake.texts == ["hello"])
        assert bot.reports.connected


@pytest.mark.parametrize(("groups", "warned"), [("always", True), ("mentioned", False), ("commands", False)])
async def test_privacy_mode_is_pointed_out(
    fake: FakeTelegram, store: Store, keys: BotKeys, groups: str, warned: bool
) -> None:
    async with running(config(fake, groups=groups), store, keys) as bot:
        await eventually(lambda: bot.reports.connected)
        assert bot.reports.said("/setprivacy") is warned


async def test_everything_goes_to_the_configured_server(
    fake: FakeTelegram, store: Store, keys: BotKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Methods and files alike; every connection of the process is looked at."""
    import aiohttp.connector

    targets: set[tuple[str, int]] = set()
    original = aiohttp.connector.TCPConnector._create_connection

    async def watched(self: aiohttp.connector.TCPConnector, req: aiohttp.ClientRequest, *args: object) -> object:
        targets.add((str(req.url.host), int(req.url.port or 0)))
        return await original(self, req, *args)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(aiohttp.connector.TCPConnector, "_create_connection", watched)
    fake.methods.files["documents/a.txt"] = b"content"
    bot = config(fake)
    async with running(bot, store, keys) as gateway:
        await eventually(lambda: gateway.reports.connected)
        await fake.wait_for(lambda: len(fake.methods.commands) == 12)
        settings = bot.bot.spec.platforms.telegram
        assert settings is not None
        client = session.connect(bot, settings)
        file = await client.get_file("documents/a.txt")
        content = await client.download_file(str(file.file_path))
        await client.session.close()
        assert content is not None
        assert content.read() == b"content"
    assert targets == {(fake.host, fake.port)}


async def test_no_token_id_or_text_in_logs(
    fake: FakeTelegram,
    store: Store,
    keys: BotKeys,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    await fake.inject("getUpdates", "close_before", count=2)
    await fake.inject("getMe", "answer", status=502, body="<html>")
    await fake.inject("setMyCommands", "answer", status=500)
    with structlog.testing.capture_logs() as lines:
        async with running(config(fake), store, keys) as bot:
            chat = {"id": GROUP, "type": "group"}
            await fake.push_update("message", {"message_id": "none", "chat": chat, "text": "hidden words"}, ADA)
            await fake.push_update("message", {"message_id": "none", "text": "hidden words"}, ADA)
            await fake.say(GROUP, ADA, "@gptbot_test_bot hidden words")
            await eventually(lambda: bot.intake.texts)
            await fake.stop()
            await eventually(lambda: not bot.reports.connected)
            await fake.start()
    everything = logged(lines) + caplog.text
    for event in ("who the bot is", "it cannot be read", "not understood", "menu not set"):
        assert event in everything
    for secret in (fake.token, fake.token.partition(":")[2], "hidden words", str(GROUP), str(ADA)):
        assert secret not in everything


def logged(lines: Sequence[MutableMapping[str, Any]]) -> str:
    """Log lines as the program writes them."""
    return "\n".join(str(_where_from(None, "", dict(line))) for line in lines)


async def stored(store: Store, key: str) -> None:
    """Wait until something is kept there."""
    async with asyncio.timeout(5):
        while await store.command("GET", key) is None:
            pass
