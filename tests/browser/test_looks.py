"""How the page looks and sounds: phone, dark, right to left, names, roles and contrast."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from gptbot.inbox.store import Store
from tests.browser.answers import ANSWER, Typist
from tests.browser.conftest import ask, listen, shoot
from tests.platforms.web.scene import bot, scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDE = (
    ANSWER
    + "\n\n| " + " | ".join(f"a long column {n}" for n in range(9)) + " |\n|" + "---|" * 9 + "\n|" + " x |" * 9
    + "\n\n`" + "w" * 200 + "`\n\nhttps://example.org/" + "p" * 300 + "\n\n```\n" + "c" * 300 + "\n```\n"
)  # fmt: skip

# WCAG 2.2, 1.4.3: contrast of each text with what lies behind it.
CONTRAST = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const over = (top, below) => top.slice(0, 3).map((part, i) => (part * top[3] + below[i] * (255 - top[3])) / 255);
    const behind = (element) => {
        if (!element) return rgba(getComputedStyle(document.body).backgroundColor).slice(0, 3);
        return over(rgba(getComputedStyle(element).backgroundColor), behind(element.parentElement));
    };
    const light = (color) => color.map((part) => part / 255).map((part) =>
        part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
        if (element.closest("script, noscript, template")) continue;
        const back = behind(element);
        const [a, b] = [light(over(rgba(getComputedStyle(element).color), back)), light(back)];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        found.push([Math.round(ratio * 100) / 100, walker.currentNode.data.trim().slice(0, 40)]);
    }
    return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "width", "height"), [("desktop", 1100, 800), ("phone", 360, 740)])
async def test_every_screen(
    store: Store, chromium: Browser, problems: list[str], scheme: Any, device: str, width: int, height: int
) -> None:
    phone = device == "phone"
    context = await chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce", locale="en-US",
        is_mobile=phone, has_touch=phone, device_scale_factor=2 if phone else 1,
    )  # fmt: skip
    listen(context, problems)
    tab = await context.new_page()
    async with scene(store, bot(personas=_personas(5)), answer=Typist(WIDE)) as stage:
        await tab.goto(await stage.replica())
        await _fits(tab)
        await shoot(tab, f"welcome-{device}-{scheme}")
        texts = await tab.evaluate(CONTRAST)
        await ask(tab, "W" * 120 + " and which washing machine?\nWe are four.")
        await expect(tab.locator("#log .bot")).to_contain_text("ccc")
        await _fits(tab)
        texts += await tab.evaluate(CONTRAST)
        assert len(texts) > 40
        assert [text for text in texts if text[0] < 4.5] == []
        await shoot(tab, f"end-{device}-{scheme}")
        await tab.evaluate("scrollTo(0, 0)")
        await shoot(tab, f"answer-{device}-{scheme}")
    await context.close()
    assert problems == []


def _personas(count: int) -> list[dict[str, str]]:
    return [
        {"name": f"p{number}", "title": f"A rather long persona {number}", "prompt": "x"} for number in range(count)
    ]


async def _fits(tab: Page) -> None:
    """Nothing makes the page scroll sideways; targets are large enough for a finger (WCAG 2.2, 2.5.8)."""
    assert await tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    small = await tab.evaluate("""() => [...document.querySelectorAll("button, textarea")]
        .filter((element) => element.checkVisibility())
        .map((element) => [element.getBoundingClientRect(), element.outerHTML.slice(0, 80)])
        .filter(([box]) => box.width < 24 || box.height < 24).map(([, html]) => html)""")
    assert small == []


async def test_names_and_roles(store: Store, tab: Page) -> None:
    async with scene(store, bot(personas=_personas(2)), answer=Typist()) as stage:
        await tab.goto(await stage.replica())
        await ask(tab, "Hello")
        await expect(tab.locator("#log .bot")).to_have_count(1)
        await expect(tab.get_by_role("log", name="Conversation")).to_have_count(1)
        log = tab.locator("#log")
        await expect(log).to_have_attribute("aria-live", "polite")
        await expect(tab.locator("#live")).to_have_attribute("aria-live", "off")
        for role in ("banner", "main", "contentinfo"):
            assert await tab.get_by_role(role).count() == 1, role  # pyright: ignore[reportArgumentType]
        assert await tab.get_by_role("heading", level=1).all_inner_texts() == ["Appliance store"]
        # Each message says whose it is, to those who cannot see where it stands.
        assert await log.locator(".who").all_inner_texts() == ["You", "Appliance store"]
        await expect(tab.locator("#message")).to_have_accessible_description(
            "Enter sends, Shift + Enter starts a new line. !help lists the commands."
        )
        nameless = await tab.evaluate("""() => [...document.querySelectorAll("button, a, textarea, img, input")]
            .filter((element) => element.checkVisibility())
            .filter((element) => !(element.getAttribute("aria-label") || element.textContent.trim()
                || element.labels?.length || element.getAttribute("alt") !== null))
            .map((element) => element.outerHTML)""")
        assert nameless == []
        doubled = await tab.evaluate("""() => {
            const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
            return ids.filter((id, index) => ids.indexOf(id) !== index);
        }""")
        assert doubled == []
        assert await tab.evaluate("document.documentElement.lang") == "en"


async def test_right_to_left(store: Store, tab: Page) -> None:
    answer = "نعم، **هذه** الغسالة جيدة:\n\n- هادئة\n- 9 كغم\n\n```python\nprint(1)\n```\n\nAnd in English."
    async with scene(store, answer=Typist(answer)) as stage:
        await tab.goto(await stage.replica())
        await ask(tab, "ما هي أفضل غسالة لعائلة من أربعة أفراد؟")
        await expect(tab.locator("#log .bot")).to_contain_text("And in English.")
        for place, direction in (
            ("user .body", "rtl"),
            ("bot p:not(.who)", "rtl"),
            ("bot ul", "rtl"),
            ("bot pre", "ltr"),
        ):
            shown = await tab.locator(f"#log .{place}").first.evaluate(
                "(element) => getComputedStyle(element).direction"
            )
            assert shown == direction, place
        # A paragraph in another language starts on its own side.
        starts = await tab.evaluate("""() => [...document.querySelectorAll("#log .bot p:not(.who)")].map((element) => {
            const range = document.createRange();
            range.selectNodeContents(element);
            return range.getBoundingClientRect().left > 400 ? "right" : "left";
        })""")
        assert starts == ["right", "left"]
        await shoot(tab, "right-to-left")
