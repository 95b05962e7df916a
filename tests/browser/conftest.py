"""Chromium, and pages that report what went wrong in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from gptbot.inbox.store import Store

expect.set_options(timeout=60_000)
"""How long a page takes is a matter of the machine: a test waits, and fails when what it expects never comes."""

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
_ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_chromium() -> str:
    """Path of Chromium. Fails the test when there is none: a page that nobody looked at is not tested."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None or not Path(found).exists():
        pytest.fail(
            f"these tests need Chromium, and {named or 'none on the PATH'} is not it: install it with"
            " `apt-get install chromium`, or set CHROMIUM to the path of the program",
            pytrace=False,
        )
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def store(store_url: str) -> AsyncIterator[Store]:
    """A store in the loop that Chromium's tests share: starting Chromium for each of them takes too long."""
    async with Store.connect(store_url) as connected:
        yield connected


@pytest.fixture
def problems() -> list[str]:
    """What consoles and scripts complained about. A test that provokes a complaint takes it out."""
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: Browser, problems: list[str]) -> AsyncIterator[BrowserContext]:
    """A desktop browser, light, without animations, in English. Errors of scripts and of policies fail the test."""
    context = await chromium.new_context(
        viewport={"width": 1100, "height": 800}, color_scheme="light", reduced_motion="reduce", locale="en-US"
    )
    listen(context, problems)
    yield context
    await context.close()
    assert problems == []


def listen(context: BrowserContext, problems: list[str]) -> None:
    """Gather what its pages complain about."""

    def heard(message: ConsoleMessage) -> None:
        # A test's server ends before its page does, and the page tries to connect again: that is no complaint.
        if message.type in ("error", "warning") and "ERR_CONNECTION_REFUSED" not in message.text:
            problems.append(f"{message.text} at {message.location.get('url', '')}")

    context.on("console", heard)
    context.on("weberror", lambda error: problems.append(str(error.error)))


@pytest_asyncio.fixture(loop_scope="session")
async def tab(context: BrowserContext) -> Page:
    return await context.new_page()


async def shoot(page: Page, name: str) -> None:
    """Keep a picture of what is on the screen in `artifacts/web-NAME.png`."""
    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(path=ARTIFACTS / f"web-{name}.png")


async def ask(page: Page, text: str) -> None:
    """Type into the box and press Enter."""
    await page.locator("#message").fill(text)
    await page.locator("#message").press("Enter")
