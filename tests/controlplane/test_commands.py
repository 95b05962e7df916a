"""The commands for a cluster that documents print work, with the real helm, kubectl and `kubectl gptbot`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.plugin import PATH
from tests.controlplane.programs import QUICK, program
from tests.docs.commands import DOCUMENTS, ENDS, ROOT, as_run, commands, where

OF_CLUSTERS = [path for path in DOCUMENTS if "plane" in map(where, commands(path))]
BOT: dict[str, Any] = {
    "apiVersion": "gptbot.dev/v1alpha1",
    "kind": "GptBot",
    "spec": {
        "platforms": {"web": {}},
        "llm": {"baseUrl": "http://127.0.0.1:1/v1", "model": "m"},
        "personas": [{"name": "p", "prompt": "Answer."}],
    },
}


@pytest.fixture
def shell(plane: Plane, tmp_path: Path) -> Iterator[Shell]:
    """A shell of somebody with a cluster and this repository; removes what was installed."""
    started = Shell(plane, tmp_path)
    plane.kubectl("create", "namespace", "gptbot", check=False)  # of the document before
    yield started
    started.run("helm uninstall gptbot --namespace gptbot --ignore-not-found")
    plane.kubectl("delete", "gptbots", "--all", "--all-namespaces")
    for namespace in ("gptbot", "default"):
        plane.kubectl("--namespace", namespace, "delete", "secrets", "--all")
    refused = BOT | {"metadata": {"name": "refused", "namespace": "default"}}
    refused = refused | {"spec": {**refused["spec"], "podTemplate": {"spec": {"hostNetwork": True}}}}
    wait_for(
        lambda: plane.kubectl("apply", "--dry-run=server", "-f", "-", document=refused, check=False).returncode == 0,
        "the API server has dropped the release's admission policy", 60,
    )  # fmt: skip


class Shell:
    """Runs commands in a copy of what the repository's root has."""

    def __init__(self, plane: Plane, directory: Path) -> None:
        for name in ("examples", "charts", "plugin"):
            (directory / name).symlink_to(ROOT / name)
        (directory / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
        path = os.pathsep.join([str(program("helm").parent), PATH])
        self._environment = QUICK | {"PATH": path, "KUBECONFIG": str(plane.kubeconfig("admin")), "HOME": str(directory)}
        self._directory = directory

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            ["bash", "-euc", command], cwd=self._directory, env=self._environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip


@pytest.mark.parametrize("path", OF_CLUSTERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_it_tells_works(path: Path, plane: Plane, shell: Shell) -> None:
    printed = [command for command in commands(path) if where(command) == "plane"]
    plane.kubectl("apply", "-f", "-", document=BOT | {"metadata": {"name": "shop", "namespace": "default"}})
    if not any(command.startswith("helm install") for command in printed):
        assert shell.run("helm install gptbot charts/gptbot --namespace gptbot").returncode == 0
    for command in printed:
        if command.startswith("helm install"):  # another way to do what the one before did
            shell.run("helm uninstall gptbot --namespace gptbot --ignore-not-found")
        ended = shell.run(as_run(command))
        status, said = next((end for start, end in ENDS.items() if command.startswith(start)), (0, ""))
        assert (ended.returncode, said in ended.stdout + ended.stderr) == (status, True), f"{command}\n{ended.stderr}"
        assert "Traceback" not in ended.stderr
