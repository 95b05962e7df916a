"""Logging in by OpenID Connect, over the wire, against a provider that signs with real keys."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from joserfc import jwk, jwt

from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from gptbot.platforms.web.access.fetch import Unreachable
from gptbot.platforms.web.access.tokens import FixedKey, RemoteKeys, Verifier
from tests.fakes.oidc.provider import CLIENT, SECRET, FakeProvider
from tests.platforms.web.conftest import Browser, make_browser
from tests.platforms.web.scene import Scene, bot, scene


@dataclass
class Login:
    """A page, its provider, and a browser."""

    stage: Scene
    provider: FakeProvider
    browser: Browser
    page: str

    async def go(self) -> tuple[int, str]:
        """Follow the login's link to the end; the last status and page."""
        async with self.browser.http.get(f"{self.page}login") as response:
            text = await response.text()
            if 'content="0;url=./"' not in text:
                return response.status, text
        async with self.browser.http.get(self.page) as response:
            return response.status, await response.text()


@asynccontextmanager
async def behind_oidc(store: Store, **settings: Any) -> AsyncGenerator[Login]:
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(FakeProvider().serving())
        oidc = {"issuer": provider.issuer, "clientId": CLIENT, "clientSecretRef": {"name": "page", "key": "client"}}
        access = {"mode": "oidc", "oidc": oidc | settings}
        config = bot(platforms={"web": {"title": "Appliance store", "access": access}})
        secrets = {("test", "page"): {"client": SECRET}}
        stage = await stack.enter_async_context(scene(store, BotConfig(config.bot, secrets=secrets)))
        page = await stage.replica()
        provider.redirect_uris.add(f"{page}callback")
        yield Login(stage, provider, await stack.enter_async_context(make_browser()), page)


async def test_whoever_logs_in_at_the_provider_is_let_in(store: Store) -> None:
    async with behind_oidc(store) as login:
        html = await login.browser.load(login.page)
        assert '<a class="quiet" href="login">Log in</a>' in html
        status, html = await login.go()
        assert (status, "composer" in html) == (200, True)
        await login.browser.say(login.page, "hello")
        (message,) = login.stage.desk.received
        assert message.user.startswith("user:")
        assert "person-1" not in str(message)
        session = login.browser.cookie(login.page)
        await login.go()
        assert login.browser.cookie(login.page) == session
        login.provider.account = {"sub": "person-2"}
        await login.go()
        assert login.browser.cookie(login.page) != session
        assert login.provider.asked.count("/realm/.well-known/openid-configuration") == 1
        assert login.provider.asked.count("/realm/keys") == 1


async def test_nothing_of_who_somebody_is_is_stored(store: Store) -> None:
    async with behind_oidc(store, allowedDomains=["example.com"]) as login:
        login.provider.account = {"sub": "person-1", "email": "jane@example.com", "email_verified": True}
        assert "composer" in (await login.go())[1]
        await login.browser.say(login.page, "hello")
        found = await store.command("KEYS", f"{login.stage.keys.prefix}*")
        assert found
        for key in found:
            kind = (await store.command("TYPE", key)).decode()
            content = await store.command(*({"string": ("GET", key), "stream": ("XRANGE", key, "-", "+")}[kind]))
            assert not [said for said in ("person-1", "jane", "example.com") if said in f"{key}{content}"]


@pytest.mark.parametrize(
    ("account", "let_in"),
    [
        ({"email": "jane@example.com", "email_verified": True, "groups": ["support", "x"]}, True),
        ({"email": "jane@EXAMPLE.com", "email_verified": True, "groups": "support"}, True),
        ({"email": "jane@example.com", "email_verified": False, "groups": ["support"]}, False),
        ({"email": "jane@example.com", "groups": ["support"]}, False),
        ({"email": "jane@example.com", "email_verified": "true", "groups": ["support"]}, False),
        ({"email": "jane@evil.example.com", "email_verified": True, "groups": ["support"]}, False),
        ({"email": "example.com", "email_verified": True, "groups": ["support"]}, False),
        ({"email": ["jane@example.com"], "email_verified": True, "groups": ["support"]}, False),
        ({"email": "jane@example.com", "email_verified": True, "groups": ["other", 7, None]}, False),
        ({"email": "jane@example.com", "email_verified": True}, False),
    ],
)
async def test_only_accounts_that_are_named_are_let_in(store: Store, account: dict[str, Any], let_in: bool) -> None:
    wanted = [{"name": "groups", "values": ["support", "sales"]}]
    async with behind_oidc(store, allowedDomains=["example.com"], claims=wanted) as login:
        login.provider.account |= account
        status, html = await login.go()
        assert ("composer" in html, status) == (let_in, 200 if let_in else 403)


