"""Two operators in two namespaces, with the rights and the Lease that the chart gives them."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.rendering import render
from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess

SECONDS = "10"
"""How long a Lease lasts."""


class Pair:
    """Two operators of one release."""

    def __init__(self, plane: Plane, home: str, namespaces: list[str], directory: Path) -> None:
        objects = render({"operator": {"namespaces": namespaces}, "crd": {"upgrade": False}}, namespace=home)
        rights = [each for each in objects if each["kind"] in ("ServiceAccount", "Role", "RoleBinding")]
        plane.kubectl("apply", "-f", "-", document={"apiVersion": "v1", "kind": "List", "items": rights})
        [account] = [each["metadata"]["name"] for each in rights if each["kind"] == "ServiceAccount"]
        config: dict[str, Any] = yaml.safe_load(plane.kubeconfig("admin").read_text())
        config["users"][0]["user"] = {"token": plane.kubectl("-n", home, "create", "token", account).stdout.strip()}
        kubeconfig = directory / "account.conf"
        kubeconfig.write_text(yaml.safe_dump(config))
        [deployment] = [each for each in objects if each["kind"] == "Deployment"]
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        given = {each["name"]: each.get("value", "") for each in container["env"]}
        environment = {name: given[name] for name in ("GPTBOT_NAMESPACES", "GPTBOT_LEASE")}
        environment |= {"KUBECONFIG": str(kubeconfig), "GPTBOT_LEASE_SECONDS": SECONDS}
        self.operators: list[OperatorProcess] = []
        for name in ("first", "second"):
            (directory / name).mkdir()
            self.operators.append(OperatorProcess(plane, directory / name, **environment))

    def leader(self) -> OperatorProcess:
        """The one that leads, once there is exactly one."""

        def leading() -> list[OperatorProcess]:
            running = [each for each in self.operators if each.running]
            return [each for each in running if each.metric("gptbot_operator_leader") == 1]

        wait_for(lambda: len(leading()) == 1, "one leads", 60)
        return leading()[0]

    def other(self, one: OperatorProcess) -> OperatorProcess:
        """The one that is not this."""
        return next(each for each in self.operators if each is not one)


@pytest.fixture
def namespaces(plane: Plane) -> Iterator[list[str]]:
    names = [f"test-{uuid.uuid4().hex[:8]}" for _ in range(3)]
    for name in names:
        plane.api.create_namespace(name)
    yield names
    for name in names:
        plane.api.delete_namespace(name)


@pytest.fixture
def pair(plane: Plane, namespace: str, namespaces: list[str], absent: None, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(plane, namespace, namespaces[:2], tmp_path)
    for each in made.operators:
        each.start()
    yield made
    for each in made.operators:
        each.stop()
        log = each.log.read_text()
        assert "cannot " not in log, "the chart's rights are not enough"
        assert "Traceback" not in log, log


def _made(plane: Plane, namespace: str, name: str) -> None:
    bot = Bot(plane.api, namespace, name)
    bot.create()
    bot.the("Deployment", "gateway")


def test_one_leads_and_another_takes_over(plane: Plane, namespaces: list[str], pair: Pair) -> None:
    one, two, unserved = namespaces
    elsewhere = Bot(plane.api, unserved, "elsewhere")
    elsewhere.create()
    first = pair.leader()
    second = pair.other(first)
    _made(plane, one, "a")
    _made(plane, two, "b")
    assert second.metric("gptbot_operator_watch_events_total") == 0, "who stands by is alive and does nothing"
    assert not elsewhere.children(), "nobody has rights there, and nobody looks"

    first.stop()
    assert pair.leader() is second
    _made(plane, one, "after-a-stop")

    first.start()
    assert pair.leader() is second, "who comes back stands by"
    second.kill()
    assert pair.leader() is first
    _made(plane, two, "after-a-kill")


def test_who_loses_the_lease_ends(plane: Plane, namespaces: list[str], pair: Pair) -> None:
    first = pair.leader()
    second = pair.other(first)
    first.signal(signal.SIGSTOP)
    wait_for(lambda: second.metric("gptbot_operator_leader") == 1, "the other takes over", 60)
    first.signal(signal.SIGCONT)
    assert first.ended() == 1
    assert "gptbot-operator: " in first.log.read_text().splitlines()[-1]
    _made(plane, namespaces[0], "a")
