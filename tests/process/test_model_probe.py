"""A gateway tells whether the model is there before anybody has asked it, and when it is there again."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import yaml

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot_operator.outcomes import outcomes
from tests.fakes.openai import FakeOpenAI, Settings
from tests.fakes.telegram import FakeTelegram
from tests.ports import free_port
from tests.process.conftest import MODEL_KEY, secrets, spec
from tests.process.program import Valkey, program, until, write_manifest


async def known(store: Store, bot: str) -> dict[str, str]:
    """What the operator reads of the bot's model."""
    flat: list[bytes] = await store.command("HGETALL", BotKeys(bot, b"").model)
    return outcomes(dict(zip(flat[::2], flat[1::2], strict=True)), time.time())


async def wait_for(store: Store, bot: str, wanted: dict[str, str]) -> None:
    found: dict[str, str] = {}
    try:
        async with asyncio.timeout(60):
            while (found := await known(store, bot)) != wanted:
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{found}, not {wanted}") from None


async def test_a_model_that_is_not_there_and_then_is(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    """With the rights in the store that a bot has, in a gateway that answers nothing itself."""
    port = free_port()
    settings = spec(telegram, model)
    settings["llm"]["baseUrl"] = f"http://127.0.0.1:{port}/v1"
    file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram)))
    async with (
        program("gateway", "--manifest", file, store=valkey.url) as gateway,
        Store.connect(valkey.admin) as store,
    ):
        await gateway.ready()
        await wait_for(store, "default/bot", {"spec.llm": "unreachable"})
        async with FakeOpenAI(Settings(api_key=MODEL_KEY), port=port) as later:
            await wait_for(store, "default/bot", {"spec.llm": "reachable"})
            assert later.requests == []
            assert all(h["Authorization"] == f"Bearer {MODEL_KEY}" for h in later.listing.headers)
        assert MODEL_KEY not in gateway.raw.decode()
        assert await gateway.stop() == 0


async def test_bots_of_one_process_share_the_probe_of_an_endpoint(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    names = [f"bot{number}" for number in range(5)]
    documents: list[dict[str, Any]] = []
    for name in names:
        llm = {"baseUrl": model.base_url, "model": name, "apiKeySecretRef": {"name": "keys", "key": "model"}}
        documents.append(
            {
                "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": name},
                "spec": {"platforms": {"web": {}}, "llm": llm, "personas": [{"name": "a", "prompt": "p"}]},
            }
        )  # fmt: skip
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"model": MODEL_KEY}}
    file = tmp_path / "bots.yaml"
    file.write_text(yaml.safe_dump_all([*documents, secret]))
    arguments = ("run", "-f", str(file), "--data-dir", str(tmp_path / "data"), "--http-port", "0")
    async with program(*arguments, store=valkey.admin) as process, Store.connect(valkey.admin) as store:
        await until(lambda: process.said("started"))
        for name in names:
            await wait_for(store, f"default/{name}", {"spec.llm": "reachable"})
        assert len(model.listing.headers) == 1
