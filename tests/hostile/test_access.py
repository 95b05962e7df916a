"""What strangers may try at the page's door: names, addresses, cookies, passwords, logins, tokens."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from joserfc import jwk, jws, jwt
from starlette.requests import Request
from yarl import URL

from gptbot.http.clients import PerMinute, client_address
from gptbot.http.hosts import named, parse_host, same_origin
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from gptbot.platforms.web.access.fetch import Unreachable, fetch_json
from gptbot.platforms.web.access.password import OF_ADDRESS
from gptbot.platforms.web.access.scrypt import Busy, Hash
from gptbot.platforms.web.access.tokens import (
    LARGEST,
    PUBLIC_KEY,
    SHARED_SECRET,
    BadToken,
    FixedKey,
    Verifier,
    usable_keys,
)
from gptbot.platforms.web.session import Session, Sessions, Signer, cookie
from tests.fakes.oidc.provider import CLIENT, Claims, FakeProvider
from tests.hostile.growth import least
from tests.platforms.web.conftest import Browser, browser, make_browser
from tests.platforms.web.scene import Scene, bot, scene
from tests.platforms.web.test_web_access_login import PASSWORD, behind_password, log_in
from tests.platforms.web.test_web_access_oidc import Login, behind_oidc

__all__ = ["browser"]

JSON = {"Accept": "application/json"}


def with_web(**settings: Any) -> BotConfig:
    return bot(platforms={"web": {"title": "Appliance store"} | settings})


async def raw(page: str, request: str) -> int:
    """The status of the answer to a request as it stands."""
    url = URL(page)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(request.encode("latin-1"))
    await writer.drain()
    async with asyncio.timeout(20):
        line = await reader.readline()
    writer.close()
    return int(line.split()[1])


# --- Names

MALFORMED = [
    "[::1", "::1", "[]", "a b", "http://localhost", "localhost:99999", "localhost:-1", "localhost:8080:1",
    "[localhost]", "user@localhost", "localhost/", "localhost?", "localhost#", "[::1]x", "[::1%25lo]", "a" * 254,
    "[" * 200, "\x7f",
    "локалхост".encode().decode("latin-1"), "local\thost", "*", "localhost,evil.example", '"',
]  # fmt: skip
STRANGE = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "evillocalhost",
    "128.0.0.1",
    "[::2]",
    "2130706433",
]
OWN = ["localhost", "LOCALHOST:1", "localhost.", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[0:0:0:0:0:0:0:1]:80"]


async def test_on_this_machine_only_its_own_names_are_answered(store: Store) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n\r\ntext=a"
        for path in ("GET / ", "GET /events ", "GET /static/page.css ", "GET /nothing "):
            for host in STRANGE:
                assert await raw(page, f"{path}HTTP/1.1\r\nHost: {host}\r\n\r\n") == 421, host
            for host in MALFORMED:
                assert await raw(page, f"{path}HTTP/1.1\r\nHost: {host}\r\n\r\n") == 400, host
            assert await raw(page, f"{path}HTTP/1.0\r\n\r\n") == 400
            assert await raw(page, f"{path}HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n") == 400
        for host in STRANGE:
            same = f"Origin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n"
            assert await raw(page, f"POST /message HTTP/1.1\r\nHost: {host}\r\n{same}{form}") == 421
        for host in OWN:
            assert await raw(page, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n") == 200, host
        assert not stage.desk.received


async def test_where_hosts_are_named_only_those_are_answered(store: Store) -> None:
    async with scene(store, with_web(hosts=["bot.example.com", "*.example.org"])) as stage:
        page = await stage.replica()
        door = stage.gateway().routes()
        assert door
        for host in OWN:
            assert await raw(page, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n") == 200, host
    allowed = ("bot.example.com", "*.example.org")
    good = ["bot.example.com", "BOT.example.com:443", "a.example.org", "a.b.example.org"]
    bad = ["example.com", "xbot.example.com", "example.org", "evilexample.org", "bot.example.com.evil.example"]
    for hosts, answer in ((good, True), (bad, False)):
        for text in hosts:
            host = parse_host(text)
            assert host is not None
            assert named(host.name, allowed) is answer, text


async def test_on_every_address_only_named_hosts_are_answered(store: Store) -> None:
    from gptbot.http.server import HttpServer
    from tests.platforms.web.scene import running

    async with scene(store, with_web(hosts=["bot.example.com"])) as named_stage, scene(store) as any_stage:
        for stage, strangers in ((named_stage, 421), (any_stage, 200)):
            server = HttpServer("0.0.0.0", 0, {stage.config.key: stage.gateway().routes()})
            server._host = "127.0.0.1"  # what it thinks it listens on stays every address; only this machine reaches it
            async with running(server.serve()):
                page = f"http://127.0.0.1:{await server.started()}/"
                assert await raw(page, "GET / HTTP/1.1\r\nHost: bot.example.com\r\n\r\n") == 200
                assert await raw(page, "GET / HTTP/1.1\r\nHost: localhost:1\r\n\r\n") == 200
                for path in ("GET /", "GET /events", "POST /message", "POST /new"):
                    status = await raw(page, f"{path} HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n")
                    assert (status == 421) == (strangers == 421), path
                assert await raw(page, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n") == 400


@pytest.mark.parametrize(
    "origin",
    ["http://[::1", "null", "", "http://", "https://evil.example", "//127.0.0.1", "http://127.0.0.1@evil.example",
     "http://127.0.0.1:99999", "http://[", "http://" + "[" * 300, "file://", "http://127.0.0.1:1"],
)  # fmt: skip
async def test_no_other_origin_may_post(store: Store, origin: str) -> None:
    async with scene(store) as stage, aiohttp.ClientSession() as http:
        page = await stage.replica()
        for path in ("message", "new"):
            headers = JSON | {"Origin": origin}
            async with http.post(page + path, data={"text": "hi"}, headers=headers, allow_redirects=False) as response:
                assert response.status == 403, path
        assert not stage.desk.received
        assert not stage.desk.forgotten


def test_an_origin_is_the_same_only_where_host_and_port_are() -> None:
    for origin, host in (
        ("http://a:80", "a"), ("https://a", "a:443"), ("http://A", "a"), ("http://[::1]:8", "[0::1]:8")
    ):  # fmt: skip
        assert same_origin(origin, host)
    for origin, host in (("https://a", "a:80"), ("http://a", "a:443"), ("http://a", "b"), ("http://a", "[::1")):
        assert not same_origin(origin, host)


# --- Addresses


def request_of(peer: str, *forwarded: str, **headers: str) -> Request:
    raw_headers = [(b"x-forwarded-for", text.encode()) for text in forwarded]
    raw_headers += [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "client": (peer, 1), "headers": raw_headers, "scheme": "http", "path": "/"}
    return Request(scope)


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "address"),
    [
        (0, "10.0.0.1", ("1.1.1.1",), "10.0.0.1"),
        (0, "::ffff:10.0.0.1", (), "10.0.0.1"),
        (0, "2001:db8:1:2:3:4:5:6", (), "2001:db8:1:2::/64"),
        (0, "fe80::1%eth0", (), "fe80::/64"),
        (1, "10.0.0.1", (), "10.0.0.1"),
        (1, "10.0.0.1", ("1.1.1.1",), "1.1.1.1"),
        (1, "10.0.0.1", ("9.9.9.9, 1.1.1.1",), "1.1.1.1"),
        (1, "10.0.0.1", ("9.9.9.9", "1.1.1.1"), "1.1.1.1"),
        (1, "10.0.0.1", ("1.1.1.1:5555",), "1.1.1.1"),
        (1, "10.0.0.1", ("[2001:db8::9]:5555",), "2001:db8::/64"),
        (1, "10.0.0.1", ("::ffff:1.1.1.1",), "1.1.1.1"),
        (1, "10.0.0.1", ("1.1.1.1, unknown",), "10.0.0.1"),
        (1, "10.0.0.1", ("1.1.1.1,",), "10.0.0.1"),
        (2, "10.0.0.1", ("9.9.9.9, 1.1.1.1, 10.0.0.2",), "1.1.1.1"),
        (2, "10.0.0.1", ("1.1.1.1",), "1.1.1.1"),
        (8, "10.0.0.1", (",".join(["7.7.7.7"] * 5000),), "7.7.7.7"),
        (1, "10.0.0.1", ("1" * 60_000,), "10.0.0.1"),
        (1, "10.0.0.1", ("," * 60_000,), "10.0.0.1"),
    ],
)
def test_an_address_is_what_the_outermost_trusted_proxy_saw(
    proxies: int, peer: str, forwarded: tuple[str, ...], address: str
) -> None:
    assert client_address(request_of(peer, *forwarded), proxies) == address


def test_a_window_of_a_minute_slides_and_holds() -> None:
    now = 1000.0
    counter = PerMinute(10, lambda: now)
    allowed = [counter.wait("a") for _ in range(30)].count(0.0)
    assert allowed == 10
    assert counter.wait("b") == 0.0
    tries = 0
    while wait := counter.wait("a"):
        assert wait <= 61
        now += wait
        tries += 1
        assert tries < 10
    let_in = list[float]()
    for _ in range(3000):
        now += 0.1
        if not counter.wait("c"):
            let_in.append(now)
    assert all(len([t for t in let_in if start <= t < start + 60]) <= 20 for start in let_in)
    assert 40 <= len(let_in) <= 61


def test_however_many_addresses_come_the_memory_is_bounded() -> None:
    counter = PerMinute(10)
    for number in range(50_000):
        counter.wait(str(number))
    assert len(counter._counts) == 20_000


async def test_one_address_is_held_back_and_others_are_not(store: Store) -> None:
    limits = {"requests": 5, "messages": 4, "sessions": 3}
    async with scene(store, with_web(trustedProxies=1, perAddress=limits)) as stage, aiohttp.ClientSession() as http:
        page = await stage.replica()

        async def ask(method: str, path: str, address: str, spoofed: str = "") -> aiohttp.ClientResponse:
            chain = ", ".join(filter(None, [spoofed, address]))
            headers = {"X-Forwarded-For": chain}
            async with http.request(method, page + path, data={"text": "hi"}, headers=headers) as response:
                await response.read()
                return response

        def spent(answers: list[aiohttp.ClientResponse]) -> list[int]:
            for answer in answers:
                assert (answer.status == 429) == ("Retry-After" in answer.headers)
            return [answer.status for answer in answers]

        # An address of its own for each kind; what the client claims in front changes nothing.
        seen = [await ask("GET", "", "1.1.1.1", f"8.8.8.{number}") for number in range(7)]
        assert spent(seen) == [200, 200, 200, 429, 429, 429, 429]  # a browser without cookies: each is a new session
        http.cookie_jar.clear()
        assert spent([await ask("GET", "", "2001:db8::1")]) == [200]
        http.cookie_jar.clear()
        assert (await ask("GET", "", "2001:db8:0:1::1")).status == 200


async def test_messages_and_streams_of_an_address_are_counted_over_all_its_sessions(store: Store) -> None:
    config = with_web(perAddress={"requests": 6, "messages": 3, "sessions": 0})
    async with scene(store, config) as stage:
        page = await stage.replica()
        statuses = list[int]()
        for number in range(5):
            async with make_browser() as visitor:
                data = {"text": f"hello {number}"}
                async with visitor.http.post(f"{page}message", data=data, headers=JSON) as response:
                    statuses.append(response.status)
                    if response.status == 429:
                        assert int(response.headers["Retry-After"]) >= 1
                        assert "your network" in (await response.json())["error"]
        assert statuses == [200, 200, 200, 429, 429]
        assert len(stage.desk.received) == 3
        async with make_browser() as visitor:
            for path, status in [("", 200), ("?plain", 200), ("", 200), ("events", 200), ("", 200), ("", 200)]:
                async with visitor.http.get(page + path) as response:
                    assert response.status == status
            for path in ("", "events"):
                async with visitor.http.get(page + path) as response:
                    assert response.status == 429
                    assert int(response.headers["Retry-After"]) >= 1
            async with visitor.http.get(f"{page}static/page.css") as response:
                assert response.status == 200


# --- Sessions


def cookie_line(response: aiohttp.ClientResponse) -> tuple[str, str]:
    (line,) = response.headers.getall("Set-Cookie")
    ((name, morsel),) = SimpleCookie(line).items()
    return name, morsel.value


async def test_a_session_is_made_by_the_server_alone(store: Store) -> None:
    async with scene(store) as stage, scene(store) as other_stage, aiohttp.ClientSession() as http:
        page, other_page = await stage.replica(), await other_stage.replica()
        async with http.get(page) as response:
            name, good = cookie_line(response)
        async with http.get(other_page) as response:
            _, others = cookie_line(response)
        chosen = "A" * 22
        session_id, until, who, mac = good.split(".")
        login = Signer(stage.keys, "login", "i", "c")
        for value in (
            chosen, f"{chosen}.{until}.{who}.{mac}", f"{session_id}.99999999999.{who}.{mac}", "." * 3, others,
            f"{session_id}.{until}.{who}.{mac[:-1]}", f"{good}%0A", f"{good}x", f"x{good}", f'"{good}"',
            f"{session_id}.0.{chosen}.{mac}",
            f"{session_id}.{until}.{who}.{'A' * 43}", f"{chosen}.0..{login.mac(f'{chosen}.0.')}", good.upper(),
        ):  # fmt: skip
            async with http.get(page, headers={"Cookie": f"{name}={value}"}) as response:
                assert response.status == 200
                assert cookie_line(response)[1].split(".")[0] not in (chosen, session_id), value
            async with http.get(f"{page}events", headers={"Cookie": f"{name}={value}"}) as response:
                assert response.status == 401, value
        for headers in ({"Cookie": f"a=b; {name}={good}; c=d"}, {"Cookie": f"{name}={good}"}):
            async with http.get(await stage.replica(), headers=headers) as response:
                assert cookie_line(response)[1] == good


async def test_over_https_a_cookie_that_a_neighbour_may_plant_is_not_taken(store: Store) -> None:
    async with scene(store) as stage, aiohttp.ClientSession() as http:
        page = await stage.replica()
        async with http.get(page) as response:
            name, value = cookie_line(response)
        headers = {"X-Forwarded-Proto": "https", "Cookie": f"{name}={value}"}
        async with http.get(page, headers=headers) as response:
            given, fresh = cookie_line(response)
            assert given == f"__Host-{name}"
            assert fresh != value
            assert "Path=/" in response.headers["Set-Cookie"]
            assert "Secure" in response.headers["Set-Cookie"]
            assert "Domain" not in response.headers["Set-Cookie"]


async def test_a_visit_from_another_site_gets_no_session(store: Store) -> None:
    navigation = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    for config in (None, behind_password()):
        async with scene(store, config) as stage, aiohttp.ClientSession() as http:
            page = await stage.replica()
            name = f"gptbot.test.{stage.config.bot.metadata.name}"
            headers = navigation | {"Cookie": f"{name}={'A' * 22}"}
            async with http.get(page, headers=headers) as response:
                assert 'http-equiv="refresh"' in await response.text()
                assert "Set-Cookie" not in response.headers


def test_a_session_that_is_over_is_none() -> None:
    from starlette.responses import Response

    sessions = Sessions(BotKeys("test/bot", b"p" * 32), "password")
    request, response = request_of("10.0.0.1"), Response()
    for until, left in ((int(time.time()) + 100, True), (int(time.time()) - 1, False), (0, True)):
        response = Response()
        sessions.give(response, request, Session("A" * 22, "", until), 1000)
        value = response.headers["set-cookie"].partition(";")[0]
        assert (sessions.read(request_of("10.0.0.1", cookie=value)) is not None) is left
        assert Sessions(BotKeys("test/bot", b"p" * 32), "other").read(request_of("10.0.0.1", cookie=value)) is None
        assert Sessions(BotKeys("test/bot", b"q" * 32), "password").read(request_of("10.0.0.1", cookie=value)) is None


@pytest.mark.parametrize(
    "value", ['"' + "\\" * 60_000 + '"', "a=b; " * 12_000, ";" * 60_000, "=" * 60_000, '"\\073' * 10_000]
)
def test_reading_cookies_costs_little(value: str) -> None:
    request = request_of("10.0.0.1", cookie=f"gptbot.a.b={value}")
    assert cookie(request, "gptbot.x") == ""
    assert least(lambda: cookie(request, "gptbot.x")) < 0.05


# --- Passwords


async def test_tries_are_counted_for_an_address_by_all_replicas(store: Store, browser: Browser) -> None:
    async with scene(store, behind_password()) as stage:
        pages = [await stage.replica(), await stage.replica()]
        statuses = [
            (await log_in(browser, pages[number % 2], f"guess {number}")).status for number in range(OF_ADDRESS[0])
        ]
        assert statuses == [401] * OF_ADDRESS[0]
        for page in pages:
            answer = await log_in(browser, page, PASSWORD)
            assert answer.status == 429
            assert 1 <= int(answer.headers["Retry-After"]) <= OF_ADDRESS[1]
            async with browser.http.get(page) as response:
                assert response.status == 200
                assert "composer" not in await response.text()


async def test_whoever_is_logged_in_is_not_kept_out_by_those_who_guess(store: Store, browser: Browser) -> None:
    async with scene(store, behind_password()) as stage:
        page = await stage.replica()
        assert (await log_in(browser, page, PASSWORD)).status == 200
        async with make_browser() as guesser:
            while (await log_in(guesser, page, "guess")).status != 429:
                pass
        await browser.say(page, "hello")


@pytest.mark.parametrize(
    "poison",
    [("SET", "{}", "garbage"), ("HSET", "{}", "a", "b"), ("RPUSH", "{}", *["garbage"] * 300),
     ("RPUSH", "{}", *["99999999999999999"] * 300), ("RPUSH", "{}", *[b"\xff\xfe"] * 300)],
    ids=str,
)  # fmt: skip
async def test_a_poisoned_count_of_tries_is_begun_anew(store: Store, browser: Browser, poison: tuple[Any, ...]) -> None:
    async with scene(store, behind_password()) as stage:
        page = await stage.replica()
        address = stage.keys.pseudonym("web", "address", "127.0.0.1")
        for key in (stage.keys.platform("web", "tries"), stage.keys.platform("web", f"tries:{address}")):
            await store.command(*(key if part == "{}" else part for part in poison))
        assert (await log_in(browser, page, "guess")).status == 401
        assert (await log_in(browser, page, PASSWORD)).status == 200


async def test_a_flood_of_guesses_does_not_hold_the_page_up(store: Store) -> None:
    """A password takes a tenth of a second of a thread; the loop goes on."""
    async with scene(store, behind_password()) as stage, make_browser() as guesser, make_browser() as reader:
        page = await stage.replica()
        guesses = [asyncio.create_task(log_in(guesser, page, f"guess {number}")) for number in range(40)]
        for _ in range(20):
            async with reader.http.get(page) as response:
                assert response.status == 200
        statuses = sorted([(await guess).status for guess in guesses])
        assert set(statuses) <= {401, 429}
        assert statuses.count(401) <= OF_ADDRESS[0]


async def test_a_password_is_looked_at_beside_the_loop_and_few_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed, go, threads = Hash.of("right", b"p" * 32), threading.Event(), set[str]()

    def compute(_: Hash, password: str) -> bytes:
        threads.add(threading.current_thread().name)
        assert threading.current_thread() is not threading.main_thread()
        assert go.wait(60)
        return password.encode()

    monkeypatch.setattr(Hash, "compute", compute)
    tries = [asyncio.create_task(hashed.fits("guess")) for _ in range(100)]
    done, waiting = await asyncio.wait(tries, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    assert all(isinstance(task.exception(), Busy) for task in done)
    go.set()
    results = await asyncio.gather(*waiting)
    assert 0 < len(results) <= 16
    assert not any(results)
    assert len(threads) == 1


# --- OpenID Connect

OTHER_KEY = jwk.RSAKey.generate_key(2048, auto_kid=True)
CHANGED: dict[str, Callable[[Claims], Claims]] = {
    "another nonce": lambda c: c | {"nonce": "x" * 43},
    "no nonce": lambda c: {k: v for k, v in c.items() if k != "nonce"},
    "a nonce of another type": lambda c: c | {"nonce": [c["nonce"]]},
    "another audience": lambda c: c | {"aud": "other"},
    "several audiences without a party": lambda c: c | {"aud": [CLIENT, "other"]},
    "another party": lambda c: c | {"azp": "other"},
    "another issuer": lambda c: c | {"iss": c["iss"] + "/"},
    "over": lambda c: c | {"exp": int(time.time()) - 60},
    "never over": lambda c: {k: v for k, v in c.items() if k != "exp"},
    "made in the future": lambda c: c | {"iat": int(time.time()) + 600},
    "made at no time": lambda c: {k: v for k, v in c.items() if k != "iat"},
    "nobody": lambda c: {k: v for k, v in c.items() if k != "sub"},
    "an empty subject": lambda c: c | {"sub": ""},
    "a subject that is a list": lambda c: c | {"sub": ["person-1"]},
    "a long subject": lambda c: c | {"sub": "x" * 257},
}


async def refused(login: Login) -> None:
    status, html = await login.go()
    assert status in (403, 503), status
    assert "composer" not in html
    async with login.browser.http.get(login.page) as response:
        assert "composer" not in await response.text()


@pytest.mark.parametrize("name", CHANGED)
async def test_an_id_token_that_says_something_else_lets_nobody_in(store: Store, name: str) -> None:
    async with behind_oidc(store) as login:
        login.provider.faults.claims = CHANGED[name]
        await refused(login)


def encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()


def parts(header: Claims, claims: Claims) -> str:
    return f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"


def unsigned(claims: Claims) -> str:
    return parts({"alg": "none"}, claims) + "."


def by_public_key(claims: Claims, key: jwk.Key, **header: Any) -> str:
    """Signed with what everybody knows, as if it were a secret: no library does that, but anybody can."""
    assert isinstance(key, jwk.RSAKey)
    text = parts({"alg": "HS256"} | header, claims)
    return f"{text}.{encoded(hmac.digest(key.as_pem(private=False), text.encode(), hashlib.sha256))}"


async def test_an_id_token_that_the_provider_did_not_sign_lets_nobody_in(store: Store) -> None:
    async with behind_oidc(store) as login:
        key = login.provider.key

        def by_other(claims: Claims, **header: Any) -> str:
            head = {"alg": "RS256", "kid": key.kid} | header
            return jwt.encode(head, claims, OTHER_KEY, ["RS256"], jws.JWSRegistry(strict_check_header=False))

        def broken(claims: Claims) -> str:
            head, body, signature = login.provider.token(claims).split(".")
            return f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"

        for sign in (
            unsigned,
            lambda claims: by_public_key(claims, key, kid=key.kid),
            by_other,
            lambda claims: by_other(claims, kid=OTHER_KEY.kid),
            lambda claims: by_other(claims, jwk=OTHER_KEY.as_dict(private=False)),
            lambda claims: by_other(claims, jku="http://127.0.0.1:1/keys"),
            broken,
            lambda claims: "",
            lambda claims: "a.b.c",
            lambda claims: login.provider.token(claims) + "." * 60_000,
        ):
            login.provider.faults.sign = sign
            await refused(login)
        login.provider.faults.sign = None
        assert "composer" in (await login.go())[1]


async def test_a_login_comes_back_once_and_in_the_browser_that_began_it(store: Store) -> None:
    async with behind_oidc(store) as login, make_browser() as victim:
        http = login.browser.http
        async with http.get(f"{login.page}login", allow_redirects=False) as response:
            begun = response.headers["Location"]
        async with http.get(begun, allow_redirects=False) as response:
            back = response.headers["Location"]
        async with victim.http.get(back) as response:  # a login that an attacker began (login CSRF)
            assert response.status == 403
        async with victim.http.get(f"{login.page}login", allow_redirects=False):
            pass  # one of its own under way
        async with victim.http.get(back) as response:
            assert response.status == 403
        cookies = http.cookie_jar.filter_cookies(URL(f"{login.page}callback"))
        kept = {"Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())}
        async with http.get(back.replace("state=", "state=x"), headers=kept) as response:
            assert response.status == 403
        asked = len(login.provider.asked)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as plain:
            async with plain.get(back.replace("iss=", "iss=x"), headers=kept) as response:
                assert response.status == 403
            assert len(login.provider.asked) == asked
            async with plain.get(back, headers=kept) as response:
                assert response.status == 200
            async with plain.get(back, headers=kept) as response:
                assert response.status == 403
        assert login.provider.asked.count("/realm/token") == 1


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/.well-known/openid-configuration", web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})),
        ("/.well-known/openid-configuration", web.Response(body=b"[" * 100_000)),
        ("/.well-known/openid-configuration", web.Response(body=b"x" * 1_000_000)),
        ("/.well-known/openid-configuration", web.json_response({"issuer": "https://evil.example"})),
        ("/keys", web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})),
        ("/keys", web.json_response({"keys": []})),
        ("/keys", web.json_response({"keys": [7, {"kty": "oct", "k": "AAAA"}, {"kty": "RSA"}, {"kty": []}]})),
        ("/keys", web.json_response(["keys"])),
        ("/token", web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})),
        ("/token", web.Response(body=b"x" * 1_000_000)),
        ("/token", web.json_response({"id_token": 7})),
        ("/token", web.json_response({})),
    ],
    ids=str,
)
async def test_a_provider_that_answers_badly_lets_nobody_in(store: Store, path: str, answer: web.Response) -> None:
    async with behind_oidc(store) as login:
        login.provider.faults.answers[f"/realm{path}"] = answer
        await refused(login)


async def test_a_server_that_is_asked_leads_nowhere_and_says_little() -> None:
    async with FakeProvider().serving() as server:
        answers = server.faults.answers
        answers["/realm/large"] = web.json_response({"a": "x" * 300_000})
        answers["/realm/away"] = web.Response(status=302, headers={"Location": f"{server.issuer}/keys"})
        for path, said in (("large", "is larger than 262144 bytes"), ("away", "answers with 302")):
            for data in (None, {"code": "c"}):
                with pytest.raises(Unreachable, match=f"the server {said}"):
                    await fetch_json(f"{server.issuer}/{path}", "the server", data)
        assert "/realm/keys" not in server.asked


@pytest.mark.parametrize(
    "changes",
    [
        {"authorization_endpoint": "javascript:alert(1)"}, {"authorization_endpoint": 7}, {"token_endpoint": "http://["},
        {"jwks_uri": ""}, {"issuer": None}, {"token_endpoint": "file:///etc/passwd"},
    ],
    ids=str,
)  # fmt: skip
async def test_endpoints_that_are_none_are_not_followed(store: Store, changes: dict[str, Any]) -> None:
    async with behind_oidc(store) as login:
        login.provider.faults.discovery = changes
        await refused(login)


# --- Tokens of another site

RSA, EC = jwk.RSAKey.generate_key(2048), jwk.ECKey.generate_key("P-256")
SECRET = jwk.OctKey.import_key("a secret of thirty-two bytes or more")
GOOD: Claims = {"iss": "shop", "aud": "bot", "sub": "customer-7"}


def verifier(key: jwk.Key) -> Verifier:
    return Verifier(FixedKey(key), SHARED_SECRET if isinstance(key, jwk.OctKey) else PUBLIC_KEY, "shop", "bot")


def fresh(**changes: Any) -> Claims:
    return GOOD | {"exp": int(time.time()) + 60} | changes


def signed(claims: Claims, key: jwk.Key = RSA, alg: str = "RS256", **header: Any) -> str:
    return jwt.encode(
        {"alg": alg} | header, claims, key, [alg], jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    )


def payload(text: bytes, key: jwk.Key = RSA, alg: str = "RS256") -> str:
    return jws.serialize_compact({"alg": alg}, text, key, [alg])


BAD: dict[str, Callable[[], str]] = {
    "unsigned": lambda: unsigned(fresh()),
    "unsigned, in other letters": lambda: unsigned(fresh()).replace("none", "nOnE"),
    "the public key as a secret": lambda: by_public_key(fresh(), RSA),
    "an algorithm of another key": lambda: signed(fresh(), EC, "ES256"),
    "an algorithm that is not offered": lambda: signed(fresh(), RSA, "RS512"),
    "a key that it brings along": lambda: signed(fresh(), OTHER_KEY, jwk=OTHER_KEY.as_dict(private=False)),
    "extensions that must be understood": lambda: parts({"alg": "RS256", "crit": ["x"], "x": 1}, fresh()) + ".AAAA",
    "another issuer": lambda: signed(fresh(iss="evil")),
    "an issuer that is a list": lambda: signed(fresh(iss=["shop"])),
    "another audience": lambda: signed(fresh(aud="other")),
    "no audience": lambda: signed({k: v for k, v in fresh().items() if k != "aud"}),
    "over": lambda: signed(fresh(exp=int(time.time()) - 60)),
    "never over": lambda: signed(GOOD),
    "a time that is text": lambda: signed(fresh(exp="tomorrow")),
    "a time that is no number": lambda: payload(b'{"iss":"shop","aud":"bot","sub":"s","exp":NaN}'),
    "a time beyond all numbers": lambda: payload(b'{"iss":"shop","aud":"bot","sub":"s","exp":1e999}'),
    "not yet": lambda: signed(fresh(nbf=int(time.time()) + 600)),
    "nobody": lambda: signed({k: v for k, v in fresh().items() if k != "sub"}),
    "a subject that is a number": lambda: signed(fresh(sub=7)),
    "a long subject": lambda: signed(fresh(sub="x" * 257)),
    "half of a character": lambda: payload(b'{"iss":"shop","aud":"bot","sub":"\\ud800","exp":%d}' % (time.time() + 60)),
    "no object": lambda: payload(b"[]"),
    "no JSON": lambda: payload(b"\xff\xfe"),
    "nested for ever": lambda: payload(b"[" * 8000),
    "nested for ever in an object": lambda: payload(b'{"a":' * 1500),
    "a number without end": lambda: payload(b'{"exp":' + b"9" * 8000 + b"}"),
    "a header nested for ever": lambda: urlsafe_b64encode(b'{"a":' * 1500).decode() + ".e30.AAAA",
    "too long": lambda: "a" * (LARGEST + 1),
    "points alone": lambda: "." * LARGEST,
    "empty": lambda: "",
    "not ASCII": lambda: "é.é.é",
    "surrogates": lambda: "\ud800.a.b",
    "five parts": lambda: "a.b.c.d.e",
    "a list for an algorithm": lambda: urlsafe_b64encode(b'{"alg":["RS256"]}').decode() + ".e30.AAAA",
    "no header object": lambda: "W10.e30.AAAA",
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_token_is_a_bad_token_and_costs_little(name: str) -> None:
    token, checks = BAD[name](), verifier(RSA)
    took = float("inf")
    for _ in range(3):
        begun = time.process_time()
        with pytest.raises(BadToken) as error:
            await checks.claims(token)
        took = min(took, time.process_time() - begun)
        assert "customer" not in str(error.value)
    assert took < 0.05


async def test_a_good_token_is_good_for_its_own_key_alone() -> None:
    for key, alg in ((RSA, "RS256"), (RSA, "PS256"), (EC, "ES256"), (SECRET, "HS256")):
        assert (await verifier(key).claims(signed(fresh(aud=["bot", "x"]), key, alg)))["sub"] == "customer-7"
        for other in (RSA, EC, SECRET):
            if other is key:
                continue
            with pytest.raises(BadToken):
                await verifier(other).claims(signed(fresh(), key, alg))


def test_keys_that_cannot_be_used_are_left_out() -> None:
    good = RSA.as_dict(private=False)
    small = {"kty": "RSA", "n": "AQAB", "e": "AQAB"}
    huge = {"kty": "RSA", "n": urlsafe_b64encode(b"\xff" * 4096).decode(), "e": "AQAB"}
    keys = usable_keys({"keys": [small, huge, {}, 7, {"kty": "oct", "k": "AAAA"}, good | {"use": "enc"}, good]})
    assert len(list(keys)) == 1
    for document in ({}, {"keys": {}}, {"keys": [small]}, {"keys": [None] * 10_000}):
        with pytest.raises(Unreachable):
            usable_keys(document)


async def test_tokens_that_are_refused_open_nothing_over_http(store: Store) -> None:
    token = {"issuer": "shop", "audience": "bot", "publicKeySecretRef": {"name": "page", "key": "k"}}
    config = with_web(access={"mode": "token", "token": token}, perAddress={"requests": 0, "messages": 0})
    pem = RSA.as_pem(private=False).decode()
    stage: Scene
    async with scene(store, BotConfig(config.bot, secrets={("test", "page"): {"k": pem}})) as stage:
        page = await stage.replica()
        async with aiohttp.ClientSession() as http:
            longer = signed(fresh(exp=int(time.time()) + 7200))
            for bad in [longer, *(make() for name, make in BAD.items() if name not in ("surrogates", "not ASCII"))]:
                headers = JSON | {"Authorization": f"Bearer {bad}"}
                for path in ("session", "message", "new"):
                    async with http.post(page + path, data={"text": "hi"}, headers=headers) as response:
                        assert response.status in (400, 401), await response.text()
                        assert "Set-Cookie" not in response.headers
                async with http.get(f"{page}events", headers=headers) as response:
                    assert response.status == 401
        assert not stage.desk.received
