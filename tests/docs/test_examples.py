"""Every example loads, finds what it refers to, and is explained."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from gptbot.manifest import load
from gptbot_api.refs import SecretKeyRef

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
NEWCOMERS = {"demo", "telegram", "discord", "both", "ollama"}


def references(value: Any) -> Iterator[SecretKeyRef]:
    """Every reference to a Secret in a model."""
    if isinstance(value, SecretKeyRef):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from references(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_the_examples_are_there() -> None:
    assert {path.stem for path in EXAMPLES} >= NEWCOMERS


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_loads_and_finds_its_secrets_and_prompts(path: Path) -> None:
    (config,) = load([path])
    for reference in references(config.bot.spec):
        assert config.secret(reference)
    for persona in config.bot.spec.personas:
        assert config.prompt(persona)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_its_secret_is_the_second_document_and_holds_no_real_one(path: Path) -> None:
    first, *rest = yaml.safe_load_all(path.read_text())
    (config,) = load([path])
    assert first["kind"] == "GptBot"
    if list(references(config.bot.spec)):
        assert rest[0]["kind"] == "Secret"
        for key, value in rest[0]["stringData"].items():
            assert value.startswith("put-") or value == "ollama", f"{key} looks like a real secret"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_says_how_to_run_it_and_explains_its_lines(path: Path) -> None:
    head = path.read_text().partition("apiVersion")[0]
    assert f"gptbot run -f examples/{path.name}" in head
    assert path.read_text().count("# ") >= 6


def test_the_demo_names_no_outside_service() -> None:
    (config,) = load([Path(__file__).parents[2] / "examples" / "demo.yaml"])
    spec = config.bot.spec
    assert spec.llm.embedded is not None
    assert spec.store is None
    assert set(spec.platforms.enabled()) == {"web"}
