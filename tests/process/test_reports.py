"""What a gateway tells of its platforms, in the store."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from gptbot.bot import Bot
from gptbot.gateway import Gateway
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.leases import StoreLeases
from gptbot.inbox.store import Store
from gptbot.llm.types import Endpoint
from gptbot.manifest import load
from gptbot.reports import Reports
from gptbot_operator.store import PlatformReport, StoreReader


async def test_a_platform_may_report_while_others_are_being_written(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bot.yaml"
    spec = {
        "platforms": {"web": {}},
        "llm": {"baseUrl": "http://127.0.0.1:1/v1", "model": "m"},
        "personas": [{"name": "a", "prompt": "p"}],
    }
    metadata = {"name": f"b{uuid.uuid4().hex[:8]}"}
    file.write_text(
        yaml.safe_dump({"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": metadata, "spec": spec})
    )
    async with aiohttp.ClientSession() as http:
        endpoint = Endpoint("http://127.0.0.1:1/v1", None, "m")
        bot = Bot.open(load([file])[0], store, http, pepper="p" * 32, consumer="c", model=[endpoint])
        gateway = Gateway(bot, "c")
        real = store.command

        async def command(*args: Any) -> Any:
            if args[0] == "HSET":  # a second platform connects while the first one's report is on its way
                gateway._reports.report("discord", connected=True)
            return await real(*args)

        monkeypatch.setattr(store, "command", command)
        gateway._reports.report("telegram", connected=True)
        publishing = asyncio.create_task(gateway._reports.publish())
        async with asyncio.timeout(10):
            while await real("HLEN", bot.keys.platforms) < 2 and not publishing.done():
                await asyncio.sleep(0.01)
        assert not publishing.done(), publishing.exception()
        publishing.cancel()


async def test_two_gateways_that_share_a_platform_do_not_hide_each_others_reports(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gptbot.reports.TTL", 0.4)  # renewed every 0.1 s
    keys = BotKeys(f"test/{uuid.uuid4().hex[:8]}", b"p" * 32)
    leases = [StoreLeases(store, keys, holder) for holder in ("a", "b")]
    first, second = (Reports(store, keys, each) for each in leases)
    reader = StoreReader(max_age=0)

    async def until(*wanted: PlatformReport) -> None:
        async with asyncio.timeout(10):
            while (found := (await reader.read(store_url, keys.bot)).platforms.get("discord")) not in wanted:
                await asyncio.sleep(0.02)
            assert found

    async def hold() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(store, "command", _without_expiry(store.command))
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each.publish()) for each in (first, second)]
        for reports in (first, second):
            reports.report("discord", connected=True, of=2)
        first.report("discord", connected=True, receiver="discord:0", of=2)
        await until(PlatformReport(False, "1 of 2 shards are connected", "ShardsMissing"))
        second.report("discord", connected=True, message="few starts", receiver="discord:1", of=2)
        await until(PlatformReport(True, "few starts"))
        first.report("discord", connected=False, message="cannot be reached", receiver="discord:0", of=2)
        await until(PlatformReport(False, "cannot be reached; few starts"))

        running.append(tasks.create_task(leases[1].run("discord:0", hold)))  # handed over
        await _until(lambda: "discord:0" in leases[1].held)
        running.append(tasks.create_task(leases[0].run("discord:0", hold)))
        await _until(lambda: leases[0].waits("discord:0"))
        second.report("discord", connected=True, receiver="discord:0", of=2)
        await until(PlatformReport(True, "few starts"))
        await store.command("HDEL", keys.platforms, "discord:0", "discord:1")
        await until(PlatformReport(True, "few starts"))  # renewed by the holder; the first one says nothing of it
        for task in running:
            task.cancel()
    await reader.close()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def _without_expiry(command: Callable[..., Any]) -> Callable[..., Any]:
    """For a TTL that is no whole number of seconds."""

    async def run(*args: Any) -> Any:
        return None if args[0] == "EXPIRE" else await command(*args)

    return run
