"""Logs of several pods become one, in the order of time."""
# ruff: noqa: E501 - tables

from __future__ import annotations

import io

from rich.console import Console

from kubectl_gptbot.logs import in_order, parsed, rendered

GATEWAY = "[pod/shop-gateway-1/gptbot] "
WORKER = "[pod/shop-worker-1/gptbot] "
LINES = [
    GATEWAY + '{"event": "started", "component": "process", "level": "info", "timestamp": "2026-11-01T10:00:01.5Z", "bots": ["a/b"]}\n',
    GATEWAY + '{"event": "not connected", "component": "gateway", "level": "warning", "timestamp": "2026-11-01T10:00:03.25Z",'
    ' "platform": "telegram", "reason": "Telegram refuses the token", "receiver": null}\n',
    GATEWAY + "Fatal Python error\n",
    WORKER + '{"event": "started", "level": "info", "timestamp": "2026-11-01T10:00:02Z"}\n',
    WORKER + '["no event"]\n',
]  # fmt: skip


def test_a_line_is_read() -> None:
    line = parsed(LINES[1])
    assert (line.pod, line.level, line.time) == ("shop-gateway-1", "warning", "2026-11-01T10:00:03.25Z")
    assert line.text == '[gateway] not connected platform=telegram reason="Telegram refuses the token"'
    assert parsed(LINES[0]).text == '[process] started bots=["a/b"]'


def test_lines_are_put_in_order_and_those_without_a_time_stay_behind_their_own() -> None:
    assert [(line.pod, line.text.split(" platform")[0]) for line in in_order(LINES)] == [
        ("shop-gateway-1", '[process] started bots=["a/b"]'),
        ("shop-worker-1", "started"),
        ("shop-worker-1", '["no event"]'),
        ("shop-gateway-1", "[gateway] not connected"),
        ("shop-gateway-1", "Fatal Python error"),
    ]


def test_a_line_for_a_terminal() -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(rendered(parsed(LINES[1])))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().startswith("10:00:03.25Z shop-gateway-1 WARNING [gateway] not connected")
