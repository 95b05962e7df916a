"""What a changed manifest changes in a running bot."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
import yaml

from gptbot import reload
from gptbot.bot import Bot
from gptbot.inbox.store import Store
from gptbot.llm.types import Endpoint
from gptbot.manifest import load
from tests.process.program import until


def write(path: Path, prompt: str, model: str = "m") -> None:
    spec = {
        "platforms": {"web": {}},
        "llm": {"baseUrl": "http://127.0.0.1:1/v1", "model": model},
        "personas": [{"name": "a", "prompt": prompt}],
    }
    document = {"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": "bot"}, "spec": spec}
    path.write_text(yaml.safe_dump(document))


async def test_personas_are_picked_up_and_a_broken_manifest_is_not(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "INTERVAL", 0.02)
    file = tmp_path / "bot.yaml"
    write(file, "first")
    async with aiohttp.ClientSession() as http:
        endpoint = Endpoint("http://127.0.0.1:1/v1", None, "m")
        bot = Bot.open(load([file])[0], store, http, pepper="p" * 32, consumer="c", model=[endpoint])
        task = asyncio.create_task(reload.watch([bot], [file], None))
        write(file, "second", model="other")
        await until(lambda: bot.config.bot.spec.personas[0].prompt == "second")
        assert bot.config.bot.spec.llm.model == "m", "another model needs a restart"
        file.write_text("kind: GptBot")
        await asyncio.sleep(0.2)
        assert not task.done()
        write(file, "third")
        await until(lambda: bot.config.bot.spec.personas[0].prompt == "third")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
