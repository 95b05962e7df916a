"""A value that is null (`--set defaults=null`): the chart does without it, or says that it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml

from tests.chart.rendering import CHART, Manifest, template

ON: Manifest = {
    "model": {"enabled": True},
    "exampleBot": {"enabled": True},
    "metrics": {"serviceMonitor": {"enabled": True}},
    "dashboards": {"enabled": True},
}


def paths(values: Manifest, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every section and value of values.yaml."""
    for name, value in values.items():
        yield (*path, name)
        if isinstance(value, dict) and (*path, name) != ("exampleBot", "spec"):
            yield from paths(value, (*path, name))


PATHS = sorted(paths(yaml.safe_load((CHART / "values.yaml").read_text())))


def without(path: tuple[str, ...]) -> Manifest:
    """Values with everything on, and a null at the path."""
    values: Any = yaml.safe_load(yaml.safe_dump(ON))
    place = values
    for name in path[:-1]:
        place = place.setdefault(name, {})
    place[path[-1]] = None
    return values


@pytest.fixture(scope="module")
def chart() -> Iterator[helm_python.Chart]:
    """The chart, read by helm's engine once."""
    with helm_python.Chart.load(str(CHART)) as loaded:
        yield loaded


@cache
def fits(text: str) -> None:
    """What a template made has the types that Kubernetes wants; most make the same each time."""
    assert "<nil>" not in text
    assert "value: null" not in text
    for each in yaml.load_all(text, yaml.CSafeLoader):
        if each and each["kind"] != "GptBot":
            kubernetes_validate.validate(each, "1.37", strict=True)


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_a_null_is_done_without_or_named(path: tuple[str, ...], chart: helm_python.Chart) -> None:
    try:
        rendered = chart.render(without(path), name="demo", namespace="bots")
    except helm_python.HelmError as error:
        said = str(error)
        assert f"{'.'.join(path)} is " in said or f"missing property '{path[-1]}'" in said, said
        return
    for name, text in rendered.items():
        if not name.endswith(("NOTES.txt", "secret.yaml")):  # a Secret has another password each time
            fits(text)


def test_the_command_says_it_too() -> None:
    """Not only its engine: what a person sees."""
    answer = template({"valkey": None})
    assert answer.returncode != 0
    assert "set valkey.enabled=false" in answer.stderr
    assert "nil pointer" not in answer.stderr
