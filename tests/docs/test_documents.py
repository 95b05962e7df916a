"""What the documents show is there and works: manifests, make targets, commands, links."""

import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from gptbot.cli import app
from gptbot_api import parse
from kubectl_gptbot.cli import app as plugin

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))
EXPECTED = {
    "README.md", "CONTRIBUTING.md", "docs/index.md", "docs/architecture.md", "docs/getting-started.md",
    "docs/commands.md", "docs/troubleshooting.md",
}  # fmt: skip

every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def blocks(path: Path) -> Iterator[tuple[str, str]]:
    """Language and text of every fenced block."""
    for match in re.finditer(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", path.read_text(), re.MULTILINE | re.DOTALL):
        yield match[2], textwrap.dedent(match[3])


def shell_lines(path: Path) -> Iterator[str]:
    """Every command of the blocks for a shell, without prompts, comments and continuation lines."""
    for language, text in blocks(path):
        if language in ("sh", "bash", "console", "shell"):
            for line in text.replace("\\\n", " ").splitlines():
                if line.strip() and not line.lstrip().startswith("#"):
                    yield line.strip().removeprefix("$ ").split("  # ")[0]


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_documents_are_there() -> None:
    assert {str(path.relative_to(ROOT)) for path in DOCUMENTS} >= EXPECTED


@every_document
def test_every_manifest_in_it_is_valid(path: Path) -> None:
    for language, text in blocks(path):
        if language in ("yaml", "yml"):
            for document in yaml.safe_load_all(text):
                if isinstance(document, dict) and document.get("kind") == "GptBot":
                    parse(document, source=path.name)


@every_document
def test_every_make_target_in_it_exists(path: Path) -> None:
    text = path.read_text()
    named = set(re.findall(r"`make ([a-z][a-z0-9-]*)", text))
    named |= {target for line in shell_lines(path) for target in re.findall(r"^make ([a-z][a-z0-9-]*)", line)}
    assert named <= TARGETS


@every_document
def test_every_gptbot_command_in_it_exists_with_its_options(path: Path) -> None:
    inline = re.findall(r"`((?:kubectl )?gptbot [a-z-][^`]*)`", path.read_text())
    for line in [*shell_lines(path), *inline]:
        words = line.removeprefix("kubectl ").split()
        if words[0] != "gptbot" or len(words) < 2:
            continue
        command: Any = get_command(plugin if line.startswith("kubectl ") else app)
        for word in words[1:]:
            if not hasattr(command, "commands") or word.startswith("-"):
                break
            assert word in command.commands, line
            command = command.commands[word]
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word.partition("=")[0] for word in words if word.startswith("-")} <= known, line


@every_document
def test_every_link_in_it_leads_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"(?:src|srcset|href)=\"([^\"]+)\"", text)
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), f"{path.name}: {target} leads nowhere"
        if anchor:
            assert anchor in anchors(file), f"{path.name}: {target}: there is no such heading"


def test_the_index_leads_to_every_document() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (ROOT / "docs" / "index.md").read_text()))
    assert linked == {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}


@every_document
def test_every_example_file_named_in_it_exists(path: Path) -> None:
    for name in re.findall(r"(?<![\w/.-])((?:examples|docs|tests|scripts|charts)/[\w./-]+\.\w+)", path.read_text()):
        assert (ROOT / name).exists(), f"{path.name}: {name}"


def tracked() -> list[Path]:
    """Every text file of the repository, as git knows it; without git (an archive), every document."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [ROOT / name for name in listed.stdout.split("\0") if name] if listed.returncode == 0 else DOCUMENTS


def test_no_file_names_a_path_of_one_machine_or_a_package_registry() -> None:
    forbidden = re.compile(
        r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/(?!\.local)|https?://\S+/simple\b|--(?:extra-)?index-url"
    )
    this = Path(__file__)
    found: list[str] = []
    for path in tracked():
        if path == this or not path.is_file():
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in forbidden.finditer(text)]
    assert not found
