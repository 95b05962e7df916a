"""Probes over the wire: what each answer of `GET /models` comes to, how often it is asked, and what it may cost."""

from __future__ import annotations

import asyncio
import socket
import time
from itertools import pairwise

import aiohttp
import pytest

from gptbot.llm.probe import MOST, Probes
from gptbot.llm.types import Endpoint
from tests.fakes.openai import FakeOpenAI
from tests.hostile.raw import plain, raw_model
from tests.llm.conftest import KEY


async def outcome(http: aiohttp.ClientSession, endpoint: Endpoint, timeout: float = 5.0) -> str:
    return (await Probes(http, timeout=timeout).ask(endpoint)).outcome


async def test_a_probe_sends_the_key_and_asks_nothing(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint
) -> None:
    assert await outcome(http, endpoint) == "ok"
    (headers,) = fake.listing.headers
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert fake.requests == [], "no model was asked"
    open_to_all = Endpoint(fake.base_url, None, "gpt-test")
    assert await outcome(http, open_to_all) == "unauthorized"
    assert "Authorization" not in fake.listing.headers[-1]


@pytest.mark.parametrize(
    ("listing", "expected"),
    [
        ("missing", "there"),
        ("not_allowed", "there"),
        ("scopes", "there"),
        ("forbidden", "unauthorized"),
        ("server_error", "overloaded"),
        ("rate_limited", "overloaded"),
        ("endless", "ok"),
    ],
)
async def test_what_an_answer_comes_to(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint, listing: str, expected: str
) -> None:
    fake.settings.listing = listing  # type: ignore[assignment]
    assert await outcome(http, endpoint) == expected


async def test_a_server_that_is_not_there_or_says_nothing(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert await outcome(http, Endpoint(f"http://127.0.0.1:{port}/v1", KEY, "m")) == "unreachable"
    assert await outcome(http, Endpoint("http://no-such-host.invalid/v1", KEY, "m")) == "unreachable"
    fake.settings.listing = "hang"
    assert await outcome(http, endpoint, timeout=0.2) == "timeout"
    async with raw_model(b"nothing of HTTP\r\n\r\n") as url:
        assert await outcome(http, Endpoint(url, KEY, "m")) == "unreachable"
    async with raw_model(plain("302 Found", b"", more=b"Location: http://127.0.0.1:1/\r\n")) as url:
        assert await outcome(http, Endpoint(url, KEY, "m")) == "there", "the key goes to no other host"


async def test_bots_share_the_probes_of_an_endpoint_and_no_others(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint
) -> None:
    probes = Probes(http)
    of_many = [Endpoint(fake.base_url, KEY, f"m{number}") for number in range(200)]
    found = await asyncio.gather(*(probes.ask(each) for each in of_many))
    assert {each.outcome for each in found} == {"ok"}
    assert len(fake.listing.headers) == 1
    assert (await probes.ask(Endpoint(fake.base_url, "sk-another", "m"))).outcome == "unauthorized"
    assert len(fake.listing.headers) == 2, "another key is another endpoint"


async def test_who_waits_for_a_probe_outlives_the_one_who_made_it(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint
) -> None:
    probes = Probes(http)
    fake.settings.listing = "hang"
    first = asyncio.create_task(probes.ask(endpoint))
    await fake.listing.wait(1)
    second = asyncio.create_task(probes.ask(endpoint))
    fake.settings.listing = None
    first.cancel()
    assert (await second).outcome == "ok"


async def test_what_fails_is_asked_less_and_less_often(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("gptbot.llm.probe.time.monotonic", lambda: now)
    probes = Probes(http)
    fake.settings.listing = "server_error"
    asked_at = list[float]()
    for _ in range(600):  # ten minutes
        before = len(fake.listing.headers)
        assert (await probes.ask(endpoint)).outcome == "overloaded"
        if len(fake.listing.headers) > before:
            asked_at.append(now)
        now += 1.0
    pauses = [b - a for a, b in pairwise(asked_at)]
    assert pauses[0] <= 6
    assert all(45 <= pause <= 61 for pause in pauses[5:])
    fake.settings.listing = None
    now += 61
    assert (await probes.ask(endpoint)).outcome == "ok"


async def test_no_answer_costs_more_than_its_first_bytes(
    http: aiohttp.ClientSession, fake: FakeOpenAI, endpoint: Endpoint
) -> None:
    fake.settings.listing = "endless"
    assert await outcome(http, endpoint) == "ok"
    assert fake.listing.sent < 8 << 20, "no more than the buffers of two sockets"
    endless = b"HTTP/1.1 503 No\r\nContent-Type: application/json\r\n\r\n" + b"[" * MOST
    async with raw_model(endless, b"[" * 65_536, pause=0.0) as url:
        began = time.process_time()
        assert await outcome(http, Endpoint(url, KEY, "m")) == "overloaded"
        assert time.process_time() - began < 0.5
    slow = b"HTTP/1.1 503 No\r\nContent-Type: application/json\r\n\r\n"
    async with raw_model(slow, b"[", pause=0.05) as url:
        assert await outcome(http, Endpoint(url, KEY, "m"), timeout=0.5) == "timeout"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "nonsense"])
async def test_a_compressed_error_is_not_unpacked(http: aiohttp.ClientSession, encoding: str) -> None:
    head = f"HTTP/1.1 503 No\r\nContent-Encoding: {encoding}\r\nContent-Length: 4\r\nConnection: close\r\n\r\nxxxx"
    async with raw_model(head.encode()) as url:
        assert await outcome(http, Endpoint(url, KEY, "m")) in ("overloaded", "unreachable")
