"""The children of each bot are what the golden files say, and they fit the Kubernetes API."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from gptbot_operator.desired.children import children, possible
from gptbot_operator.desired.context import OPTIONAL
from tests.unit.bots import BOTS, bot, context

EXPECTED = Path(__file__).with_name("expected")
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


class _Readable(yaml.SafeDumper):
    """Texts of several lines as blocks, so that a diff shows what changed in them."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """A string."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)

    def ignore_aliases(self, data: object) -> bool:
        """Write out what comes twice."""
        return True


_Readable.add_representer(str, _Readable.represent_str)


def rendered(name: str) -> dict[str, str]:
    """File name to text of each child."""
    subject = bot(name)
    return {
        f"{manifest['kind'].lower()}-{manifest['metadata']['name'].removeprefix(f'{name}-')}.yaml": yaml.dump(
            manifest, Dumper=_Readable, sort_keys=False, width=120
        )
        for manifest in children(subject, context(subject))
    }


@pytest.mark.parametrize("name", BOTS)
def test_children_are_as_expected(name: str) -> None:
    directory = EXPECTED / name
    texts = rendered(name)
    if UPDATE:
        directory.mkdir(parents=True, exist_ok=True)
        for old in set(directory.iterdir()) - {directory / file for file in texts}:
            old.unlink()
        for file, text in texts.items():
            (directory / file).write_text(text)
    expected = {path.name: path.read_text() for path in directory.iterdir()}
    assert texts == expected, "if the change is meant: UPDATE_GOLDEN=1 pytest tests/golden, and look at the diff"


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in EXPECTED.iterdir()} == set(BOTS)


@pytest.mark.parametrize("name", BOTS)
def test_children_fit_the_kubernetes_api(name: str) -> None:
    subject = bot(name)
    for manifest in children(subject, context(subject)):
        if manifest["kind"] not in OPTIONAL:  # the control-plane tests have schemas of those
            kubernetes_validate.validate(manifest, "1.37", strict=True)


@pytest.mark.parametrize("name", BOTS)
def test_every_child_is_owned_labelled_and_known_to_pruning(name: str) -> None:
    subject = bot(name)
    for manifest in children(subject, context(subject)):
        metadata: dict[str, Any] = manifest["metadata"]
        assert metadata["ownerReferences"][0]["uid"] == subject.metadata.uid
        assert metadata["labels"]["gptbot.dev/bot"] == name
        assert (manifest["kind"], metadata["name"]) in possible(subject)
        assert len(metadata["name"]) <= 63
