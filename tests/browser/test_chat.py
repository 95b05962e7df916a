"""A conversation on the page, by mouse and by keyboard."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from gptbot.inbox.store import Store
from tests.browser.answers import Typist
from tests.browser.conftest import ask, shoot
from tests.platforms.web.scene import bot, scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

PERSONAS = [
    {"name": "consultant", "title": "Consultant", "prompt": "x"},
    {"name": "translator", "title": "Translator", "prompt": "y"},
]
QUESTION = "Which washing machine for a family of four?"


async def test_ask_watch_and_reload(store: Store, tab: Page) -> None:
    typist = Typist()
    typist.go_on.clear()
    async with scene(store, bot(personas=PERSONAS), answer=typist) as stage:
        await tab.goto(await stage.replica())
        await expect(tab).to_have_title("Appliance store")
        await expect(tab.get_by_role("heading", name="How can I help?")).to_be_visible()
        await shoot(tab, "welcome")
        box = tab.get_by_label("Message", exact=True)
        await box.fill(QUESTION)
        await tab.get_by_role("button", name="Send").click()
        await expect(box).to_have_value("")
        await expect(tab.locator("#log .user .body")).to_have_text(QUESTION)
        # Half of the answer is there, marked up, and outside of what is read aloud.
        await expect(tab.locator("#live .bot table")).to_be_visible()
        await expect(tab.locator("#live .bot")).to_contain_text("What to check before you buy")
        await expect(tab.locator("#live")).not_to_contain_text("**")
        await expect(tab.locator("#log .bot")).to_have_count(0)
        await shoot(tab, "streaming")
        await tab.reload()  # in the middle of it
        await expect(tab.locator("#live .bot table")).to_be_visible()
        typist.go_on.set()
        await expect(tab.locator("#log .bot")).to_contain_text("under a worktop?")
        await expect(tab.locator("#live article")).to_have_count(0)
        await expect(tab.locator("#typing")).to_be_hidden()
        await expect(tab.locator("#log .bot pre code")).to_contain_text("def total(price")
        link = tab.get_by_role("link", name="how the label works")
        await expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
        await expect(link).to_have_attribute("target", "_blank")
        assert await tab.evaluate("innerHeight + scrollY >= document.documentElement.scrollHeight - 2"), (
            "not at the end"
        )
        await tab.set_viewport_size({"width": 1000, "height": 860})
        await shoot(tab, "answer")
        before = await tab.locator("#log .body").all_inner_texts()
        await tab.reload()
        await expect(tab.locator("#log .bot")).to_contain_text("under a worktop?")
        assert await tab.locator("#log .body").all_inner_texts() == before


async def test_keyboard_alone(store: Store, tab: Page) -> None:
    async with scene(store, bot(personas=PERSONAS), answer=Typist("Here you are.")) as stage:
        await tab.goto(await stage.replica())
        box = tab.get_by_label("Message", exact=True)
        await expect(box).to_be_focused()
        await tab.keyboard.type("one")
        await tab.keyboard.press("Shift+Enter")
        await tab.keyboard.type("two")
        await expect(box).to_have_value("one\ntwo")
        # The Enter that ends an IME's composition is none, in Safari too: that one has ended the composition already.
        for ends in ({"isComposing": True}, {"keyCode": 229}):
            event = {"key": "Enter", "bubbles": True, "cancelable": True, **ends}
            assert await box.evaluate("(box, event) => box.dispatchEvent(new KeyboardEvent('keydown', event))", event)
        await expect(box).to_have_value("one\ntwo")
        assert not stage.desk.received
        await tab.keyboard.press("Enter")
        await expect(tab.locator("#log .user .body")).to_have_text("one\ntwo", use_inner_text=True)
        await expect(tab.locator("#log .bot")).to_contain_text("Here you are.")
        await expect(box).to_be_focused()
        await tab.keyboard.press("Enter")  # an empty box: nothing is sent, and nothing complains
        await expect(tab.locator("#error")).to_be_empty()
        assert len(stage.desk.received) == 1
        await tab.keyboard.press("Shift+Tab")
        await expect(tab.get_by_label("Attach files")).to_be_focused()
        await tab.keyboard.press("Shift+Tab")
        await expect(tab.get_by_role("button", name="New conversation")).to_be_focused()
        await tab.keyboard.press("Shift+Tab")
        skip = tab.get_by_role("link", name="Skip to the message box")
        await expect(skip).to_be_focused()
        await expect(skip).to_be_in_viewport()
        await shoot(tab, "skip-link")
        await tab.keyboard.press("Enter")
        await expect(box).to_be_focused()
        await tab.keyboard.press("Tab")
        await expect(tab.get_by_role("button", name="Send")).to_be_focused()


async def test_chips_send_commands(store: Store, tab: Page) -> None:
    async with scene(store, bot(personas=PERSONAS), answer=Typist("Persona: Translator.")) as stage:
        await tab.goto(await stage.replica())
        await tab.get_by_role("button", name="Translator").click()
        await expect(tab.locator("#log .bot")).to_contain_text("Persona: Translator.")
        assert [message.text for message in stage.desk.received] == ["!persona translator"]
        await expect(tab.locator("#welcome")).to_be_hidden()


async def test_two_windows_and_a_new_conversation(store: Store, context: BrowserContext) -> None:
    async with scene(store, answer=Typist("Answer.")) as stage:
        one, two = await context.new_page(), await context.new_page()
        # Cookies know no ports, so both replicas see the same session, as behind one Service.
        await one.goto(await stage.replica())
        await two.goto(await stage.replica())
        await ask(one, "Hello")
        for tab in (one, two):
            await expect(tab.locator("#log .user")).to_have_count(1)
            await expect(tab.locator("#log .bot .body")).to_have_text("Answer.")
        await one.get_by_role("button", name="New conversation").click()
        for tab in (one, two):
            await expect(tab.locator("#log article")).to_have_count(0)
            await expect(tab.get_by_role("heading", name="How can I help?")).to_be_visible()


async def test_copy_button(store: Store, context: BrowserContext, tab: Page) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    async with scene(store, answer=Typist()) as stage:
        await tab.goto(await stage.replica())
        await ask(tab, "Code?")
        await tab.get_by_role("button", name="Copy code").click()
        await expect(tab.locator(".copy")).to_have_text("Copied")
        copied = await tab.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("def total(price, kwh_per_year")
        assert copied.endswith("total(429, 142))\n")


async def test_reader_who_scrolled_up_is_left_alone(store: Store, tab: Page) -> None:
    typist = Typist("\n\n".join(f"Paragraph {number}." for number in range(60)))
    async with scene(store, answer=typist) as stage:
        await tab.goto(await stage.replica())
        await ask(tab, "Much, please")
        await expect(tab.locator("#log .bot")).to_contain_text("Paragraph 59.")
        typist.go_on.clear()
        await ask(tab, "More, please")
        await expect(tab.locator("#live .bot")).to_contain_text("Paragraph 20.")
        await tab.evaluate("scrollTo(0, 0)")
        typist.go_on.set()
        await expect(tab.locator("#log .bot")).to_have_count(2)
        assert await tab.evaluate("scrollY") == 0
        await tab.get_by_role("button", name="New messages below").click()
        await expect(tab.locator("#log .bot p", has_text="Paragraph 59.").last).to_be_in_viewport()
        await expect(tab.locator("#latest")).to_be_hidden()


async def test_without_a_script(store: Store, chromium: Browser) -> None:
    async with scene(store, answer=Typist("Works as well.")) as stage:
        context = await chromium.new_context(java_script_enabled=False, locale="ru-RU", color_scheme="dark")
        tab = await context.new_page()
        await tab.goto(await stage.replica())
        await tab.get_by_label("Сообщение").fill("Привет")
        await tab.get_by_role("button", name="Отправить").click()
        await expect(tab.locator("#log .bot")).to_contain_text("Works as well.", timeout=15_000)
        await expect(tab.locator("#log .user")).to_contain_text("Привет")
        await shoot(tab, "no-script-russian-dark")
        await context.close()
