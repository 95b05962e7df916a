"""Bots nested deeper than Python reads by itself: refused, and nobody else notices."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gptbot_operator.bounds import read_all_depths
from tests.controlplane.bot import Bot

MakeBot = Callable[..., Bot]


def _deep(levels: int) -> Any:
    node: Any = 1
    for _ in range(levels):
        node = {"a": node}
    return node


@pytest.fixture
def readable() -> Iterator[None]:
    """The test itself writes and reads them too."""
    before = sys.getrecursionlimit()
    read_all_depths()
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("operator", "readable")
def test_a_bot_that_is_nested_too_deep_is_refused_alone(make_bot: MakeBot) -> None:
    deep = make_bot("deep", podTemplate={"spec": {"affinity": _deep(5000)}})
    other = make_bot("other")
    assert "more than 100 levels deep" in deep.wait_condition("Ready", "False", "InvalidSpec")
    other.wait_settled()
    deep.api.delete("GptBot", deep.namespace, deep.name)
