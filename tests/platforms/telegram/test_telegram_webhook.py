"""Webhook mode: every replica answers, only the secret opens, and what is not stored is posted again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import uvicorn
from starlette.applications import Starlette

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.leases import StoreLeases
from gptbot.inbox.store import Store
from gptbot.platforms.errors import Misconfigured
from gptbot.platforms.telegram import session, webhook
from tests.fakes.telegram import FakeTelegram
from tests.platforms.telegram.harness import ADA, SECRET, FakeIntake, Running, config, eventually, prepare, running

HEADER = {"X-Telegram-Bot-Api-Secret-Token": SECRET}


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, shorter."""
    monkeypatch.setattr(session.Backoff.__init__, "__defaults__", (0.05, 0.2))
    monkeypatch.setattr(webhook, "WEBHOOK_CHECK", 0.2)


class Front:
    """A web server on a port of its own, whose routes come later."""

    def __init__(self) -> None:
        self.app = Starlette()
        self.server = uvicorn.Server(uvicorn.Config(self.app, port=0, log_level="warning", lifespan="off"))

    @property
    def url(self) -> str:
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def serve(self, bot: Running) -> None:
        self.app.router.routes[:] = bot.gateway.routes()


@asynccontextmanager
async def front() -> AsyncGenerator[Front]:
    made = Front()
    task = asyncio.create_task(made.server.serve())
    await eventually(lambda: made.server.started)
    try:
        yield made
    finally:
        made.server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await task


def webhook_mode(fake: FakeTelegram, url: str) -> Any:
    settings = {"url": url, "secretRef": {"name": "bot", "key": "webhook"}}
    return config(fake, mode="webhook", webhook=settings)


