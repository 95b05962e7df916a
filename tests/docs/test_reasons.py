"""docs/troubleshooting.md has every reason that the programs give."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
_WORD = re.compile(r"[A-Z][a-z]+(?:[A-Z][A-Za-z]*)+")
_OPERATOR = ("status", "platforms", "model", "budget", "rollout", "pods", "serving", "pausing", "scaling_active")
_OF_KUBERNETES = {"PodScheduled", "PodInitializing", "ContainerCreating", "NewReplicaSetAvailable"}
"""Its own words, which the operator reads and does not tell."""
_OF_THE_API = {
    "StoreReachable", "ModelReachable", "BudgetAvailable", "PlatformsConnected", "ScalingActive", "SecretsResolved",
}  # fmt: skip
_KINDS = {"HorizontalPodAutoscaler", "ConfigMap"}


def words(file: Path) -> Iterator[str]:
    """CamelCase texts of a module."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _WORD.fullmatch(node.value):
            yield node.value


def reasons() -> set[str]:
    files = [ROOT / "operator" / "gptbot_operator" / f"{name}.py" for name in _OPERATOR]
    files += [ROOT / "botimage" / "gptbot" / "gateway.py", ROOT / "botimage" / "gptbot" / "platforms" / "errors.py"]
    telegram, discord = (ROOT / "botimage" / "gptbot" / "platforms" / name for name in ("telegram", "discord"))
    files += [telegram / f"{name}.py" for name in ("gateway", "polling", "session", "webhook")]
    files += [discord / f"{name}.py" for name in ("gateway", "shard", "starts", "trouble")]
    return {word for file in files for word in words(file)} - _OF_KUBERNETES - _OF_THE_API - _KINDS


def test_there_are_many() -> None:
    assert {"TokenRefused", "AnotherPoller", "IntentMissing", "QuotaSpent", "ImagePullBackOff"} <= reasons()


@pytest.mark.parametrize("reason", sorted(reasons()))
def test_a_reason_is_explained(reason: str) -> None:
    assert f"`{reason}`" in PAGE
