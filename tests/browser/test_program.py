"""The page of a real `gptbot run`, with a scripted model behind it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from playwright.async_api import Page, expect

from tests.browser.answers import ANSWER
from tests.browser.conftest import ask, shoot
from tests.fakes.openai import FakeOpenAI, Settings
from tests.process.program import program, write_manifest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_chat_with_the_program(tab: Page, tmp_path: Path) -> None:
    async with FakeOpenAI(Settings(tokens_per_second=100)) as model:
        spec = {
            "platforms": {"web": {"title": "Appliance store"}},
            "llm": {"baseUrl": model.base_url, "model": "scripted"},
        }
        manifest = write_manifest(tmp_path / "bot.yaml", spec, {})
        data = tmp_path / "data"
        async with program("run", "-f", str(manifest), "--data-dir", str(data), "--http-port", "0") as process:
            await process.ready()
            port = orjson.loads((data / "running.json").read_bytes())["port"]
            model.say(ANSWER)
            await tab.goto(f"http://127.0.0.1:{port}/")
            await ask(tab, "Which washing machine?")
            await expect(tab.locator("#live .bot")).to_have_count(1)
            await expect(tab.locator("#log .bot")).to_contain_text("under a worktop?", timeout=20_000)
            model.say("Yes, the *Norda Eco 8* does.")
            await ask(tab, "Which of them fits?")
            await expect(tab.locator("#log .bot em", has_text="Norda Eco 8")).to_be_visible()
            assert "Which washing machine?" in str(model.requests[-1])
            await ask(tab, "!help")
            await expect(tab.locator("#log .bot").last).to_contain_text("!reset")
            await tab.reload()
            await expect(tab.locator("#log article")).to_have_count(6)
            await shoot(tab, "program")
            await tab.goto("about:blank")  # a page that is open complains of a gateway that is gone
            assert await process.stop() == 0
        log = process.raw.decode()
        assert "washing" not in log
        assert "Norda" not in log