async def test_updates_come_in(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    async with front() as web, running(webhook_mode(fake, web.url), store, keys) as bot:
        web.serve(bot)
        await eventually(lambda: bot.reports.connected)
        assert (await fake.webhook_info())["url"] == f"{web.url}/telegram/webhook"
        assert (await fake.webhook_info())["allowed_updates"] == [
            "callback_query", "edited_message", "message", "stopped_message_generation",
        ]  # fmt: skip
        for number in range(20):
            await fake.say(ADA, ADA, f"message {number}")
        await eventually(lambda: len(bot.intake.accepted) == 20)
        await fake.wait_for_confirmed()
        assert bot.intake.texts == [f"message {number}" for number in range(20)]
        await fake.wait_for(lambda: len(fake.methods.commands) == 12)
        assert await fake.calls("getUpdates") == []


async def test_path_of_its_own(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    async with front() as web, running(webhook_mode(fake, f"{web.url}/bots/one"), store, keys) as bot:
        web.serve(bot)
        await fake.say(ADA, ADA, "hello")
        await eventually(lambda: bot.intake.texts == ["hello"])
        assert (await fake.webhook_info())["url"] == f"{web.url}/bots/one"


async def test_only_the_secret_opens(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    update = {"update_id": 1, "message": {
        "message_id": 1, "date": 1, "text": "let me in", "chat": {"id": ADA, "type": "private"},
        "from": {"id": ADA, "is_bot": False, "first_name": "Ada"},
    }}  # fmt: skip
    async with (
        front() as web,
        running(webhook_mode(fake, web.url), store, keys) as bot,
        aiohttp.ClientSession() as http,
    ):
        web.serve(bot)
        await eventually(lambda: bot.reports.connected)
        url = f"{web.url}/telegram/webhook"

        async def status(**more: Any) -> int:
            arguments: dict[str, Any] = {"json": update} | more
            async with http.post(url, **arguments) as response:
                return response.status

        assert await status() == 403
        assert await status(headers={"X-Telegram-Bot-Api-Secret-Token": "wrong"}) == 403
        assert await status(headers={"X-Telegram-Bot-Api-Secret-Token": SECRET + "x"}) == 403
        assert bot.intake.accepted == []
        assert await status(headers=HEADER, json=None, data=b"no JSON") == 400
        assert await status(headers=HEADER, json=[1]) == 400
        assert await status(headers=HEADER, json=None, data=b" " * (2 << 20)) == 413
        assert await status(headers=HEADER, json={"update_id": 2, "message": {"chat": 1}}) == 200
        assert await status(headers=HEADER, json={"update_id": 3, "poll": {}}) == 200
        assert bot.intake.accepted == []
        assert await status(headers=HEADER) == 200
        assert bot.intake.texts == ["let me in"]


async def test_store_away(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    intake = FakeIntake()
    async with front() as web, running(webhook_mode(fake, web.url), store, keys, intake=intake) as bot:
        web.serve(bot)
        await eventually(lambda: bot.reports.connected)
        fake.world.updates._retry = 0.05
        intake.go_away()
        await fake.say(ADA, ADA, "hello")
        await eventually(lambda: bot.reports.said("503"))
        assert bot.reports.said("Telegram cannot deliver to webhook.url")
        assert await fake.pending() == 1
        intake.come_back()
        await eventually(lambda: intake.texts == ["hello"])
        await fake.wait_for_confirmed()
        await eventually(lambda: bot.reports.connected)


async def test_intake_that_fails(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    intake = FakeIntake()
    intake.fails_on = "hello"
    async with front() as web, running(webhook_mode(fake, web.url), store, keys, intake=intake) as bot:
        web.serve(bot)
        await fake.say(ADA, ADA, "hello")
        await eventually(lambda: intake.failures >= 2)
        intake.fails_on = None
        await eventually(lambda: intake.texts == ["hello"])


async def test_every_replica_answers_one_registers(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    intake = FakeIntake()
    async with front() as web:
        bot = webhook_mode(fake, web.url)
        async with running(bot, store, keys, intake=intake, leases=StoreLeases(store, keys, "a", ttl=5.0)) as one:
            await eventually(lambda: one.reports.connected)
            async with running(bot, store, keys, intake=intake, leases=StoreLeases(store, keys, "b", ttl=5.0)) as two:
                web.serve(two)
                await fake.say(ADA, ADA, "hello")
                await eventually(lambda: intake.texts == ["hello"])
                assert two.reports.all == []
                assert len(await fake.calls("setWebhook")) == 1


async def test_before_telegram_said_who_we_are(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    async with front() as web, aiohttp.ClientSession() as http:
        bot = prepare(webhook_mode(fake, web.url), store, keys)
        web.serve(bot)
        async with http.post(f"{web.url}/telegram/webhook", json={"update_id": 1}, headers=HEADER) as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "1"


async def test_somebody_changes_the_webhook(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    async with front() as web, running(webhook_mode(fake, web.url), store, keys) as bot:
        web.serve(bot)
        await eventually(lambda: bot.reports.connected)
        await fake.world.updates.set_webhook(None, drop=False)
        await eventually(lambda: bot.reports.said("another program changed the webhook"))
        await fake.say(ADA, ADA, "hello")
        await eventually(lambda: bot.intake.texts == ["hello"])
        await eventually(lambda: bot.reports.connected)


async def test_telegram_refuses_the_webhook(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    fake.methods.local = False
    async with running(webhook_mode(fake, "http://example.org/hook"), store, keys) as bot:
        await eventually(lambda: bot.reports.said("An HTTPS URL must be provided"))
        assert not bot.reports.connected


@pytest.mark.parametrize(("secret", "words"), [("with spaces", "no secret token for a webhook"), ("", "'webhook'")])
async def test_secret_that_is_none(fake: FakeTelegram, store: Store, keys: BotKeys, secret: str, words: str) -> None:
    wanted = webhook_mode(fake, "http://127.0.0.1:9")
    wrong = type(wanted)(wanted.bot, {("test", "bot"): {"token": fake.token, "webhook": secret}})
    bot = prepare(wrong, store, keys)
    with pytest.raises(Misconfigured, match=words):
        await bot.gateway.run()
    assert bot.reports.said(words)
    if secret:
        assert not bot.reports.said(secret)


async def test_polling_has_no_routes(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    assert list(prepare(config(fake), store, keys).gateway.routes()) == []