async def test_a_provider_that_is_away_is_said_and_tried_again(store: Store) -> None:
    async with behind_oidc(store) as login:
        path = "/realm/.well-known/openid-configuration"
        login.provider.faults.answers[path] = web.Response(status=500)
        status, html = await login.go()
        assert status == 503
        assert "Logging in is not possible right now" in html
        del login.provider.faults.answers[path]
        assert "composer" in (await login.go())[1]


async def test_the_redirect_uri_may_be_named(store: Store) -> None:
    async with (
        behind_oidc(store, redirectUrl="https://chat.example.com/bot/callback") as login,
        login.browser.http.get(f"{login.page}login", allow_redirects=False) as response,
    ):
        assert "redirect_uri=https%3A%2F%2Fchat.example.com%2Fbot%2Fcallback&" in response.headers["Location"]


async def test_the_redirect_uri_is_where_the_browser_came_by(store: Store) -> None:
    async with behind_oidc(store) as login:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/bot"}
        async with login.browser.http.get(f"{login.page}login", headers=headers, allow_redirects=False) as response:
            address = login.page.removeprefix("http://").rstrip("/").replace(":", "%3A")
            assert f"redirect_uri=https%3A%2F%2F{address}%2Fbot%2Fcallback&" in response.headers["Location"]
            assert response.headers["Set-Cookie"].startswith("__Secure-gptbot.")
            assert "SameSite=lax" in response.headers["Set-Cookie"]


async def test_changed_keys_are_fetched_and_known_ones_hold_while_the_issuer_is_away() -> None:
    now, away, asked = 0.0, False, 0
    key = jwk.RSAKey.generate_key(2048, auto_kid=True)

    async def fetch() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if away:
            raise Unreachable("away")
        return {"keys": [key.as_dict(private=False)]}

    keys = RemoteKeys(fetch, lambda: now)
    first = await keys.get()
    key = jwk.RSAKey.generate_key(2048, auto_kid=True)
    now = 31.0
    assert (await keys.get(fresh=True)) != first
    assert asked == 2
    now, away = 700.0, True
    second = await keys.get()
    assert (asked, second == await keys.get()) == (3, True)
    now = 31.0 + 86_401
    with pytest.raises(Unreachable):
        await keys.get()


async def test_a_token_costs_little_to_check() -> None:
    """Checking is on the loop: a stranger may have it done as often as an address may ask."""
    for key, algorithm in ((jwk.RSAKey.generate_key(2048), "RS256"), (jwk.ECKey.generate_key("P-256"), "ES256")):
        verifier = Verifier(FixedKey(key), [algorithm], "i", "a")
        claims = {"iss": "i", "aud": "a", "sub": "s", "exp": int(time.time()) + 60, "more": "x" * 8000}
        token = jwt.encode({"alg": algorithm}, claims, key, [algorithm])
        await verifier.claims(token)
        begun = time.process_time()
        for _ in range(20):
            await verifier.claims(token)
        assert (time.process_time() - begun) / 20 < 0.01


async def test_another_origin_gets_nothing_of_a_login(store: Store) -> None:
    """The page of another site cannot read where a login leads: no answer says that it may."""
    async with behind_oidc(store) as login, aiohttp.ClientSession() as http:
        headers = {"Origin": "https://evil.example"}
        async with http.get(f"{login.page}login", headers=headers, allow_redirects=False) as response:
            assert "Access-Control-Allow-Origin" not in response.headers
