"""`make images` calls the builder and the cluster's loader with whole commands."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOT, OPERATOR = "docker.io/library/gptbot:dev", "docker.io/library/gptbot-operator:dev"


def called(directory: Path, *arguments: str, **environment: str) -> list[str]:
    """The commands that the script runs; docker and kind are programs that write down how they are called."""
    log = directory / "log"
    for name in ("docker", "kind"):
        program = directory / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {log}\n')
        program.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IMAGE_", "KIND"))}
    environment = kept | {"PATH": f"{directory}:{os.environ['PATH']}"} | environment
    script = ROOT / "scripts" / "images.sh"
    subprocess.run([script, *arguments], env=environment, capture_output=True, timeout=60, check=True)
    return log.read_text().splitlines()


def test_images_are_built_by_docker_and_loaded_into_kind(tmp_path: Path) -> None:
    assert called(tmp_path) == [
        f"docker build -t {BOT} -f botimage/Dockerfile .",
        f"kind load docker-image {BOT} --name gptbot",
        f"docker build -t {OPERATOR} -f operator/Dockerfile .",
        f"kind load docker-image {OPERATOR} --name gptbot",
    ]


@pytest.mark.parametrize("load", ["", "kind of {tag}"])
def test_other_builders_and_clusters_fit(tmp_path: Path, load: str) -> None:
    build = "docker buildx build --push --tag {tag} --file {dockerfile} ."
    said = called(tmp_path, "bot", IMAGE_BUILD=build, IMAGE_LOAD=load, BOT_IMAGE="registry.example/bot:1")
    built = "docker buildx build --push --tag registry.example/bot:1 --file botimage/Dockerfile ."
    assert said == [built, *(["kind of registry.example/bot:1"] if load else [])]
