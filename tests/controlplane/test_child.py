"""A child is written to as it was seen last, or where there is none: nobody else's object is ever taken over."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from kubernetes.aio import client, config

from gptbot_api import GptBot, parse
from gptbot_operator.applied import Applied
from gptbot_operator.cache import Cache
from gptbot_operator.child import Look, NotOurs, SecretUnknown, apply_child
from gptbot_operator.cluster import ApiError, Cluster, Document
from gptbot_operator.desired.children import Identity, children
from gptbot_operator.drift import APPLIED
from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane
from tests.unit.bots import context

MakeBot = Callable[..., Bot]


@pytest.fixture
async def cluster(plane: Plane) -> AsyncIterator[Cluster]:
    settings: Any = client.Configuration()
    await config.load_kube_config(config_file=str(plane.kubeconfig("operator")), client_configuration=settings)
    async with client.ApiClient(configuration=settings) as api:
        yield Cluster(api)


@pytest.fixture
def look(cluster: Cluster, make_bot: MakeBot, absent: None) -> Look:
    """At a new bot with every kind of child that each cluster has."""
    del absent  # the test does what the operator would do
    bot = make_bot("shop", expose={"host": "shop.example.com", "ingress": {}}, gateway={"replicas": 2})
    return Look(cluster, Cache(), parse(bot.document), Applied(), new=True, secret_read=True)


def wanted(bot: GptBot) -> dict[Identity, Document]:
    """The manifests of its children."""
    return {(each["kind"], each["metadata"]["name"]): each for each in children(bot, context(bot))}


def edited(manifest: Document) -> Document:
    """Another manifest of the same child."""
    other = copy.deepcopy(manifest)
    other["metadata"].setdefault("annotations", {})["example.com/edited"] = "yes"
    return other


def somebody_elses(manifest: Document) -> Document:
    """An object of the same name, and labelled as the bot's own."""
    other = copy.deepcopy(manifest)
    del other["metadata"]["ownerReferences"]
    return other


async def test_a_new_bot_takes_over_nothing_that_has_the_name_of_a_child(look: Look, plane: Plane) -> None:
    manifests = wanted(look.bot)
    assert len(manifests) >= 11
    before = {identity: plane.api.create(somebody_elses(each)) for identity, each in manifests.items()}
    for identity, manifest in manifests.items():
        with pytest.raises(NotOurs, match="does not belong to this GptBot"):
            await apply_child(look, identity, manifest)
        _is_untouched(plane, before[identity])


async def test_what_was_made_or_taken_away_a_moment_ago_is_not_written_to(look: Look, plane: Plane) -> None:
    """What the operator knows is older than what there is, as while a watch is cut."""
    for identity, manifest in wanted(look.bot).items():
        kind, name = identity
        namespace = look.bot.metadata.namespace
        await apply_child(look, identity, manifest)
        known = look.cache.objects[look.key(identity)], look.applied.done[identity]

        plane.api.patch(kind, namespace, name, {"metadata": {"ownerReferences": None}})
        let_go = plane.api.get(kind, namespace, name)
        assert let_go is not None
        with pytest.raises(NotOurs, match="does not belong to this GptBot"):
            await apply_child(look, identity, edited(manifest))
        _is_untouched(plane, let_go)

        plane.api.delete(kind, namespace, name)
        other = plane.api.create(somebody_elses(manifest))
        look.cache.objects[look.key(identity)], look.applied.done[identity] = known
        with pytest.raises(NotOurs, match="does not belong to this GptBot"):
            await apply_child(look, identity, edited(manifest))
        _is_untouched(plane, other)


async def test_what_is_made_between_a_look_and_the_apply_is_not_written_to(
    look: Look, plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Document] = []
    get = look.cluster.get

    async def get_and_be_overtaken(kind: str, namespace: str, name: str) -> Document | None:
        found = await get(kind, namespace, name)
        if found is None:
            made.append(plane.api.create(somebody_elses(manifests[kind, name])))
        return found

    manifests = wanted(look.bot)
    known = replace(look, new=False)
    monkeypatch.setattr(known.cluster, "get", get_and_be_overtaken)
    for identity, manifest in manifests.items():
        with pytest.raises(NotOurs, match="does not belong to this GptBot"):
            await apply_child(known, identity, manifest)
        _is_untouched(plane, made[-1])
    assert len(made) == len(manifests)


async def test_a_secret_that_was_not_read_keeps_its_pepper(look: Look, plane: Plane) -> None:
    [(identity, manifest)] = [each for each in wanted(look.bot).items() if each[0][0] == "Secret"]
    there = plane.api.create(manifest | {"data": {"pepper": "b3RoZXI="}})
    with pytest.raises(SecretUnknown):
        await apply_child(replace(look, secret_read=False), identity, manifest)
    _is_untouched(plane, there)


async def test_a_change_by_others_at_that_moment_is_looked_at_again_and_not_for_ever(
    look: Look, plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    [(identity, manifest)] = [each for each in wanted(look.bot).items() if each[0][0] == "ConfigMap"]
    await apply_child(look, identity, manifest)
    looks: list[int] = []
    often = 1
    get = look.cluster.get

    async def get_and_be_overtaken(kind: str, namespace: str, name: str) -> Document | None:
        found = await get(kind, namespace, name)
        looks.append(len(looks))
        if len(looks) <= often:
            plane.api.patch(kind, namespace, name, {"data": {"others": f"write {len(looks)}"}})
        return found

    monkeypatch.setattr(look.cluster, "get", get_and_be_overtaken)
    look.applied.done.clear()
    await apply_child(look, identity, edited(manifest))
    assert len(looks) == 2
    often = 1000
    look.applied.done.clear()
    with pytest.raises(ApiError, match="changed by others all the time"):
        await apply_child(look, identity, manifest)
    assert len(looks) < 20


def _is_untouched(plane: Plane, before: Document) -> None:
    metadata = before["metadata"]
    after = plane.api.get(before["kind"], metadata["namespace"], metadata["name"])
    assert after is not None
    assert _decided(after) == _decided(before), before["kind"]


def _decided(document: Document) -> list[Any]:
    """All of it that no controller of Kubernetes changes by itself."""
    metadata = document["metadata"]
    annotations = metadata.get("annotations") or {}
    ours = [annotations.get(APPLIED), annotations.get("example.com/edited"), metadata.get("ownerReferences")]
    return [metadata["uid"], metadata.get("generation"), metadata["labels"], document.get("data"), ours]
