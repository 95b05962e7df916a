"""A second installation beside the first, for the same namespaces: each bot is served by one, and nobody fights."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Generator
from typing import Any

import pytest

from tests.chart.rendering import CHART
from tests.e2e import cluster
from tests.e2e.cluster import Object
from tests.e2e.conftest import Release, namespace, values

pytestmark = [pytest.mark.timeout(600)]

METRICS_PORT = 9090
ELSEWHERE = "gptbot_operator_bots_served_by_another"
LOOKS = "gptbot_operator_reconciles_total"
OLD, NEW = "old", "new"


@pytest.fixture(scope="module")
def second(release: Release, run: str) -> Generator[Release]:
    """An installation without store and model."""
    given = values() | {"valkey": {"enabled": False}, "model": {"enabled": False}}
    with namespace(f"gptbot-second-{run}") as where:
        other = Release("second", where, CHART, given)
        other.helm("install", "--wait", "--skip-crds")
        yield other
        other.helm("uninstall", "--wait")


def _bot(name: str, prompt: str, **spec: Any) -> Object:
    """It has no pods."""
    wanted: dict[str, Any] = {
        "platforms": {"web": {}},
        "llm": {"embedded": {}},
        "personas": [{"name": "a", "title": "A", "prompt": prompt}],
        "workers": {"maxReplicas": 0},
        "suspend": True,
    }
    return {
        "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": name}, "spec": wanted | spec,
    }  # fmt: skip


def _lease(release: Release) -> str:
    return f"{release.namespace}/{release.name}-gptbot-operator"


def _served_by(where: str, name: str) -> str:
    return cluster.get("-n", where, "gptbot", name).get("status", {}).get("servedBy", "")


def _metric(release: Release, name: str) -> float:
    operator = f"deployment/{release.name}-gptbot-operator"
    with (
        cluster.forwarded(release.namespace, operator, METRICS_PORT) as here,
        urllib.request.urlopen(f"{here}/metrics", timeout=10) as answer,
    ):
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(rf"{name}(\{{| )", line))


def _prompts(where: str) -> str:
    return cluster.get("-n", where, "configmap", f"{OLD}-gptbot")["data"]["bot.yaml"]


def test_each_bot_is_served_by_one_of_them(bots: str, release: Release, request: pytest.FixtureRequest) -> None:
    cluster.apply(bots, [_bot(OLD, "You are the first.")])
    served = lambda: _served_by(bots, OLD) == _lease(release)  # noqa: E731
    cluster.wait_until("the first serves it", served)
    gateway = ("-n", bots, "deployment", f"{OLD}-gateway")
    cluster.wait_until("its Deployment is made", lambda: cluster.get(*gateway))
    before = cluster.get(*gateway)["metadata"]

    second: Release = request.getfixturevalue("second")
    cluster.wait_until("the second stands back", lambda: _metric(second, ELSEWHERE) >= 1)
    cluster.apply(bots, [_bot(OLD, "You are changed."), _bot(NEW, "You are new.", operator=_lease(second))])
    cluster.wait_until("the second serves what names it", lambda: _served_by(bots, NEW) == _lease(second))
    cluster.wait_until("the first goes on", lambda: "You are changed." in _prompts(bots))
    looks = [_metric(each, LOOKS) for each in (release, second)]
    wanted = [count + 6 for count in looks]
    cluster.wait_until(
        "both look at them again and again",
        lambda: all(_metric(each, LOOKS) >= most for each, most in zip((release, second), wanted, strict=True)),
    )
    after = cluster.get(*gateway)["metadata"]
    assert (after["uid"], after["generation"]) == (before["uid"], before["generation"])
    assert _served_by(bots, OLD) == _lease(release)
    assert _served_by(bots, NEW) == _lease(second)
