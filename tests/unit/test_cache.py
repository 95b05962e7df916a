"""What a list made anew lacks is dropped from the cache, and its bots get a look."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from kopf._cogs.clients import fetching

from gptbot_operator.cache import Cache, observe
from gptbot_operator.listing import Name, Resource, lists_noted

SECRETS = ("", "v1", "secrets")


def _document(name: str, namespace: str = "shops", bot: str | None = None) -> dict[str, Any]:
    labels = {"gptbot.dev/bot": bot} if bot else {}
    return {"metadata": {"name": name, "namespace": namespace, "uid": name, "labels": labels}}


def test_an_object_that_is_gone_concerns_its_bot_and_those_that_refer_to_it() -> None:
    cache = Cache()
    cache.event(False, "Service", _document("shop-web", bot="shop"))
    cache.event(False, "Secret", _document("tokens"))
    cache.event(False, "Secret", _document("tokens", "other"))
    cache.refer("shops/shop", [("Secret", "shops", "tokens")])
    cache.event(False, "GptBot", _document("shop"))
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


@pytest.mark.parametrize("namespaces", [(), ("shops", "other")])
def test_how_many_bots_there_are_is_known_once_all_lists_have_ended(namespaces: tuple[str, ...]) -> None:
    cache = Cache()
    cache.event(False, "GptBot", _document("shop"), listed=True)
    for namespace in namespaces or (None,):
        assert cache.bots_known(namespaces) is None
        assert cache.listed("Secret", namespace, ()) == set()
        assert cache.bots_known(namespaces) is None
        assert cache.listed("GptBot", namespace, ()) == set()
    assert cache.bots_known(namespaces) == 1
    assert cache.listed("GptBot", "shops", {("shops", "shop")}) == {"shops/shop"}
    assert cache.bots_known(namespaces) == 0


@pytest.mark.parametrize(("breaks", "expected"), [(False, [(SECRETS, None, {("shops", "old")})]), (True, [])])
async def test_what_a_whole_list_lacks_is_lost_and_a_broken_one_says_nothing(
    monkeypatch: pytest.MonkeyPatch, breaks: bool, expected: list[tuple[Resource, set[Name]]]
) -> None:
    async def in_chunks(**_: Any) -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
        yield [_document("a")], "7"
        if breaks:
            raise TimeoutError
        yield [_document("b")], "7"

    monkeypatch.setattr(fetching, "fetch_objs", in_chunks)
    lost: list[tuple[Resource, str | None, set[Name]]] = []
    known: dict[Resource, set[Name]] = {SECRETS: {("shops", "a"), ("shops", "b"), ("shops", "old")}}
    seen: list[str] = []
    options: dict[str, Any] = {"settings": None, "logger": None, "namespace": None}

    async def kopf_gets(resource: Resource) -> list[str]:
        group, version, plural = resource
        got: list[str] = []
        chunk: Any
        which: Any = SimpleNamespace(group=group, version=version, plural=plural)
        async for chunk, _ in fetching.fetch_objs(resource=which, **options):
            got += [each["metadata"]["name"] for each in chunk]
        return got

    with lists_noted(
        lambda which, _: known.get(which),
        lambda _, document: seen.append(document["metadata"]["name"]),
        lambda *each: lost.append(each),
    ):
        if breaks:
            with pytest.raises(TimeoutError):
                await kopf_gets(SECRETS)
        else:
            assert await kopf_gets(SECRETS) == []
            assert await kopf_gets(("", "v1", "namespaces")) == ["a", "b"], "none of ours"
    assert seen == (["a"] if breaks else ["a", "b"])
    assert lost == expected
    assert fetching.fetch_objs is in_chunks


def test_a_bot_that_is_looked_at_is_a_copy() -> None:
    cache = Cache()
    document = _document("b", "shop") | {"spec": {"personas": [{"name": "продавец"}]}}
    cache.event(False, "GptBot", document)
    cache.bots["shop/b"]["spec"].clear()
    assert cache.bots["shop/b"]["spec"] == document["spec"]
    assert list(cache.bots) == ["shop/b"]
    cache.bots["shop/b"] = document | {"metadata": document["metadata"] | {"managedFields": [{"manager": "x"}]}}
    assert cache.bots["shop/b"] == document


@pytest.mark.parametrize("kind", ["GptBot", "Service"])
def test_what_is_older_than_what_is_known_says_nothing(kind: str) -> None:
    def version(number: int, **labels: str) -> dict[str, Any]:
        document = _document("shop", bot="shop")
        document["metadata"] |= {"resourceVersion": str(number), "generation": number}
        document["metadata"]["labels"] |= labels
        return document

    cache = Cache()
    known: Any = cache.bots if kind == "GptBot" else cache.objects
    cache.event(False, kind, version(9))
    assert cache.event(False, kind, version(8, a="b")) == set()
    assert cache.event(True, kind, version(8)) == set(), "the object before it"
    assert len(known) == 1
    cache.event(False, kind, version(2), listed=True)  # restored from a backup
    assert cache.event(False, kind, version(3, a="b")) == {"shops/shop"}
    cache.event(True, kind, version(10))
    assert len(known) == 0


def test_what_stands_for_a_value_in_an_example_is_noted_and_no_other_value() -> None:
    values = {"token": "put-the-token-of-BotFather-here\n", "variable": "${KEY}", "key": "sk-a1b2c3", "odd": "\x00"}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()} | {"broken": "%"}
    seen = observe({"kind": "Secret", "metadata": {"name": "a", "namespace": "b", "uid": "u"}, "data": data})
    assert seen.unfilled.keys() == {"token", "variable"}
    assert "put the value itself there" in seen.unfilled["token"]
    assert not any(value.strip() in text for value in values.values() for text in seen.unfilled.values())
