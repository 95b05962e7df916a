"""What a list made anew lacks is dropped from the cache, and its bots get a look."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from kopf._cogs.clients import fetching

from gptbot_operator.cache import Cache
from gptbot_operator.listing import Name, Resource, missing_noted

SECRETS = ("", "v1", "secrets")


def _document(name: str, namespace: str = "shops", bot: str | None = None) -> dict[str, Any]:
    labels = {"gptbot.dev/bot": bot} if bot else {}
    return {"metadata": {"name": name, "namespace": namespace, "uid": name, "labels": labels}}


def test_an_object_that_is_gone_concerns_its_bot_and_those_that_refer_to_it() -> None:
    cache = Cache()
    cache.object_event(False, "Service", _document("shop-web", bot="shop"))
    cache.object_event(False, "Secret", _document("tokens"))
    cache.object_event(False, "Secret", _document("tokens", "other"))
    cache.refer("shops/shop", [("Secret", "shops", "tokens")])
    cache.bot_event(False, _document("shop"))
    assert cache.names("Secret", None) == {("shops", "tokens"), ("other", "tokens")}
    assert cache.names("Secret", "other") == {("other", "tokens")}
    assert cache.names("GptBot", None) == {("shops", "shop")}
    assert cache.gone("Service", "shops", "shop-web") == {"shops/shop"}
    assert cache.gone("Secret", "shops", "tokens") == {"shops/shop"}
    assert cache.gone("Secret", "other", "tokens") == set()
    assert cache.gone("GptBot", "shops", "shop") == {"shops/shop"}
    assert cache.gone("GptBot", "shops", "shop") == set()
    assert not cache.objects
    assert not cache.bots


@pytest.mark.parametrize(("breaks", "expected"), [(False, [(SECRETS, {("shops", "old")})]), (True, [])])
async def test_what_a_whole_list_lacks_is_lost_and_a_broken_one_says_nothing(
    monkeypatch: pytest.MonkeyPatch, breaks: bool, expected: list[tuple[Resource, set[Name]]]
) -> None:
    async def in_chunks(**_: Any) -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
        yield [_document("a")], "7"
        if breaks:
            raise TimeoutError
        yield [_document("b")], "7"

    monkeypatch.setattr(fetching, "fetch_objs", in_chunks)
    lost: list[tuple[Resource, set[Name]]] = []
    known = {("shops", "a"), ("shops", "b"), ("shops", "old")}
    listed: list[str] = []
    resource: Any = SimpleNamespace(group="", version="v1", plural="secrets")
    options: dict[str, Any] = {"settings": None, "logger": None}
    with missing_noted(lambda *_: set(known), lambda *each: lost.append(each)):
        try:
            chunk: Any
            async for chunk, _ in fetching.fetch_objs(resource=resource, namespace=None, **options):
                listed += [each["metadata"]["name"] for each in chunk]
        except TimeoutError:
            assert breaks
    assert listed == (["a"] if breaks else ["a", "b"])
    assert lost == expected
    assert fetching.fetch_objs is in_chunks


def test_a_bot_that_is_looked_at_is_a_copy() -> None:
    cache = Cache()
    document = _document("b", "shop") | {"spec": {"personas": [{"name": "продавец"}]}}
    cache.bot_event(False, document)
    cache.bots["shop/b"]["spec"].clear()
    assert cache.bots["shop/b"]["spec"] == document["spec"]
    assert list(cache.bots) == ["shop/b"]
