"""The alert rules: promtool evaluates what the chart renders, on series that tests/chart/alerts.yaml gives."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.rendering import CHART, ROOT, VALUES, Manifest, find, helm, render
from tests.chart.test_chart import known_metrics
from tests.controlplane.programs import program

OF_THE_OPERATOR = {"gptbot_bot_condition", "gptbot_bot_info"}
"""Series that the operator gives of each GptBot."""


@pytest.fixture(scope="module")
def rule(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The PrometheusRule that the chart makes where the cluster knows the kind."""
    directory = tmp_path_factory.mktemp("chart")
    # Not every helm can be told what a cluster knows: the chart is told that it knows something else, the Deployments.
    shutil.copytree(CHART, directory / "gptbot")
    file = directory / "gptbot" / "templates" / "operator" / "prometheusrule.yaml"
    asked = 'APIVersions.Has "monitoring.coreos.com/v1"'
    assert asked in file.read_text()
    file.write_text(file.read_text().replace(asked, 'APIVersions.Has "apps/v1"'))
    settings = [
        "metrics.rules.enabled=true", "metrics.rules.runbooks=https://wiki.example.com/runbooks",
        "metrics.rules.labels.release=prometheus",
    ]  # fmt: skip
    options = [option for setting in settings for option in ("--set", setting)]
    answer = helm("template", "demo", directory / "gptbot", "--namespace", "bots", *options)
    assert answer.returncode == 0, answer.stderr
    return find([each for each in yaml.safe_load_all(answer.stdout) if each], "PrometheusRule")


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool to its end."""
    command = [program("promtool"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def alerts(rule: Manifest) -> list[Manifest]:
    """Every alert of the rule."""
    return [each for group in rule["spec"]["groups"] for each in group["rules"]]


def test_promtool_finds_nothing_wrong(rule: Manifest, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(rule["spec"]))
    answer = promtool("check", "rules", "--lint=all", "--lint-fatal", file)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"{len(alerts(rule))} rules found" in answer.stdout + answer.stderr


def test_they_fire_when_they_should_and_not_else(rule: Manifest, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rule["spec"]))
    tests = Path(__file__).with_name("alerts.yaml").read_text().replace("RULES]", "rules.yaml]")
    (tmp_path / "tests.yaml").write_text(tests)
    answer = promtool("test", "rules", tmp_path / "tests.yaml")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_alert_is_tested_and_has_a_runbook(rule: Manifest) -> None:
    tests: Any = yaml.safe_load(Path(__file__).with_name("alerts.yaml").read_text())
    fired = {check["alertname"] for each in tests["tests"] for check in each["alert_rule_test"] if check["exp_alerts"]}
    assert fired == {alert["alert"] for alert in alerts(rule)}
    headings = set(re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbooks.md").read_text(), re.MULTILINE))
    anchors = {alert["annotations"]["runbook_url"].partition("#")[2] for alert in alerts(rule)}
    assert anchors == {heading.lower() for heading in headings}


def test_every_metric_of_the_alerts_exists(rule: Manifest) -> None:
    used = set(re.findall(r"gptbot_[a-z_]+", " ".join(alert["expr"] for alert in alerts(rule))))
    assert len(used) > 6
    assert used <= known_metrics() | OF_THE_OPERATOR


def test_the_rule_says_where_it_belongs_and_has_the_labels_asked_for(rule: Manifest) -> None:
    assert rule["metadata"]["namespace"] == "bots"
    assert rule["metadata"]["labels"]["release"] == "prometheus"


def test_there_is_none_where_the_cluster_does_not_know_the_kind() -> None:
    values = VALUES["observed"] | {"metrics": {"rules": {"enabled": True}}}
    assert not [each for each in render(values) if each["kind"] == "PrometheusRule"]
