"""The operator as a process, with the rights that docs/operator.md lists and no others."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.programs import ROOT
from tests.ports import free_ports

PAGE = ROOT / "docs" / "operator.md"


def documented_rules() -> list[dict[str, Any]]:
    """The rules of docs/operator.md."""
    found = re.search(r"<!-- rbac:.*?```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found, f"{PAGE} has no block of rules"
    return yaml.safe_load(found[1])


class OperatorProcess:
    """`gptbot-operator`, started and stopped at will."""

    def __init__(self, plane: Plane, directory: Path, **environment: str) -> None:
        self._health_port, self._metrics_port = free_ports(2)
        self.log = directory / "operator.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted = False
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "KUBECONFIG": str(plane.kubeconfig("operator")),
            "GPTBOT_IMAGE": "gptbot:test",
            "GPTBOT_TENANCY": "trusted",
            "GPTBOT_REFRESH_SECONDS": "0.5",
            "GPTBOT_LOG_LEVEL": "DEBUG",
            "GPTBOT_ROLLOUT_MAX_UNAVAILABLE_BOTS": "100%",
            "GPTBOT_ROLLOUT_PAUSE": "0s",
            "GPTBOT_HEALTH_PORT": str(self._health_port),
            "GPTBOT_METRICS_PORT": str(self._metrics_port),
            **environment,
        }
        """What it is started with the next time."""

    def start(self) -> None:
        """Start it and wait until it is alive."""
        self._wanted = False
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [Path(sys.executable).with_name("gptbot-operator")], env=self.environment, stdout=log, stderr=log
            )
        wait_for(self._alive, "the operator's /healthz", 200, self._running)

    def stop(self) -> None:
        """SIGTERM, and wait until it has ended."""
        self._wanted = False
        if self._process is not None:
            process, self._process = self._process, None
            process.terminate()
            try:
                assert process.wait(timeout=60) == 0, self.log.read_text()[-3000:]
            finally:
                process.kill()  # or it serves the bots of the tests that follow

    def start_when_needed(self) -> None:
        """Let the next test that needs it start it: one that stops it first would only wait for it."""
        self._wanted = not self.running

    def start_if_wanted(self) -> None:
        """Start it if that was put off."""
        if self._wanted:
            self.start()

    def kill(self) -> None:
        """SIGKILL: nothing is given back."""
        self.signal(signal.SIGKILL)
        assert self.ended() == -signal.SIGKILL

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def ended(self) -> int:
        """Its exit status, once it has ended by itself."""
        assert self._process is not None
        status = self._process.wait(timeout=60)
        self._process = None
        return status

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of the process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def metrics(self) -> list[str]:
        """The lines of `/metrics`."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._metrics_port}/metrics", timeout=60) as answer:
            return answer.read().decode().splitlines()

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = self.metrics()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(rf"{name}(\{{| )", line))

    def logged(self, since: int, event: str) -> list[dict[str, Any]]:
        """What it logged of an event since the log had a length."""
        with self.log.open("rb") as log:
            log.seek(since)
            lines = [line for line in log if line.endswith(b"}\n") and event.encode() in line]
        return [entry for entry in map(json.loads, lines) if entry["event"] == event]

    def looked(self, bot: Bot, since: int) -> int:
        """How many looks at one very bot were finished since the log had a length."""
        return sum(entry["bot"] == f"{bot.namespace}/{bot.name}" for entry in self.logged(since, "looked at"))

    def looks_at(self, *bots: Bot, count: int = 3, seconds: float = 90) -> None:
        """Wait for so many whole looks at each of these bots. The one that is under way does not count."""
        since = self.log.stat().st_size
        for bot in bots:
            wait_for(lambda: self.looked(bot, since) > count, f"{count} looks at {bot.name}", seconds)  # noqa: B023

    def _alive(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._health_port}/healthz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _running(self) -> None:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the operator exited:\n{self.log.read_text()[-3000:]}")
