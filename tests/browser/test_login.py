"""Logging in with a real browser, whose cookies are strict: by a password, at another site, by a token."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack

import pytest
from joserfc import jwt
from playwright.async_api import BrowserContext, Page, expect

from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from tests.browser.answers import Typist
from tests.browser.conftest import ask, shoot
from tests.fakes.oidc.provider import CLIENT, SECRET, FakeProvider
from tests.platforms.web.scene import bot, scene
from tests.platforms.web.test_web_access_login import KEYS, PASSWORD, behind_password, behind_token, claims

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def inside(tab: Page) -> None:
    """Wait until the page itself is there, and lives."""
    await expect(tab.locator("#composer")).to_be_visible()
    await tab.wait_for_load_state("load")


async def test_a_password_opens_the_page_and_leaving_closes_it(store: Store, tab: Page, problems: list[str]) -> None:
    async with scene(store, behind_password(), Typist("Welcome.")) as stage:
        page = await stage.replica()
        await tab.goto(page)
        await expect(tab.get_by_label("Password")).to_be_focused()
        await shoot(tab, "login")
        await tab.get_by_label("Password").fill("guess")
        await tab.keyboard.press("Enter")
        await expect(tab.get_by_role("alert")).to_contain_text("This is not the password")
        await tab.get_by_label("Password").fill(PASSWORD)
        await tab.get_by_role("button", name="Log in").click()
        await inside(tab)
        await ask(tab, "hello")
        await expect(tab.locator("#log .bot")).to_contain_text("Welcome.")
        await tab.get_by_role("button", name="Log out").click()
        await expect(tab.get_by_label("Password")).to_be_visible()
        await tab.goto(page)
        await expect(tab.get_by_label("Password")).to_be_visible()
    problems[:] = [problem for problem in problems if "401" not in problem]


async def test_without_a_script_it_opens_too(store: Store, context: BrowserContext, problems: list[str]) -> None:
    assert context.browser
    plain = await context.browser.new_context(java_script_enabled=False, locale="ru-RU")
    async with scene(store, behind_password()) as stage:
        tab = await plain.new_page()
        await tab.goto(await stage.replica())
        await tab.get_by_label("Пароль").fill(PASSWORD)
        await tab.get_by_role("button", name="Войти").click()
        await expect(tab.get_by_role("button", name="Выйти")).to_be_visible()
        await plain.close()


async def test_a_login_at_another_site_comes_back_to_the_page(store: Store, tab: Page) -> None:
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(FakeProvider().serving())
        oidc = {"issuer": provider.issuer, "clientId": CLIENT, "clientSecretRef": {"name": "page", "key": "client"}}
        config = bot(platforms={"web": {"access": {"mode": "oidc", "oidc": oidc}}})
        config = BotConfig(config.bot, secrets={("test", "page"): {"client": SECRET}})
        stage = await stack.enter_async_context(scene(store, config, Typist("Welcome.")))
        # To a browser the provider, at 127.0.0.1, is another site than this.
        page = (await stage.replica()).replace("127.0.0.1", "localhost")
        provider.redirect_uris.add(f"{page}callback")
        await tab.goto(page)
        await tab.get_by_role("link", name="Log in").click()
        await inside(tab)
        await ask(tab, "hello")
        await expect(tab.locator("#log .bot")).to_contain_text("Welcome.")
        assert tab.url.split("#")[0] == page
        await tab.reload()
        await expect(tab.locator("#log .bot")).to_contain_text("Welcome.")


async def test_a_token_behind_the_address_logs_in_and_is_gone_from_it(store: Store, tab: Page) -> None:
    async with scene(store, behind_token("HS256"), Typist("Welcome.")) as stage:
        page = await stage.replica()

        def address(person: str) -> str:
            said = claims(sub=person, exp=int(time.time()) + 120)
            return f"{page}#token={jwt.encode({'alg': 'HS256'}, said, KEYS['HS256'][0], ['HS256'])}"

        await tab.goto(address("a"))
        await inside(tab)
        await ask(tab, "hello")
        await expect(tab.locator("#log .bot")).to_contain_text("Welcome.")
        assert "token" not in tab.url
        await tab.goto("about:blank")
        await tab.goto(address("b"))  # somebody else at the same browser
        await expect(tab.locator("#welcome")).to_be_visible()
        await expect(tab.locator("#log .bot")).to_have_count(0)
        assert "token" not in tab.url


async def test_a_form_of_another_site_logs_in(store: Store, tab: Page, context: BrowserContext) -> None:
    async with scene(store, behind_token("HS256"), Typist("Welcome.")) as stage:
        page = (await stage.replica()).replace("127.0.0.1", "localhost")
        token = jwt.encode({"alg": "HS256"}, claims(), KEYS["HS256"][0], ["HS256"])
        fields = f'<input name="token" value="{token}"><button>Chat</button>'
        form = f'<form method="post" action="{page}session">{fields}</form>'
        await context.route(
            "http://shop.example/", lambda route: route.fulfill(body=form, content_type="text/html; charset=utf-8")
        )
        await tab.goto("http://shop.example/")
        await tab.get_by_role("button", name="Chat").click()
        await inside(tab)
        await ask(tab, "hello")
        await expect(tab.locator("#log .bot")).to_contain_text("Welcome.")
