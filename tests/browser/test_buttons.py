"""Stop, Regenerate and Continue below an answer: by keyboard, and for the last answer only."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from gptbot.inbox.store import Store
from gptbot.platforms.base import Button
from gptbot.platforms.inbound import Inbound
from gptbot.platforms.web.sender import WebSender
from tests.browser.conftest import ask
from tests.platforms.web.scene import scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("label", ["Regenerate", "Continue"])
async def test_stop_and_another_answer(store: Store, tab: Page, label: str) -> None:
    command = {"Regenerate": "retry", "Continue": f"continue {'A' * 11}.7"}[label]
    stopped = asyncio.Event()

    async def answer(sender: WebSender, message: Inbound) -> None:
        if message.text == "!stop":
            stopped.set()
            return
        address, nonce = message.address, message.event[-25:]
        stop, retry = [Button("Stop", "stop")], [Button(label, command)]
        await sender.send(address, "So far", nonce=nonce, first=True, final=False, buttons=stop)
        await sender.edit(address, nonce, f"Answer to {message.text}", final=True, buttons=retry)

    async with scene(store, answer=answer) as stage:
        await tab.goto(await stage.replica())
        await ask(tab, "Question")
        again = tab.get_by_role("button", name=label)
        await expect(again).to_have_count(1)
        await again.focus()
        await tab.keyboard.press("Enter")
        await expect(tab.locator("#log .bot")).to_have_count(2)
        await expect(tab.locator("#log .bot").last).to_contain_text(f"Answer to !{command}")
        await expect(tab.locator("#log .user")).to_have_count(1)
        await expect(again).to_have_count(1)  # hidden ones have no role

        session = stage.desk.received[0].address
        live = [Button("Stop", "stop")]
        await stage.desk.sender.send(session, "Growing", nonce="live", first=True, final=False, buttons=live)
        await tab.get_by_role("button", name="Stop").click()
        await asyncio.wait_for(stopped.wait(), 10)
        assert [message.text for message in stage.desk.received] == ["Question", f"!{command}", "!stop"]
