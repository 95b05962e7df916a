"""The commit before this one: its files, and its images under tags of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.chart.rendering import ROOT

BOT, OPERATOR = "docker.io/library/gptbot:previous", "docker.io/library/gptbot-operator:previous"


def unpack(directory: Path) -> Path:
    """Put its files into a directory. Raises AssertionError where git does not have it."""
    archive = subprocess.run(["git", "archive", "HEAD~1"], cwd=ROOT, capture_output=True, timeout=60, check=False)
    said = archive.stderr.decode().strip()
    assert archive.returncode == 0, f"the commit before this one is not there (a shallow clone?): {said}"
    subprocess.run(["tar", "-x", "-C", str(directory)], input=archive.stdout, timeout=60, check=True)
    return directory


def build(tree: Path) -> None:
    """Build its images and load them into the cluster, by the commands that the images under test were built with."""
    environment = os.environ | {"BOT_IMAGE": BOT, "OPERATOR_IMAGE": OPERATOR}
    built = subprocess.run(
        [tree / "scripts" / "images.sh"],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert built.returncode == 0, f"images of the commit before: {built.stdout[-2000:]}{built.stderr[-2000:]}"
