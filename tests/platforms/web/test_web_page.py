"""The page over HTTP: headers, cookies, what is refused, and life without a script."""

from __future__ import annotations

import re
import uuid
from http.cookies import SimpleCookie

import aiohttp
import pytest

from gptbot.http.headers import CONTENT_SECURITY_POLICY
from gptbot.inbox.store import Store
from gptbot.platforms.base import Button
from gptbot.platforms.errors import NotSent
from gptbot.platforms.inbound import Inbound, Verdict
from gptbot.platforms.web.form import MAX_CHARACTERS
from gptbot.platforms.web.page import ASSETS
from gptbot.platforms.web.sender import WebSender
from tests.platforms.web.conftest import Browser
from tests.platforms.web.scene import bot, scene

JSON = {"Accept": "application/json"}


async def echo(sender: WebSender, message: Inbound) -> None:
    """Answer at once."""
    await sender.send(message.address, f"You said: {message.text}", nonce=uuid.uuid4().hex[:25], first=True, final=True)


async def test_every_answer_is_a_safe_one(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        for path in (
            "",
            "static/page.js",
            "static/page.css",
            "static/icon.svg",
            "nothing",
            "static/page.html",
            "events",
        ):
            async with browser.http.get(page + path) as response:
                headers = response.headers
                assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert headers["X-Frame-Options"] == "DENY"
                assert headers["Referrer-Policy"] == "same-origin"
                assert "server" not in headers
                if path.startswith("static/page.") and not path.endswith("html"):
                    assert "immutable" in headers["Cache-Control"]
                else:
                    assert "no-store" in headers["Cache-Control"] or path == "static/icon.svg"
                if path in ("nothing", "static/page.html"):
                    assert response.status == 404
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none';")


async def test_nothing_comes_from_elsewhere(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        html = await browser.load(page)
    sources = [html, *(content.decode() for content, _ in ASSETS.values())]
    outside = [url for text in sources for url in re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"')]*", text)]
    assert outside == ["http://www.w3.org/2000/svg"]  # the name of SVG, not an address
    assert not re.search(r"<[^>]+\s(style|on\w+)=", html)
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style", html)


@pytest.mark.parametrize(
    ("headers", "prefix", "path"),
    [
        ({}, "", ""),
        ({"X-Forwarded-Proto": "https"}, "__Host-", "/"),
        ({"X-Forwarded-Proto": "http"}, "", ""),
        ({"X-Forwarded-Proto": "https, http"}, "__Host-", "/"),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/"}, "__Host-", "/"),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/chat"}, "__Secure-", ""),
    ],
)
async def test_session_cookie(store: Store, browser: Browser, headers: dict[str, str], prefix: str, path: str) -> None:
    async with scene(store, bot(context={"ttl": "2h"})) as stage:
        page = await stage.replica()
        async with browser.http.get(page, headers=headers) as response:
            (line,) = response.headers.getall("Set-Cookie")
        name = f"{prefix}gptbot.test.{stage.config.bot.metadata.name}"
        morsel = SimpleCookie(line)[name]
        assert re.fullmatch(r"[\w-]{22}\.0\.\.[\w-]{43}", morsel.value)
        assert (morsel["httponly"], morsel["samesite"], bool(morsel["secure"])) == (True, "strict", bool(prefix))
        assert (morsel["max-age"], morsel["path"], morsel["domain"]) == ("7200", path, "")


async def test_cookies_that_are_not_ours_are_replaced(store: Store) -> None:
    async with scene(store) as stage, aiohttp.ClientSession() as http:
        page = await stage.replica()
        cookie = f"gptbot.test.{stage.config.bot.metadata.name}"
        for value in ("", "short", "x" * 500, "a/b" * 8):
            async with http.get(page, headers={"Cookie": f"{cookie}={value}"}) as response:
                (line,) = response.headers.getall("Set-Cookie")
                assert SimpleCookie(line)[cookie].value != value


