"""Logging in to the page: by a password, and by a token of another site; and out again."""

from __future__ import annotations

import base64
import hashlib
import time
import unicodedata
from typing import Any

import aiohttp
import pytest
from joserfc import jwk, jwt

from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from gptbot_api import InvalidManifest
from tests.fakes.oidc.provider import FakeProvider
from tests.platforms.web.conftest import Browser
from tests.platforms.web.scene import bot, scene

JSON = {"Accept": "application/json"}
PASSWORD = "grüne Äpfel, 7 Stück"


def closed(access: dict[str, Any], secrets: dict[str, str], **web: Any) -> BotConfig:
    """A bot whose page is closed, with the keys of its Secret `page`."""
    config = bot(platforms={"web": {"title": "Appliance store", "access": access, **web}})
    return BotConfig(config.bot, secrets={("test", "page"): secrets})


def behind_password(password: str = PASSWORD, **access: Any) -> BotConfig:
    reference = {"name": "page", "key": "password"}
    return closed({"mode": "password", "passwordSecretRef": reference} | access, {"password": password})


async def log_in(browser: Browser, page: str, password: str) -> aiohttp.ClientResponse:
    async with browser.http.post(f"{page}login", data={"password": password}) as response:
        await response.read()
        return response


async def refused_everywhere(browser: Browser, page: str, **headers: str) -> None:
    """Nothing of the page is given to somebody who is not let in."""
    async with browser.http.get(page, headers=headers) as response:
        html = await response.text()
        assert "composer" not in html
        assert 'class="login"' in html
    for path in ("", "events"):
        async with browser.http.get(page + path, headers=headers | JSON) as response:
            assert response.status in (200, 401), path
            assert "composer" not in await response.text()
    for path in ("message", "new"):
        async with browser.http.post(page + path, data={"text": "hi"}, headers=headers | JSON) as response:
            assert response.status == 401
            assert (await response.json())["error"]
        async with browser.http.post(page + path, data={"text": "hi"}, headers=headers) as response:
            assert response.status == 401
            assert 'class="login"' in await response.text()


async def test_without_the_password_nothing_of_the_page_is_given(store: Store, browser: Browser) -> None:
    async with scene(store, behind_password()) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        assert '<form id="login" method="post" action="login">' in html
        assert "Appliance store" in html
        await refused_everywhere(browser, page)
        assert not browser.http.cookie_jar.filter_cookies(page)  # type: ignore[arg-type]
        assert not stage.desk.received
        async with browser.http.get(f"{page}static/page.css") as response:
            assert response.status == 200


async def test_with_the_password_it_is_as_ever_at_every_replica(store: Store, browser: Browser) -> None:
    async with scene(store, behind_password(session="1h")) as stage:
        page = await stage.replica()
        other = await stage.replica()
        response = await log_in(browser, page, PASSWORD)
        assert [step.status for step in response.history] == [303]
        assert response.status == 200
        (line,) = response.history[0].headers.getall("Set-Cookie")
        assert "Max-Age=3600" in line or "Max-Age=3599" in line
        html = await browser.load(page)
        assert 'action="logout" >' in html
        await browser.say(page, "hello")
        session = browser.cookie(page)
        async with browser.http.get(other) as answer:  # cookies know no ports
            assert "hello" in await answer.text()
        (message,) = stage.desk.received
        assert message.user == message.conversation == session
        async with browser.http.post(f"{page}new") as answer:
            assert answer.status == 200
        assert browser.cookie(page) != session
        await browser.say(page, "again")


async def test_a_wrong_password_is_told_and_opens_nothing(store: Store, browser: Browser) -> None:
    async with scene(store, behind_password()) as stage:
        page = await stage.replica()
        for wrong in ("", "x", PASSWORD + " ", PASSWORD.upper(), "y" * 5000):
            async with browser.http.post(f"{page}login", data={"password": wrong}) as response:
                assert response.status == 401
                assert "This is not the password" in await response.text()
                assert "Set-Cookie" not in response.headers
        async with browser.http.post(
            f"{page}login", data={"password": PASSWORD}, headers={"Origin": "https://evil.example"}
        ) as response:
            assert response.status == 403
        async with browser.http.post(f"{page}login", data=b"\xff", headers={"Content-Type": "text/plain"}) as response:
            assert response.status == 400
        await refused_everywhere(browser, page)


async def test_the_same_letters_composed_in_another_way_are_the_password(store: Store, browser: Browser) -> None:
    async with scene(store, behind_password()) as stage:
        page = await stage.replica()
        assert (await log_in(browser, page, unicodedata.normalize("NFD", PASSWORD))).status == 200


