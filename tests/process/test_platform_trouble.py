"""What is wrong with each platform, over the wire, as the operator reads it: bots of one process, each with its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from gptbot_operator.store import PlatformReport, Reading, StoreReader
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.settings import Settings
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import MODEL_KEY
from tests.process.program import Valkey, program, write_manifest

DOCUMENTED = (Path(__file__).parents[2] / "docs" / "discord.md").read_text()


class Troubles:
    """Bots, and what is told of them."""

    def __init__(self, directory: Path, model: FakeOpenAI, valkey: Valkey) -> None:
        self._directory, self._model, self._url = directory, model, valkey.admin
        self._reader = StoreReader(max_age=0)
        self.files: list[str] = []

    def add(self, name: str, platform: str, settings: dict[str, Any], token: str, **spec: Any) -> None:
        """A bot on one platform."""
        reference = {"tokenSecretRef": {"name": name, "key": platform}}
        wanted = {
            "platforms": {platform: settings | reference},
            "llm": {
                "baseUrl": self._model.base_url, "model": "scripted",
                "apiKeySecretRef": {"name": name, "key": "model"},
            },
            **spec,
        }  # fmt: skip
        secret = {platform: token, "model": MODEL_KEY}
        self.files.append(str(write_manifest(self._directory / f"{name}.yaml", wanted, secret, name)))

    async def until(self, name: str, condition: Callable[[Reading], bool]) -> Reading:
        """Wait until what is in the store of a bot is so."""
        reading: Reading | None = None
        try:
            async with asyncio.timeout(60):
                while not condition(reading := await self._reader.read(self._url, f"default/{name}")):
                    await asyncio.sleep(0.05)
            return reading
        except TimeoutError:
            raise AssertionError(f"{name}: {reading}") from None

    async def told(self, name: str, connected: bool, reason: str) -> PlatformReport:
        """Wait until the one platform of a bot is so."""

        def so(reading: Reading) -> bool:
            found = list(reading.platforms.values())
            return [(report.connected, report.reason) for report in found] == [(connected, reason)]

        return next(iter((await self.until(name, so)).platforms.values()))

    async def close(self) -> None:
        await self._reader.close()


@asynccontextmanager
async def another_poller(telegram: FakeTelegram) -> AsyncGenerator[None]:
    """A program somebody forgot about, which polls with the same token and never gives up."""
    address = f"{telegram.url}/bot{telegram.token}/getUpdates"

    async def poll() -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                async with http.post(address, json={"timeout": 50}) as answer:
                    await answer.read()

    task = asyncio.create_task(poll())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_every_trouble_is_named_and_touches_no_other_bot(
    tmp_path: Path, model: FakeOpenAI, valkey: Valkey
) -> None:
    troubles = Troubles(tmp_path, model, valkey)
    async with AsyncExitStack() as stack:

        async def telegram() -> FakeTelegram:
            return await stack.enter_async_context(FakeTelegram())

        async def discord(**settings: Any) -> FakeDiscord:
            return await stack.enter_async_context(FakeDiscord(settings=Settings(**settings)))

        refused, watched, hooked, private = [await telegram() for _ in range(4)]
        await private.set_privacy_mode(True)
        async with aiohttp.ClientSession() as http:
            hook = {"url": "http://127.0.0.1:9/elsewhere"}
            async with http.post(f"{hooked.url}/bot{hooked.token}/setWebhook", json=hook) as answer:
                assert answer.status == 200
        always = {"answerIn": {"groups": "always"}}
        troubles.add("refused", "telegram", {"apiBaseUrl": refused.url}, "4200042:BBanother")
        troubles.add("watched", "telegram", {"apiBaseUrl": watched.url}, watched.token)
        troubles.add("hooked", "telegram", {"apiBaseUrl": hooked.url}, hooked.token)
        troubles.add("private", "telegram", {"apiBaseUrl": private.url}, private.token, **always)
        server, poor = await discord(identify_window=0.1), await discord(identify_window=0.1)
        bots = {name: await server.add_bot(name) for name in ("intent", "half")}
        bots["poor"] = await poor.add_bot("poor")
        await poor.configure(identifies_left=9)
        at = {"apiBaseUrl": server.url}
        troubles.add("unknown", "discord", at, "no.such.token")
        troubles.add("intent", "discord", at | {"messageContentIntent": True}, bots["intent"]["token"])
        troubles.add("half", "discord", at, bots["half"]["token"], **always)
        troubles.add("poor", "discord", {"apiBaseUrl": poor.url}, bots["poor"]["token"])

        files = [part for file in troubles.files for part in ("-f", file)]
        async with program("run", *files, "--data-dir", str(tmp_path / "data"), store=valkey.admin) as gateway:
            await gateway.ready()
            report = await troubles.told("refused", False, "TokenRefused")
            assert "key 'telegram' of Secret 'refused'" in report.message
            report = await troubles.told("unknown", False, "TokenRefused")
            assert "key 'discord' of Secret 'unknown'" in report.message
            report = await troubles.told("intent", False, "IntentMissing")
            assert "messageContentIntent" in report.message
            await troubles.told("half", True, "IntentOff")
            await troubles.told("poor", True, "IdentifyBudgetLow")
            report = await troubles.told("hooked", True, "WebhookRemoved")
            assert (report.username, report.invite) == ("gptbot_test_bot", "https://t.me/gptbot_test_bot")
            report = await troubles.told("private", True, "PrivacyMode")
            assert "/setprivacy" in report.message

            await troubles.told("watched", True, "")
            async with another_poller(watched):
                await troubles.told("watched", False, "AnotherPoller")
            await troubles.told("watched", True, "")

            report = await troubles.told("half", True, "IntentOff")
            application = bots["half"]["application"]
            written = DOCUMENTED.partition("https://discord.com/oauth2/")[2].partition("`")[0]
            assert report.invite == "https://discord.com/oauth2/" + written.replace("APPLICATION_ID", application)
            assert report.username == "half"

            # The model answers, and then its quota is spent.
            await hooked.add_user(11, "Ada", language_code="en")
            model.say("an answer", match="first question")
            await hooked.say(11, 11, "first question")
            await troubles.until("hooked", lambda reading: reading.model == {"spec.llm": "ok"})
            model.fail("quota", match="another question", times=None)
            await hooked.say(11, 11, "another question")
            await troubles.until("hooked", lambda reading: reading.model == {"spec.llm": "quota"})
            for secret in (watched.token, bots["half"]["token"], MODEL_KEY):
                assert secret not in gateway.raw.decode()
    await troubles.close()
