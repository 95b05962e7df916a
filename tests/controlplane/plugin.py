"""Runs `kubectl gptbot` as a user does: the real kubectl finds the plugin on the PATH."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.controlplane.plane import Plane
from tests.controlplane.programs import QUICK, program

PATH = os.pathsep.join([str(program("kubectl").parent), str(Path(sys.executable).parent), os.environ["PATH"]])


def gptbot(kubeconfig: Path, *arguments: str, typed: str = "", path: str = PATH) -> subprocess.CompletedProcess[str]:
    """Run `kubectl gptbot ARGUMENTS` to the end."""
    return subprocess.run(
        ["kubectl", "gptbot", *arguments],
        env=QUICK | {"PATH": path, "KUBECONFIG": str(kubeconfig), "HOME": str(kubeconfig.parent), "COLUMNS": "200"},
        input=typed, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def answer(ended: subprocess.CompletedProcess[str]) -> Any:
    """The JSON that a command printed."""
    assert ended.stdout, ended.stderr
    return json.loads(ended.stdout)


def editor(plane: Plane, namespace: str) -> Path:
    """A kubeconfig of somebody with Kubernetes' own role `edit` in one namespace, and the same for GptBots."""
    plane.kubectl("-n", namespace, "create", "serviceaccount", "editor")
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
    rules = [{"apiGroups": ["gptbot.dev"], "resources": ["gptbots"], "verbs": ["*"]}]
    metadata = {"name": "gptbots", "namespace": namespace}
    plane.kubectl("apply", "-f", "-", document=role | {"metadata": metadata, "rules": rules})
    account = f"--serviceaccount={namespace}:editor"
    plane.kubectl("-n", namespace, "create", "rolebinding", "gptbots", "--role=gptbots", account)
    # What `edit` is made of: the plane runs no controller that puts it together.
    for part in ("edit", "view"):
        aggregated = f"--clusterrole=system:aggregate-to-{part}"
        plane.kubectl("-n", namespace, "create", "rolebinding", part, aggregated, account)
    document = yaml.safe_load(plane.kubeconfig("admin").read_text())
    document["users"][0]["user"] = {"token": plane.kubectl("-n", namespace, "create", "token", "editor").stdout.strip()}
    document["contexts"][0]["context"]["namespace"] = namespace
    path = plane.directory / f"{namespace}-editor.conf"
    path.write_text(yaml.safe_dump(document))
    return path
