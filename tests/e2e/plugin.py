"""`kubectl gptbot` as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.cluster import program as kubectl


def gptbot(namespace: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `kubectl gptbot ARGUMENTS` to the end."""
    program = kubectl()
    path = os.pathsep.join([str(Path(program).parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [program, "gptbot", *arguments, "--namespace", namespace],
        env={**os.environ, "PATH": path, "COLUMNS": "200"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip


def printed(namespace: str, *arguments: str) -> str:
    """What it prints. Raises AssertionError when it fails."""
    ended = gptbot(namespace, *arguments)
    assert ended.returncode == 0, f"kubectl gptbot {' '.join(arguments)}: {ended.stderr}\n{ended.stdout}"
    return ended.stdout