async def test_a_hash_may_stand_in_the_secret(store: Store, browser: Browser) -> None:
    salt = b"0123456789abcdef"
    digest = hashlib.scrypt(b"open sesame", salt=salt, n=2**14, r=8, p=1, dklen=32)
    text = "$scrypt$ln=14,r=8,p=1$" + "$".join(base64.b64encode(part).decode().rstrip("=") for part in (salt, digest))
    async with scene(store, behind_password(text)) as stage:
        page = await stage.replica()
        assert (await log_in(browser, page, text)).status == 401
        assert (await log_in(browser, page, "open sesame")).status == 200


@pytest.mark.parametrize("text", ["$scrypt$", "$scrypt$ln=30,r=8,p=1$" + "a" * 22 + "$" + "a" * 43])
async def test_a_hash_that_cannot_be_used_is_said_at_the_start(store: Store, text: str) -> None:
    async with scene(store, behind_password(text)) as stage:
        with pytest.raises(InvalidManifest, match=r"passwordSecretRef: the password's hash cannot be used: "):
            stage.gateway()


async def test_a_missing_secret_closes_the_page(store: Store) -> None:
    config = behind_password()
    async with scene(store, BotConfig(config.bot)) as stage:
        with pytest.raises(InvalidManifest, match=r"spec\.platforms\.web\.access\.passwordSecretRef: Secret 'page'"):
            stage.gateway()


async def test_another_password_ends_all_sessions(store: Store, browser: Browser) -> None:
    async with scene(store, behind_password()) as stage:
        page = await stage.replica()
        await log_in(browser, page, PASSWORD)
        assert "composer" in await browser.load(page)
        changed = BotConfig(stage.config.bot, secrets={("test", "page"): {"password": "another"}})
        stage.config = changed
        async with browser.http.get(await stage.replica()) as response:
            assert 'class="login"' in await response.text()


async def test_logging_out_ends_the_session_in_this_browser(store: Store, browser: Browser) -> None:
    async with scene(store, behind_password()) as stage:
        page = await stage.replica()
        await log_in(browser, page, PASSWORD)
        async with browser.http.post(f"{page}logout", headers={"Origin": "https://evil.example"}) as response:
            assert response.status == 403
        assert "composer" in await browser.load(page)
        async with browser.http.post(f"{page}logout") as response:
            assert 'class="login"' in await response.text()
        await refused_everywhere(browser, page)


async def test_a_stream_of_events_ends_with_the_login(store: Store, browser: Browser) -> None:
    async with scene(store, behind_password(session="1s")) as stage:
        page = await stage.replica()
        async with browser.http.post(f"{page}login", data={"password": PASSWORD}, allow_redirects=False) as response:
            cookie = response.headers["Set-Cookie"].partition(";")[0]
        async with browser.http.get(f"{page}events", headers={"Cookie": cookie}) as stream:
            if stream.status == 200:  # else the second was over before
                assert b"ping" in await stream.read()
        async with browser.http.get(f"{page}events", headers={"Cookie": cookie}) as stream:
            assert stream.status == 401


# --- Tokens of another site

ISSUER, AUDIENCE = "https://shop.example", "the-bot"
SECRET = "a secret of thirty-two bytes or more"


def claims(**changes: Any) -> dict[str, Any]:
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "customer-7", "exp": int(time.time()) + 120} | changes


def signed(key: jwk.Key, algorithm: str, **changes: Any) -> str:
    return jwt.encode({"alg": algorithm}, claims(**changes), key, [algorithm])


RSA = jwk.RSAKey.generate_key(2048)
KEYS: dict[str, tuple[jwk.Key, str]] = {
    "HS256": (jwk.OctKey.import_key(SECRET), "secretRef"),
    "RS256": (RSA, "publicKeySecretRef"),
    "ES256": (jwk.ECKey.generate_key("P-256"), "publicKeySecretRef"),
    "EdDSA": (jwk.OKPKey.generate_key("Ed25519"), "publicKeySecretRef"),
}


