"""What the operator tells Prometheus of each bot."""

from __future__ import annotations

import time
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gptbot_operator.bot_metrics import SeenBots


def bot(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "store", "name": name}, "spec": spec}


def status(**conditions: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status} for kind, status in conditions.items()]}


@pytest.fixture
def seen() -> SeenBots:
    return SeenBots()


def shown(seen: SeenBots) -> list[str]:
    registry = CollectorRegistry()
    registry.register(seen)
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_the_status_that_holds_is_1_and_the_others_are_0(seen: SeenBots) -> None:
    seen.note(bot("a"), status(Ready="False", Progressing="Unknown"), "ghcr.io/x/gptbot:1.2")
    seen.note(bot("a"), status(Ready="True", Progressing="Unknown"), "ghcr.io/x/gptbot:1.2")
    labels = 'bot="a",condition="{}",namespace="store",status="{}"'
    held = {("Ready", "true"), ("Progressing", "unknown")}
    wanted = {
        f"gptbot_bot_condition{{{labels.format(kind, each)}}} {float((kind, each) in held)}"
        for kind in ("Ready", "Progressing")
        for each in ("true", "false", "unknown")
    }
    assert {line for line in shown(seen) if "condition" in line} == wanted


def test_a_bot_that_goes_takes_its_metrics_with_it(seen: SeenBots) -> None:
    for name in ("a", "b"):
        seen.note(bot(name), status(Ready="True"), "gptbot:1")
    seen.forget("store/a")
    seen.forget("store/never-there")
    assert not [line for line in shown(seen) if 'bot="a"' in line]
    assert len([line for line in shown(seen) if 'bot="b"' in line]) == 4


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("gptbot:1.2", "1.2"), ("host:5000/x/gptbot:2", "2"), ("host:5000/x/gptbot", "latest"),
        ("gptbot@sha256:0123", ""), ("host:5000/gptbot:3@sha256:0123", "3"),
    ],
)  # fmt: skip
def test_the_info_of_a_bot(seen: SeenBots, image: str, version: str) -> None:
    seen.note(bot("a", suspend=True), status(), image)
    (line,) = shown(seen)
    assert line == (
        f'gptbot_bot_info{{bot="a",image="{image}",namespace="store",suspended="true",version="{version}"}} 1.0'
    )


def test_many_bots_cost_little(seen: SeenBots) -> None:
    kinds = {f"Condition{number}": "True" for number in range(8)}
    for number in range(1000):
        seen.note(bot(f"bot-{number}"), status(**kinds), "gptbot:1")
    began = time.process_time()
    assert len(shown(seen)) == 1000 * (8 * 3 + 1)
    assert time.process_time() - began < 3, "0.2 s on an idle machine"
