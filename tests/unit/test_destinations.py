"""Where a bot's pods may go: every address that the spec and the store's URL name, and what only may be one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gptbot_operator.desired.destinations import Destinations, destinations
from tests.unit.bots import DISCORD, TELEGRAM, bot, context

WEB: dict[str, Any] = {"platforms": {"web": {}}}


def of(url: str, **changes: Any) -> Destinations:
    """Of a bot in the namespace `store` whose model is there, with a store of the internet."""
    spec = {**WEB, **changes, "llm": {"baseUrl": url, "model": "m"}}
    subject = bot("telegram-only", **spec)
    return destinations(subject, context(subject, store_url="redis://redis.example.com:7000"))


@pytest.mark.parametrize(
    ("url", "namespaces", "ports"),
    [
        ("https://api.openai.com:8443/v1", set[str](), {8443}),
        ("https://models.example.com/v1", set[str](), {443}),
        ("http://gpu.example.com:8000/v1", set[str](), {8000}),
        ("http://192.168.1.20:11434/v1", set[str](), {11434}),
        ("http://[fd00::1]:11434/v1", set[str](), {11434}),
        ("http://ollama:11434/v1", {"store"}, {11434}),
        ("http://ollama.ai/v1", {"ai"}, {80}),
        ("http://ollama.ai.svc:11434/v1", {"ai"}, set[int]()),
        ("http://ollama.ai.svc.cluster.local./v1", {"ai"}, set[int]()),
        ("http://pod-0.ollama.ai.svc.cluster.local/v1", {"ai"}, set[int]()),
        ("http://ollama.ai.svc.k8s.example:11434/v1", {"ai"}, {11434}),
    ],
)
def test_a_hosts_name_tells_where_it_is(url: str, namespaces: set[str], ports: set[int]) -> None:
    found = of(url)
    assert (found.namespaces, found.ports, found.https, found.internet) == (namespaces, ports | {7000}, False, False)


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "https://API.OpenAI.com.:443/v1"])
def test_a_model_known_to_be_on_the_internet_is_nowhere_else(url: str) -> None:
    found = of(url)
    assert (found.ports, found.https) == ({7000}, True)


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://8.8.4.4:8000/v1", 8000), ("http://169.254.7.7/v1", 80), ("https://[2001:4860::1]/v1", 443)],
)
def test_an_address_is_the_only_one_that_is_meant(url: str, port: int) -> None:
    found = of(url)
    assert found.ports == {7000}
    [(address, its)] = found.addresses
    assert str(address) in url
    assert its == port


@pytest.mark.parametrize(
    ("platforms", "https", "ports", "internet"),
    [
        ({"telegram": TELEGRAM}, True, set[int](), False),
        ({"telegram": TELEGRAM | {"apiBaseUrl": "http://api.corp.example:8081"}}, False, {8081}, False),
        ({"discord": DISCORD}, True, set[int](), False),
        ({"discord": DISCORD | {"apiBaseUrl": "http://proxy.corp.example/api/v10"}}, True, {80}, False),
        ({"web": {}, "extra": {"irc": {}}}, False, set[int](), True),
    ],
    ids=str,
)
def test_platforms(platforms: Any, https: bool, ports: set[int], internet: bool) -> None:
    found = of("http://model.ai.svc/v1", platforms=platforms)
    assert (found.https, found.ports, found.internet) == (https, ports | {7000}, internet)


def test_every_endpoint_of_the_model_is_one() -> None:
    llm = {
        "baseUrl": "http://a.example.com:1",
        "model": "m",
        "fallbacks": [{"baseUrl": "http://b.example.com:2", "model": "m"}],
        "transcription": {"baseUrl": "http://c.example.com:3", "model": "m"},
    }
    subject = bot("telegram-only", **WEB, llm=llm, safety={"moderation": {"baseUrl": "http://d.example.com:4"}})
    assert destinations(subject, context(subject, store_url=None)).ports == {1, 2, 3, 4}


def test_an_embedded_model_is_where_the_operator_says() -> None:
    subject = bot("embedded-model")
    found = destinations(subject, context(subject, model_url="http://model.gptbot.svc:8000/v1", store_url=None))
    assert (found.namespaces, found.ports) == ({"gptbot"}, set())


@pytest.mark.parametrize(
    ("url", "namespaces", "ports"),
    [
        ("redis://:p@cache.data.svc:6379/0", {"data"}, set[int]()),
        ("rediss://:p@redis.example.com/0", set[str](), {6379}),
        ("redis+sentinel://s1.example.com,s2.example.com/main/0", set[str](), {26379, 6379}),
        ("redis+cluster://n1.example.com:7001,n2.example.com:7002", set[str](), {7001, 7002, 6379}),
        ("unix:///run/valkey.sock", set[str](), set[int]()),
        ("not a url", set[str](), set[int]()),
        (None, set[str](), set[int]()),
    ],
)
def test_a_store_of_the_bots_own(url: str | None, namespaces: set[str], ports: set[int]) -> None:
    subject = bot("external-store", llm={"baseUrl": "http://model.ai.svc/v1", "model": "m"})
    found = destinations(subject, replace(context(subject), own_store_url=url))
    assert (found.namespaces - {"ai"}, found.ports) == (namespaces, ports)


def test_who_is_asked_who_somebody_is() -> None:
    oidc = {"mode": "oidc", "oidc": {"issuer": "https://id.corp.example:8443/realm", "clientId": "c"}}
    token = {"issuer": "shop", "audience": "bot", "keysUrl": "http://shop.web.svc/keys"}
    found = of("http://model.ai.svc/v1", platforms={"web": {"access": oidc}})
    assert found.ports == {7000, 8443}
    found = of("http://model.ai.svc/v1", platforms={"web": {"access": {"mode": "token", "token": token}}})
    assert found.namespaces == {"ai", "web"}


def test_a_store_that_is_left_can_be_reached_until_all_is_moved() -> None:
    subject = bot("external-store")
    added = context(subject, store_url="redis://redis.example.com:7000")
    assert 7000 not in destinations(subject, added).ports
    assert 7000 in destinations(subject, replace(added, used_store="shared")).ports
    left = replace(added, used_store="redis://old.example.com:7001/0")
    assert 7001 in destinations(subject, left).ports