async def test_conversation_without_a_script(store: Store, browser: Browser) -> None:
    async with scene(store, answer=echo) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        assert 'http-equiv="refresh"' not in html
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html.split('id="composer"')[1]))
        async with browser.http.post(f"{page}message", data=fields | {"text": "2 < 3 & *so*\r\non"}) as response:
            assert [step.status for step in response.history] == [303]
            html = await response.text()
        while "You said" not in html:
            assert '<meta http-equiv="refresh" content="3;url=./?plain">' in html
            html = await browser.load(f"{page}?plain")
        assert "<p>2 &lt; 3 &amp; *so*\non</p>" in html
        assert "You said: 2 &lt; 3 &amp; <em>so</em><br>\non" in html
        assert 'http-equiv="refresh"' not in html
        # The form once more, as an impatient finger or a reload sends it.
        async with browser.http.post(f"{page}message", data=fields | {"text": "2 < 3 & *so*\r\non"}) as response:
            assert response.status == 200
        assert len(stage.desk.received) == 1
        assert (await browser.load(page)).count("2 &lt; 3 &amp; *so*") == 1


async def test_what_the_bot_is_told(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        await browser.load(page)
        fields = {"text": "  !persona  smith\r\n ", "id": "first-message"}
        async with browser.http.post(
            f"{page}message", data=fields, headers=JSON | {"Accept-Language": "xx;q=0.1, ru-RU, en;q=0.5"}
        ) as response:
            assert response.status == 200
        (message,) = stage.desk.received
        cookie = browser.cookie(page)
        assert (message.conversation, message.user) == (cookie, cookie)
        assert (message.text, message.language) == ("!persona  smith", "ru-RU")
        assert (message.direct, message.addressed, list(message.principals)) == (True, True, ["page:public"])
        assert message.event.endswith(":first-message")
        assert cookie not in str(message.address) + message.event


async def test_store_never_sees_the_session_or_what_is_redacted(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        await browser.load(page)
        answer = await browser.say(page, "I am jane.doe@example.org, write to me")
        assert "write to me" in answer["html"]
        assert "jane.doe" not in answer["html"]
        dump = ""
        for key in await store.command("KEYS", f"{stage.keys.prefix}*"):
            dump += f"{key} {await store.command('XRANGE', key, '-', '+')}\n"
        assert "write to me" in dump
        assert "jane.doe" not in dump
        assert browser.cookie(page) not in dump


async def test_refused_by_the_intake(store: Store, browser: Browser) -> None:
    async with scene(store, answer=echo) as stage:
        stage.desk.accepts = False
        page = await stage.replica()
        await browser.load(page)
        assert (await browser.say(page, "anyone?"))["accepted"] is False


async def test_a_refusal_is_told_at_once_and_stores_nothing(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        await browser.load(page)
        before = await store.command("KEYS", f"{stage.keys.prefix}*")
        for verdict, status, said in (
            (Verdict("limit-user", {"seconds": 61}), 429, "Please try again in 61 seconds."),
            (Verdict("limit-mute", {"seconds": 3600}), 429, "I shall not read yours for 1 hour."),
            (Verdict("access-denied"), 422, "You may not use this bot here."),
        ):
            stage.desk.verdict = verdict
            assert said in (await browser.say(page, "anyone?", status=status))["error"]
        assert await store.command("KEYS", f"{stage.keys.prefix}*") == before
        assert stage.desk.received == []


async def test_hidden_characters_do_not_keep_personal_data_in_what_is_shown(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        await browser.load(page)
        answer = await browser.say(page, "write to jane.doe@exa\u200bmple.org")
        assert "[email]" in answer["html"]
        assert "jane.doe" not in answer["html"]


async def test_limits_say_what_to_do(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        await browser.load(page)
        fits = "я" * MAX_CHARACTERS
        assert (await browser.say(page, fits))["accepted"]
        answer = await browser.say(page, fits + "!", status=413)
        assert answer["error"] == "Your message has 16,001 characters; 16,000 fit. Please shorten it."
        assert "too long" in (await browser.say(page, "x" * 1_000_000, status=413))["error"]
        assert (await browser.say(page, " \r\n\x00 ", status=400))["error"] == "Write something first."
        assert len(stage.desk.received) == 1
        async with browser.http.post(f"{page}message", json={"text": "x"}, headers=JSON) as response:
            assert response.status == 400
        # Without a script the page comes back with what was written.
        async with browser.http.post(f"{page}message", data={"text": "y" * 16_001}) as response:
            html = await response.text()
        assert response.status == 413
        assert "y" * 16_001 + "</textarea>" in html
        assert '<p id="error" role="alert">Your message has 16,001 characters' in html


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "PAGE"}, 200),
        ({}, 200),
    ],
)
async def test_other_sites_cannot_write(store: Store, browser: Browser, headers: dict[str, str], status: int) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        await browser.load(page)
        cookie = browser.cookie(page)
        headers = {name: value.replace("PAGE", page.rstrip("/")) for name, value in headers.items()}
        async with browser.http.post(f"{page}message", data={"text": "x"}, headers=headers | JSON) as response:
            assert response.status == status
        assert len(stage.desk.received) == (status == 200)
        async with browser.http.post(f"{page}new", headers=headers, allow_redirects=False) as response:
            assert response.status == (303 if status == 200 else 403)
        assert (browser.cookie(page) == cookie) == (status == 403)


async def test_a_link_from_another_site_keeps_the_conversation(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        async with browser.http.get(page, headers=headers) as response:
            assert "Set-Cookie" not in response.headers
            assert '<meta http-equiv="refresh" content="0">' in await response.text()
        async with browser.http.get(page, headers={"Sec-Fetch-Site": "same-origin"}) as response:
            assert "Set-Cookie" in response.headers


async def test_page_of_a_conversation_that_was_left_cannot_write(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        tag = re.findall(r'name="conversation" value="([^"]+)"', html)[0]
        await browser.say(page, "one", conversation=tag)
        await (await browser.http.post(f"{page}new")).release()
        await browser.say(page, "two", status=409, conversation=tag)
        assert [message.text for message in stage.desk.received] == ["one"]


@pytest.mark.parametrize(
    ("wanted", "language", "text"),
    [
        ("ru", "ru", "Чем могу помочь?"),
        ("de, ru-RU;q=0.8, en;q=0.5", "ru", "через 24 часа после"),
        ("de, fr", "en", "24 hours after its last message"),
        ("en-GB", "en", "How can I help?"),
        ("ru;q=0, *", "en", "How can I help?"),
        (";;q=x,,<script>", "en", "How can I help?"),
    ],
)
async def test_languages(store: Store, browser: Browser, wanted: str, language: str, text: str) -> None:
    async with scene(store) as stage:
        html = await browser.load(await stage.replica(), **{"Accept-Language": wanted})
        assert f'<html lang="{language}">' in html
        assert text in html


async def test_title_and_personas_cannot_inject(store: Store, browser: Browser) -> None:
    config = bot(
        platforms={"web": {"title": "<b>$title ${x}\"'&"}},
        personas=[
            {"name": "smith", "title": '"><script>1</script>', "prompt": "x"},
            {"name": "jones", "prompt": "y"},
        ],
    )
    async with scene(store, config) as stage:
        html = await browser.load(await stage.replica())
    assert "<title>&lt;b&gt;$title ${x}&quot;'&amp;</title>" in html
    assert 'value="!persona smith"' in html
    assert ">jones</button>" in html
    assert "<script>1" not in html


async def test_store_away(store_url: str, browser: Browser) -> None:
    async with Store.connect("redis://127.0.0.1:1/0") as nowhere, scene(nowhere) as stage:
        page = await stage.replica()
        async with browser.http.get(page) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
            assert "cannot be shown right now" in await response.text()
        answer = await browser.say(page, "hello", status=503)
        assert "kept in the box" in answer["error"]
        assert stage.desk.received == []
        async with browser.http.post(f"{page}message", data={"text": "my words"}) as response:
            assert response.status == 503
            assert ">my words</textarea>" in await response.text()
        with pytest.raises(NotSent):
            await stage.sender.send({"session": "s"}, "x", nonce="n", first=True, final=True)
        await stage.sender.typing({"session": "s"})  # does not matter, so it raises nothing


async def test_a_button_tells_which_answer_it_stands_below_in_every_tab(store: Store, browser: Browser) -> None:
    """Regenerate in two tabs is one wish, and the door can only know by the answer that it is about."""
    async with scene(store) as stage:
        page = await stage.replica()
        await browser.load(page)
        address, retry = stage.address(browser.cookie(page)), [Button("Regenerate", "retry")]
        await stage.sender.send(address, "An answer", nonce="first", first=True, final=True, buttons=retry)
        for _ in range(2):
            form = (await browser.load(page)).partition('class="actions"')[2].partition("</form>")[0]
            fields = dict(re.findall(r'name="(id|press|below)" value="([^"]*)"', form))
            assert (await browser.say(page, "!retry", **fields))["accepted"]
        await browser.say(page, "!retry", below="first")
    assert [message.pressed for message in stage.desk.received] == ["first", "first", ""], "the last was typed"
