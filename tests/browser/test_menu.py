"""The menu of commands: by keyboard and by a click, with and without a script, in both languages."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from gptbot.conversation import commands
from gptbot.inbox.store import Store
from gptbot.locales import languages, texts
from gptbot.platforms.inbound import Inbound
from gptbot.platforms.web.sender import WebSender
from tests.browser.conftest import ask, shoot
from tests.platforms.web.scene import Scene, scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def answer(sender: WebSender, message: Inbound) -> None:
    said = texts((message.language or "en")[:2])(f"command-{message.text[1:]}")
    await sender.send(message.address, said, nonce=message.event[-25:], first=True, final=True)


async def opened(stage: Scene) -> str:
    stage.commands = commands.menu(lambda: stage.config.bot.spec)
    return await stage.replica()


async def test_a_command_is_chosen_by_keyboard(store: Store, tab: Page) -> None:
    async with scene(store, answer=answer) as stage:
        await tab.goto(await opened(stage))
        menu = tab.locator("#menu summary")
        await menu.focus()
        await tab.keyboard.press("Enter")
        await expect(tab.get_by_role("button", name="!reset")).to_be_visible()
        await tab.keyboard.press("Escape")
        await expect(tab.get_by_role("button", name="!reset")).to_be_hidden()
        await expect(menu).to_be_focused()
        await tab.keyboard.press("Enter")
        await tab.keyboard.press("Tab")
        await expect(tab.get_by_role("button", name="!help")).to_be_focused()
        await tab.keyboard.press("Enter")
        await expect(tab.locator("#log .bot").last).to_contain_text("Show what I can do")
        await expect(tab.get_by_role("button", name="!reset")).to_be_hidden()
        assert [message.text for message in stage.desk.received] == ["!help"]
        await expect(tab.locator("#menu button", has_text="!settings")).to_have_count(0)


@pytest.mark.parametrize("language", languages())
async def test_the_page_speaks_the_language_of_its_reader(store: Store, chromium: Browser, language: str) -> None:
    context = await chromium.new_context(
        viewport={"width": 1100, "height": 800}, reduced_motion="reduce", locale=language, color_scheme="light"
    )
    try:
        async with scene(store, answer=answer) as stage:
            page = await context.new_page()
            await page.goto(await opened(stage))
            await ask(page, "!about")
            said = texts(language)
            await expect(page.locator("#log .bot").last).to_contain_text(said("command-about"))
            await page.get_by_title(said("web-commands")).click()
            await expect(page.locator("#menu")).to_contain_text(said("command-privacy"))
            assert await page.evaluate("document.documentElement.lang") == language
            await shoot(page, f"commands-{language}")
            await page.set_viewport_size({"width": 360, "height": 700})
            box = await page.locator("#menu form").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 360
    finally:
        await context.close()


async def test_the_menu_works_without_a_script(store: Store, chromium: Browser) -> None:
    context = await chromium.new_context(java_script_enabled=False, locale="ru")
    try:
        async with scene(store, answer=answer) as stage:
            page = await context.new_page()
            await page.goto(await opened(stage))
            await page.locator("#menu summary").click()
            await page.get_by_role("button", name="!privacy").click()
            await expect(page.locator("#log .user").last).to_contain_text("!privacy")
            assert [message.text for message in stage.desk.received] == ["!privacy"]
    finally:
        await context.close()
