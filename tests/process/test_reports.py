"""What a gateway tells of its platforms, in the store."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from gptbot.bot import Bot
from gptbot.gateway import Gateway
from gptbot.inbox.store import Store
from gptbot.llm.types import Endpoint
from gptbot.manifest import load


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
                gateway._report("discord", connected=True)
            return await real(*args)

        monkeypatch.setattr(store, "command", command)
        gateway._report("telegram", connected=True)
        publishing = asyncio.create_task(gateway._publish())
        async with asyncio.timeout(10):
            while await real("HLEN", bot.keys.platforms) < 2 and not publishing.done():
                await asyncio.sleep(0.01)
        assert not publishing.done(), publishing.exception()
        publishing.cancel()
