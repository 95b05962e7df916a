"""What a Deployment says of its pods, and what counts as its owner's doing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from gptbot_api import parse
from gptbot_api.references import references
from gptbot_operator.cache import observe
from gptbot_operator.desired.config import config_map
from gptbot_operator.desired.gateway import gateway
from gptbot_operator.settings import Settings
from gptbot_operator.stamps import Stamp, owner_digest, template_digest
from tests.unit.bots import BOTS, OPENAI, bot, context

PINNED = Path(__file__).with_name("owner_digests.yaml")
NAME = "all-platforms"


def written(name: str, **changes: Any) -> Any:
    """A GptBot without what its installation adds."""
    metadata = {"name": name, "namespace": "store", "uid": "00000000-0000-0000-0000-000000000001"}
    spec = {**BOTS[name], **changes}
    return parse({"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": metadata, "spec": spec})


def owner(name: str, password: str | None = "hunter2", **changes: Any) -> str:
    subject = bot(name, **changes)
    found = list(references(subject))
    digests = {reference: f"digest of {reference.name}/{reference.key}" for reference in found}
    return owner_digest(written(name, **changes), found, digests, "0123456789abcdef0123456789abcdef", password)


def test_a_release_says_the_same_of_its_owners_as_the_one_before() -> None:
    """Or every bot would be rolled at once by an upgrade, as if its owner had asked for it."""
    assert {name: owner(name) for name in BOTS} == yaml.safe_load(PINNED.read_text()), (
        "a digest may change for a bot that is new here, never for one that was there"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"limits": {"tokensPerDay": 5}}, {"suspend": True}, {"gateway": {"replicas": 3}},
        {"workers": {"minReplicas": 2, "maxReplicas": 50}}, {"networkPolicy": {"enabled": False}},
        {"llm": BOTS[NAME]["llm"] | {"timeoutSeconds": written(NAME).spec.llm.timeout_seconds}},
    ],
)  # fmt: skip
def test_what_changes_no_pods_is_no_reason_to_go_at_once(change: dict[str, Any]) -> None:
    assert owner(NAME, **change) == owner(NAME)


@pytest.mark.parametrize(
    "change",
    [
        {"llm": OPENAI | {"timeoutSeconds": 11}}, {"gateway": {"concurrency": 5}}, {"workers": {"concurrency": 5}},
        {"podTemplate": {"metadata": {"labels": {"a": "b"}}}}, {"password": "hunter3"},
        {"expose": {"host": "bot.example.com", "ingress": {}}},
        {"workers": {"resources": {"requests": {"cpu": "1"}}}},
    ],
)  # fmt: skip
def test_what_the_owner_changes_goes_at_once(change: dict[str, Any]) -> None:
    assert owner(NAME, **change) != owner(NAME)


def test_what_the_installation_changes_is_not_the_owners() -> None:
    subject = bot("telegram-only")
    before, after = (
        gateway(subject, replace(context(subject), settings=Settings(image=image))) for image in ("a:1", "a:2")
    )
    assert template_digest(before) != template_digest(after)
    found = list(references(bot("defaults")))
    copies = [each for each in found if each.name.endswith("-gptbot")]
    one, other = (
        owner_digest(written("defaults"), found, dict.fromkeys(copies, value), "p", None)
        for value in ("before", "after")
    )
    assert copies
    assert one == other


def test_a_stamp_is_read_as_it_was_written() -> None:
    subject = bot(NAME)
    manifest = gateway(subject, context(subject))
    stamp = Stamp(template_digest(manifest), owner(NAME), "wave")
    live = stamp.on(manifest)
    live["metadata"] |= {"uid": "u", "resourceVersion": "1"}
    assert Stamp.of(observe(live)) == stamp
    assert Stamp.of(None) is None
    for text in ("", "x", f"{'a' * 32} {'b' * 32} somebody", f"{'a' * 32}  wave"):
        live["metadata"]["annotations"]["gptbot.dev/rolled"] = text
        assert Stamp.of(observe(live)) is None


@pytest.mark.parametrize("name", BOTS)
def test_what_pods_of_before_read_means_the_same(name: str) -> None:
    subject = bot(name)
    full, brief = (yaml.safe_load(config_map(subject, brief=each)["data"]["bot.yaml"]) for each in (False, True))
    assert parse(brief) == parse(full)
    assert "context" not in brief["spec"]
