"""When something is in the way: the network, a limit, another site, an attacker."""

from __future__ import annotations

import pytest
from aiohttp import web
from playwright.async_api import BrowserContext, Page, expect

from gptbot.inbox.store import Store
from tests.browser.answers import Typist
from tests.browser.conftest import ask, shoot
from tests.platforms.web.scene import scene, serving

pytestmark = pytest.mark.asyncio(loop_scope="session")

ATTACK = """\
<script>document.title = 'taken'</script> <img src=x onerror="document.title='taken'">

[a](javascript:document.title='taken') ![b](https://evil.example/pixel.png)

| <svg onload="document.title='taken'"> |
|:--:|
| x |
"""


async def test_gateway_gone_and_back(store: Store, tab: Page, problems: list[str]) -> None:
    async with scene(store, answer=Typist("I am back.")) as stage:
        async with serving({stage.config.key: stage.gateway()}) as page:
            await tab.goto(page)
            await ask(tab, "first")
            await expect(tab.locator("#log .bot")).to_have_count(1)
            await expect(tab.locator("#state")).to_be_empty()
        port = int(page.rstrip("/").rpartition(":")[2])
        await expect(tab.locator("#state")).to_have_text("Connection lost. Trying again…")
        await ask(tab, "into the void")
        await expect(tab.get_by_role("alert")).to_contain_text("could not be sent")
        await expect(tab.locator("#message")).to_have_value("into the void")
        await shoot(tab, "connection-lost")
        address = stage.address(await _cookie(tab))
        await stage.sender.send(address, "Written meanwhile.", nonce="m", first=True, final=True)
        async with serving({stage.config.key: stage.gateway()}, port):
            await expect(tab.locator("#log .bot")).to_have_count(2, timeout=20_000)
            await expect(tab.locator("#log .bot").last).to_contain_text("Written meanwhile.")
            await expect(tab.locator("#state")).to_have_text("Connected again.")
            await tab.locator("#message").press("Enter")
            await expect(tab.locator("#log .user")).to_have_count(2)
            await expect(tab.get_by_role("alert")).to_be_empty()
            await expect(tab.locator("#log .bot")).to_have_count(3)
        assert [message.text for message in stage.desk.received] == ["first", "into the void"]
    problems[:] = [problem for problem in problems if "net::ERR_" not in problem]


async def _cookie(tab: Page) -> str:
    (cookie,) = [cookie for cookie in await tab.context.cookies() if cookie.get("name", "").startswith("gptbot.")]
    assert (cookie.get("httpOnly"), cookie.get("sameSite")) == (True, "Strict")
    return cookie.get("value", "").partition(".")[0]


async def test_not_taken(store: Store, tab: Page) -> None:
    async with scene(store) as stage:
        stage.desk.accepts = False
        await tab.goto(await stage.replica())
        await ask(tab, "May I?")
        await expect(tab.locator("#log .user .note")).to_contain_text("Not taken")


async def test_too_long(store: Store, tab: Page, problems: list[str]) -> None:
    async with scene(store) as stage:
        await tab.goto(await stage.replica())
        await ask(tab, "x" * 16_001)
        await expect(tab.get_by_role("alert")).to_contain_text("16,001 characters; 16,000 fit")
        await expect(tab.locator("#message")).to_have_value("x" * 16_001)
        await ask(tab, "x" * 16_000)
        await expect(tab.get_by_role("alert")).to_be_empty()
        await expect(tab.locator("#log .user")).to_have_count(1)
    problems[:] = [problem for problem in problems if "status of 413" not in problem]


async def test_attack_in_question_and_answer(store: Store, context: BrowserContext, tab: Page) -> None:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    async with scene(store, answer=Typist(ATTACK)) as stage:
        page = await stage.replica()
        await tab.goto(page)
        await ask(tab, ATTACK)
        await expect(tab.locator("#log .bot table")).to_be_visible()
        for _ in range(2):
            await expect(tab.locator("#log .user")).to_contain_text("<script>document.title")
            assert await tab.locator("#log").locator("script, img, svg, iframe, [onload], [onerror]").count() == 0
            assert await tab.title() == "Appliance store"
            await tab.reload()
    assert [url for url in asked if not url.startswith(page)] == []


async def test_policy_stops_what_gets_through(store: Store, tab: Page, problems: list[str]) -> None:
    """The second line: even HTML that nobody sanitised runs and loads nothing."""
    async with scene(store) as stage:
        await tab.goto(await stage.replica())
        await tab.evaluate("""() => {
            const box = document.createElement("div");
            box.innerHTML = `<img src="https://evil.example/pixel.png">
                <img src="nothing" onerror="document.title='taken'">
                <p style="position: fixed">x</p>`;
            document.body.append(box);
            const script = document.createElement("script");
            script.textContent = "document.title = 'taken'";
            document.body.append(script);
        }""")
        # The policy forbids what wait_for_function does once it has to wait: to make code of a text.
        await tab.locator("img[onerror]").evaluate("""(image) => image.complete || new Promise((done) => {
            for (const end of ["load", "error"]) image.addEventListener(end, () => done(true));
        })""")
        assert await tab.title() == "Appliance store"
        blocked = " ".join(problems)
        for what in ("evil.example", "inline event handler", "inline script", "inline style"):
            assert what in blocked.lower(), what
    problems.clear()


async def test_link_from_another_site_finds_the_conversation(store: Store, context: BrowserContext, tab: Page) -> None:
    async with scene(store, answer=Typist("Kept.")) as stage:
        page = await stage.replica()
        await tab.goto(page)
        await ask(tab, "Remember this")
        await expect(tab.locator("#log .bot")).to_have_count(1)

        async def elsewhere(_: web.Request) -> web.Response:
            html = f'<!doctype html><link rel="icon" href="data:,"><a href="{page}">chat</a>'
            return web.Response(text=html, content_type="text/html")

        app = web.Application()
        app.router.add_get("/{path:.*}", elsewhere)  # browsers ask for an icon now and then
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            port = runner.addresses[0][1]
            await tab.goto(f"http://localhost:{port}/")  # another name is another site
            await tab.get_by_role("link", name="chat").click()
            await expect(tab.locator("#log .user")).to_contain_text("Remember this")
        finally:
            await runner.cleanup()