def behind_token(algorithm: str) -> BotConfig:
    key, field = KEYS[algorithm]
    value = SECRET if isinstance(key, jwk.OctKey) else key.as_pem(private=False).decode()
    token = {"issuer": ISSUER, "audience": AUDIENCE, field: {"name": "page", "key": "k"}}
    return closed({"mode": "token", "token": token}, {"k": value})


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_token_is_traded_for_a_session_once(store: Store, browser: Browser, algorithm: str) -> None:
    async with scene(store, behind_token(algorithm)) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        assert 'src="static/login.js' in html
        await refused_everywhere(browser, page)
        token = signed(KEYS[algorithm][0], algorithm)
        headers = JSON | {"Authorization": f"Bearer {token}"}
        async with browser.http.post(f"{page}session", headers=headers) as response:
            assert response.status == 200
            assert (await response.json()) == {}
        await browser.say(page, "hello")
        (message,) = stage.desk.received
        assert message.conversation == browser.cookie(page)
        assert message.user.startswith("user:")
        assert "customer-7" not in message.user
        async with browser.http.post(f"{page}session", headers=headers) as response:
            assert response.status == 401


async def test_a_form_of_the_other_site_logs_in(store: Store, browser: Browser) -> None:
    async with scene(store, behind_token("HS256")) as stage:
        page = await stage.replica()
        token = signed(KEYS["HS256"][0], "HS256")
        headers = {"Origin": ISSUER, "Sec-Fetch-Site": "cross-site"}
        async with browser.http.post(f"{page}session", data={"token": token}, headers=headers) as response:
            assert 'content="0;url=./"' in await response.text()
        assert "composer" in await browser.load(page)


async def test_who_comes_back_keeps_the_conversation_and_somebody_else_gets_another(
    store: Store, browser: Browser
) -> None:
    async with scene(store, behind_token("HS256")) as stage:
        page = await stage.replica()
        sessions = list[str]()
        for number, person in enumerate(("a", "a", "b")):
            token = signed(KEYS["HS256"][0], "HS256", sub=person, jti=str(number))
            async with browser.http.post(f"{page}session", data={"token": token}) as response:
                assert response.status == 200
            sessions.append(browser.cookie(page))
        assert sessions[0] == sessions[1] != sessions[2]


async def test_a_token_with_each_request_needs_no_cookie(store: Store) -> None:
    async with scene(store, behind_token("ES256")) as stage, aiohttp.ClientSession() as http:
        page = await stage.replica()
        tokens = [signed(*KEYS["ES256"][:1], "ES256", jti=str(number)) for number in range(2)]
        for token in tokens:
            headers = JSON | {"Authorization": f"Bearer {token}"}
            async with http.post(f"{page}message", data={"text": "hello"}, headers=headers) as response:
                assert response.status == 200
                assert "Set-Cookie" not in response.headers
        one, two = stage.desk.received
        assert (one.conversation, one.user) == (two.conversation, two.user)
        async with http.get(f"{page}events", headers={"Authorization": f"Bearer {tokens[0]}"}) as stream:
            assert stream.status == 200
            assert await stream.content.readline() == b"id: 0-0\r\n"


async def test_keys_at_an_address_are_fetched_once(store: Store, browser: Browser) -> None:
    async with FakeProvider().serving() as site:
        token = {"issuer": ISSUER, "audience": AUDIENCE, "keysUrl": f"{site.issuer}/keys"}
        async with scene(store, closed({"mode": "token", "token": token}, {})) as stage:
            page = await stage.replica()
            async with browser.http.post(f"{page}session", data={"token": site.token(claims())}) as response:
                assert response.status == 200
            for number in range(3):
                headers = JSON | {"Authorization": f"Bearer {site.token(claims(jti=str(number)))}"}
                async with browser.http.post(f"{page}session", headers=headers) as response:
                    assert response.status == 200
            assert site.asked.count("/realm/keys") == 1
            site.key = jwk.RSAKey.generate_key(2048, auto_kid=True)
            for _ in range(3):  # they are asked for once in 30 s at most, however many unknown keys are named
                async with browser.http.post(f"{page}session", data={"token": site.token(claims())}) as response:
                    assert response.status == 401
            assert site.asked.count("/realm/keys") == 1


@pytest.mark.parametrize(
    ("value", "field", "said"),
    [
        ("short", "secretRef", "secretRef: must have 32 bytes at least"),
        (RSA.as_pem(private=False).decode(), "secretRef", "secretRef: is a public key"),
        ("no key", "publicKeySecretRef", "must be a public key"),
        (jwk.RSAKey.generate_key(1024).as_pem(private=False).decode(), "publicKeySecretRef", "must be a public key"),
    ],
)
async def test_a_key_that_cannot_be_used_is_said_at_the_start(store: Store, value: str, field: str, said: str) -> None:
    token = {"issuer": ISSUER, "audience": AUDIENCE, field: {"name": "page", "key": "k"}}
    async with scene(store, closed({"mode": "token", "token": token}, {"k": value})) as stage:
        with pytest.raises(InvalidManifest, match=said):
            stage.gateway()
