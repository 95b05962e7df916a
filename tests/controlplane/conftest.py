"""Fixtures of the control-plane tests."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, control_plane
from tests.controlplane.running import OperatorProcess, documented_rules


@pytest.fixture(scope="package")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """A control plane with the CRD installed. At rest it takes a quarter of a core, so it ends with this folder."""
    with control_plane(tmp_path_factory.mktemp("plane")) as running:
        yield running


@pytest.fixture
def namespace(plane: Plane) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    plane.api.create_namespace(name)
    yield name
    plane.api.delete_namespace(name)


@pytest.fixture(scope="package")
def operator(plane: Plane, store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator, serving all namespaces with a ClusterRole of the documented rules."""
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "operator"}}
    plane.kubectl("apply", "-f", "-", document=role | {"rules": documented_rules()})
    plane.kubectl("create", "clusterrolebinding", "operator", "--clusterrole=operator", "--user=operator")
    process = OperatorProcess(plane, tmp_path_factory.mktemp("operator"), GPTBOT_STORE_URL=store_url)
    process.start()
    yield process
    process.stop()
    log = process.log.read_text()
    assert " in API group " not in log, "the documented rights are not enough"
    assert "Traceback" not in log, log
    assert store_url not in log
    assert "hunter2" not in log


@pytest.fixture(autouse=True)
def running_again(request: pytest.FixtureRequest) -> None:
    """Start the operator that the test before has stopped, if this one uses it."""
    names = request.fixturenames
    if "operator" in names and "absent" not in names:
        request.getfixturevalue("operator").start_if_wanted()


@pytest.fixture
def stopped(operator: OperatorProcess) -> Iterator[OperatorProcess]:
    """The operator, to be stopped by the test; others find it running."""
    yield operator
    operator.stop()
    operator.start_when_needed()


@pytest.fixture
def absent(operator: OperatorProcess) -> Iterator[None]:
    """The operator does not run: the test has one of its own, or none."""
    operator.stop()
    yield
    operator.start_when_needed()


@pytest.fixture
def make_bot(plane: Plane, namespace: str) -> Callable[..., Bot]:
    """Makes a GptBot in the test's namespace; arguments are fields of its spec."""

    def make(name: str = "bot", **spec: Any) -> Bot:
        bot = Bot(plane.api, namespace, name)
        bot.create(**spec)
        return bot

    return make
