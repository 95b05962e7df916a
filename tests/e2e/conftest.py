"""The release under test and the namespaces around it; all of it goes at the end."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.rendering import CHART, ROOT, helm
from tests.e2e import cluster, fakes
from tests.e2e.cluster import Object
from tests.e2e.fakes import Fakes

CRD = "gptbots.gptbot.dev"
ARTIFACTS = ROOT / "artifacts" / "e2e"
_used: list[str] = []
"""Namespaces to report of when a test fails."""


@dataclass(frozen=True)
class Release:
    """The chart, installed."""

    name: str
    namespace: str
    chart: Path
    values: dict[str, Any] = field(repr=False)

    def helm(self, *arguments: str) -> str:
        """Run helm on it: `helm("upgrade", …)`. Raises AssertionError."""
        command, *rest = arguments
        file = ARTIFACTS / "values.yaml"
        file.write_text(yaml.safe_dump(self.values))
        chart = [] if command == "uninstall" else [str(self.chart), "--values", str(file)]
        answer = helm(command, self.name, *chart, "--namespace", self.namespace, "--timeout", "5m", *rest, timeout=400)
        assert answer.returncode == 0, f"helm {command}: {answer.stderr}"
        return answer.stdout

    async def helm_meanwhile(self, *arguments: str) -> str:
        """The same, while other things go on."""
        return await asyncio.to_thread(self.helm, *arguments)


@contextmanager
def namespace(name: str, security: str = "restricted", *, wait: bool = False) -> Generator[str]:
    """A namespace that goes at the end with all that is in it, which may be waited for.

    `security`: the Pod Security Standard that it keeps.
    """
    labels = {"pod-security.kubernetes.io/enforce": security}
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    cluster.kubectl("create", "-f", "-", document=[document])
    _used.append(name)
    try:
        yield name
    finally:
        command = ["delete", "namespace", name, "--ignore-not-found", "--timeout=120s", f"--wait={str(wait).lower()}"]
        cluster.kubectl(*command, timeout=150)


@pytest.fixture(scope="session")
def run() -> str:
    """What tells this run's namespaces from others'."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    return uuid.uuid4().hex[:6]


@pytest.fixture(scope="session")
def release(run: str) -> Generator[Release]:
    """The chart in a namespace of its own, with the embedded model; persistent where the cluster makes volumes."""
    with installed(CHART, f"gptbot-e2e-{run}", values()) as release:
        yield release


@contextmanager
def installed(chart: Path, where: str, given: dict[str, Any], objects: Iterable[Object] = ()) -> Generator[Release]:
    """A chart, installed in a namespace of its own beside some objects; all of it goes at the end."""
    operators = "app.kubernetes.io/part-of=gptbot,app.kubernetes.io/component=operator"
    others = cluster.items("deployments", "--all-namespaces", "--selector", operators)
    if others:
        found = ", ".join(each["metadata"]["namespace"] for each in others)
        pytest.fail(f"another gptbot operator runs in {found} and would serve these bots too: uninstall it first")
    with ExitStack() as stack:
        if cluster.get("crd", CRD):  # left by an earlier version, perhaps, and owned by whoever applied it
            definition = chart / "crds" / f"{CRD}.yaml"
            command = ["apply", "--server-side", "--force-conflicts", "--field-manager=helm", "-f", str(definition)]
            cluster.kubectl(*command)
        else:
            stack.callback(cluster.kubectl, "delete", "crd", CRD, "--ignore-not-found", "--timeout=120s", timeout=150)
        stack.enter_context(namespace(where))
        if objects:
            cluster.apply(where, objects)
        release = Release("e2e", where, chart, given)
        stack.callback(_uninstall, release)
        release.helm("install", "--wait")
        yield release


def makes_volumes() -> bool:
    """Whether the cluster does."""
    return any(
        each["metadata"].get("annotations", {}).get("storageclass.kubernetes.io/is-default-class") == "true"
        for each in cluster.items("storageclasses")
    )


def bot_image() -> str:
    """The image under test."""
    return os.environ.get("BOT_IMAGE") or "docker.io/library/gptbot:dev"


def operator_image() -> str:
    """The operator's image under test."""
    return os.environ.get("OPERATOR_IMAGE") or "docker.io/library/gptbot-operator:dev"


def values(bot: str = "", operator: str = "", chart: Path = CHART) -> dict[str, Any]:
    """Values for a release of these images, else of those under test; the fakes are Services of another namespace."""
    known = yaml.safe_load((chart / "values.yaml").read_text())["operator"]
    hosts = {"allowedHosts": ["*.svc", "models.example.com"]} if "allowedHosts" in known else {}
    return {
        "botImage": _image(bot or bot_image()),
        "operator": {"image": _image(operator or operator_image()), "refreshSeconds": 2} | hosts,
        "valkey": {"persistence": {"enabled": makes_volumes()}},
        "model": {"enabled": True},
    }


def _image(reference: str) -> dict[str, str]:
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag}


def _uninstall(release: Release) -> None:
    with suppress(AssertionError):  # a test may have done it already
        release.helm("uninstall", "--wait")


@pytest.fixture(scope="module")
def bots(run: str, request: pytest.FixtureRequest) -> Generator[str]:
    """The namespace of a module's bots."""
    module = request.module.__name__.rpartition("test_")[2].replace("_", "-")
    with namespace(f"{module}-{run}", wait=True) as name:  # the fakes' accounts are for one bot at a time
        yield name


@pytest.fixture(scope="session")
def fakes_in_cluster(run: str) -> Generator[Fakes]:
    """The fakes, in a namespace of their own."""
    with namespace(f"fakes-e2e-{run}") as where, ExitStack() as stack:
        fakes.start(where, bot_image())
        here = {
            name: stack.enter_context(cluster.forwarded(where, f"pod/{name}", fakes.PORT))
            for name in ("telegram", "discord", "openai")
        }
        yield Fakes(where, here)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with releases of their own come first, for only one operator may run; the one that uninstalls, last."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    module = item.path.relative_to(ROOT / "tests").parts
    if module[0] != "e2e":
        return 0
    if "release" not in getattr(item, "fixturenames", ()):
        return 1
    return 3 if module[-1] == "test_e2e.py" else 2


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what the cluster looked like when a test failed, and show the end of it."""
    report = yield
    if report.failed and _used:
        path = Path(ARTIFACTS / f"{item.name}-{report.when}.log")
        text = cluster.report(_used)
        path.write_text(text)
        report.sections.append(("the cluster", f"all of it: {path}\n…{text[-8000:]}"))
    return report
