"""NOTES.txt: what it tells people to do after an installation can be done."""

from __future__ import annotations

import re
from typing import Any

import helm_python
import pytest
import yaml

from gptbot_api import parse
from tests.chart.rendering import CHART, VALUES, Manifest
from tests.docs.test_examples import references


def notes(values: Manifest) -> str:
    """What helm prints after an installation with values."""
    with helm_python.Chart.load(str(CHART)) as chart:
        rendered = chart.render(values, name="demo", namespace="bots")
    return rendered["gptbot/templates/NOTES.txt"]


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())
def test_a_bot_that_it_shows_is_complete(values: Manifest) -> None:
    text = notes(values)
    shown = re.search(r"<<'YAML'\n(.*?)\n  YAML", text, re.DOTALL)
    if not shown:
        assert "port-forward service/example-web" in text
        return
    document: Any = yaml.safe_load(shown[1])
    bot = parse(document)
    made = re.findall(r"kubectl --namespace (\S+) create secret generic (\S+) --from-literal=(\w+)=", text)
    assert {(bot.metadata.namespace, each.name, each.key) for each in references(bot.spec)} == set(made)
    served = values.get("operator", {}).get("namespaces") or ["default"]
    assert bot.metadata.namespace == served[0]
    assert f"kubectl --namespace {served[0]} wait --for=condition=Ready gptbot/{bot.metadata.name}" in text
