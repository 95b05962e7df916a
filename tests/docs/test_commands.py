"""The commands that documents print work: those that need no cluster. The others are in tests/controlplane."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.commands import DOCUMENTS, NOT_RUN, as_run, commands, reason, where
from tests.docs.test_documents import ROOT, blocks

PRINTED = {str(path.relative_to(ROOT)): commands(path) for path in DOCUMENTS}
HERE = [(name, command) for name, printed in PRINTED.items() for command in printed if where(command) == "here"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The repository as its reader has it, with the files that documents tell them to write."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "bot.yaml").write_text((ROOT / "examples" / "demo.yaml").read_text())
    [written] = [text for _, text in blocks(ROOT / "docs" / "getting-started.md") if "name: my-bot" in text]
    (tmp_path / "my-bot.yaml").write_text(written.replace("put-your-key-here", "sk-filled-in"))
    return tmp_path


@pytest.mark.parametrize(("document", "command"), HERE, ids=[f"{name}-{command[:40]}" for name, command in HERE])
def test_it_works(document: str, command: str, directory: Path, store_url: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ended = subprocess.run(
        ["bash", "-euc", as_run(command)],
        cwd=directory, env={"PATH": path, "HOME": str(directory), "GPTBOT_STORE_URL": store_url},
        input="some words\n", capture_output=True, text=True, timeout=120, check=False, start_new_session=True,
    )  # fmt: skip
    assert ended.returncode == 0, f"{document}: {command}\n{ended.stderr}"
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("document", PRINTED)
def test_every_command_is_run_or_has_a_reason(document: str) -> None:
    for command in PRINTED[document]:
        where(command)


def test_commands_of_all_sorts_are_found() -> None:
    found = {where(command) for printed in PRINTED.values() for command in printed}
    assert found == {"plane", "here", "nowhere"}
    install = "--set botImage.tag=1 --set operator.image.tag=1"
    assert [command for command in PRINTED["docs/deploy.md"] if command.startswith("helm") and install in command]


@pytest.mark.parametrize("pattern", NOT_RUN)
def test_every_reason_is_of_a_command_that_is_printed(pattern: str) -> None:
    assert NOT_RUN[pattern] in {reason(command) for printed in PRINTED.values() for command in printed}


def test_a_file_that_a_document_shows_is_a_manifest(directory: Path) -> None:
    assert yaml.safe_load_all((directory / "my-bot.yaml").read_text())
