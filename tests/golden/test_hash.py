"""What rolls the pods and what does not: the hash on the pod templates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gptbot_operator.desired.children import children
from gptbot_operator.desired.config import config_hash
from gptbot_operator.desired.gateway import gateway
from gptbot_operator.desired.worker import worker
from tests.unit.bots import BOTS, OPENAI, TELEGRAM, bot, context

NAME = "all-platforms"


def pod_templates(**changes: Any) -> tuple[Any, Any]:
    subject = bot(NAME, **changes)
    added = context(subject)
    return gateway(subject, added)["spec"]["template"], worker(subject, added)["spec"]["template"]


@pytest.mark.parametrize(
    "change",
    [
        {"personas": [{"name": "poet", "promptFrom": {"configMapKeyRef": {"name": "prompts", "key": "translator"}}}]},
        {"defaultPersona": "consultant"},
        {"customPersona": "forbidden"},
        {"limits": {"tokensPerDay": 5}},
        {"access": {"deny": ["telegram:user:1"]}},
        {"context": {"maxMessages": 3}},
        {"answerIn": {"groups": "always"}},
        {"privacy": {"redact": []}},
        {"suspend": True},
        {"gateway": {"replicas": 3}},
        {"workers": {"minReplicas": 2, "maxReplicas": 50, "target": {"backlogPerReplica": 5}}},
        {"networkPolicy": {"enabled": False}},
        {"monitoring": {"interval": "5s"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_these_edits_do_not_roll_pods(change: dict[str, Any]) -> None:
    assert pod_templates(**change) == pod_templates()


@pytest.mark.parametrize(
    ("change", "gateway_rolls", "workers_roll"),
    [
        ({"llm": OPENAI | {"parameters": {"temperature": 0.1}}}, True, True),
        ({"llm": OPENAI | {"timeoutSeconds": 10}}, True, True),
        ({"platforms": {"telegram": TELEGRAM}}, True, True),
        ({"expose": {"host": "bot.example.com", "ingress": {}}}, True, True),  # the page answers by that name
        ({"store": {"urlSecretRef": {"name": "store", "key": "url"}}}, True, True),
        ({"gateway": {"concurrency": 5}}, True, False),
        ({"workers": {"concurrency": 5}}, False, True),
        ({"gateway": {"resources": {"requests": {"cpu": "1"}}}}, True, False),
        ({"podTemplate": {"metadata": {"labels": {"a": "b"}}}}, True, True),
        ({"gateway": {"podTemplate": {"metadata": {"labels": {"a": "b"}}}}}, True, False),
        ({"workers": {"podTemplate": {"spec": {"priorityClassName": "low"}}}}, False, True),
    ],
    ids=str,
)
def test_these_edits_roll_pods(change: dict[str, Any], gateway_rolls: bool, workers_roll: bool) -> None:
    before, after = pod_templates(), pod_templates(**change)
    assert (before[0] != after[0], before[1] != after[1]) == (gateway_rolls, workers_roll)


@pytest.mark.parametrize("name", ["telegram-webhook", NAME])
def test_a_public_address_rolls_pods_only_for_the_host_of_a_page(name: str) -> None:
    def template(**expose: Any) -> Any:
        subject = bot(name, **({"expose": {"host": "bot.example.com"} | expose} if expose else {}))
        return gateway(subject, context(subject))["spec"]["template"]

    assert template(ingress={}) == template(ingress={"className": "nginx", "annotations": {"a": "b"}})
    assert (template(ingress={}) == template()) == (name == "telegram-webhook")


def test_a_changed_secret_rolls_and_a_changed_prompt_does_not() -> None:
    subject = bot(NAME)
    added = context(subject)
    first = config_hash(subject, added, "gateway")
    for reference in added.references:
        changed = replace(added, digests={**added.digests, reference: "another"})
        rolls = config_hash(subject, changed, "gateway") != first
        assert rolls == (reference.kind == "Secret"), reference


def test_a_secret_that_appears_rolls() -> None:
    subject = bot("telegram-only")
    added = context(subject)
    assert config_hash(subject, replace(added, digests={}), "workers") != config_hash(subject, added, "workers")


def test_the_shared_stores_address_rolls_only_those_who_use_it() -> None:
    for name in BOTS:
        subject = bot(name)
        contexts = (context(subject, store_url=url) for url in ("redis://a", "redis://b"))
        here, there = (config_hash(subject, added, "gateway") for added in contexts)
        assert (here != there) == (name != "external-store"), name


def test_no_child_but_the_secret_shows_a_secret() -> None:
    subject = bot(NAME)
    added = context(subject)
    for manifest in children(subject, added):
        if manifest["kind"] != "Secret":
            assert "hunter2" not in str(manifest)
            assert added.pepper not in str(manifest)
