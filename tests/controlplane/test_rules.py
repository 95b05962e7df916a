"""The CRD and `gptbot_api.validate.parse` say the same of every manifest: one line a fault, the same words."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gptbot_api import GptBot, InvalidManifest, parse
from gptbot_api.doubts import findings
from gptbot_api.policy import MATCHES_SOMEBODY
from gptbot_operator.tenancy.hosts import models
from tests.controlplane import faults_network as network
from tests.controlplane.faults import ACCEPTED, CASES, RULES, Case
from tests.controlplane.plane import Plane, wait_for


def lines_of(status: dict[str, Any]) -> list[str]:
    """The faults that the API server names, without what Kubernetes adds of its own to every refusal."""
    causes = [f"{cause['field']}: {cause['message']}" for cause in status.get("details", {}).get("causes", ())]
    return _ours("\n".join(causes) or status["message"])


def lines_printed(answer: str) -> list[str]:
    """The same, of what kubectl prints."""
    return _ours(re.sub(r'^The GptBot "[^"]*" is invalid: ?', "", answer.strip()))


def _ours(text: str) -> list[str]:
    if found := re.search(r"strict decoding error: (.*)", text):
        fields = re.findall(r'unknown field "([^"]+)"', found[1])
        return sorted(f'{field}: unknown field "{field}"' for field in fields)
    lines = {line.removeprefix("* ").strip() for line in text.splitlines()}
    return sorted(line for line in lines if line and not line.startswith("<nil>: ") and " accessor error: " not in line)


BAD = CASES + network.RULES + network.FIELDS
SHOWN = [
    next(case for case in BAD if len(case.faults) > 1),
    next(case for case in BAD if "unknown" in str(case.faults)),
]
"""Cases for kubectl itself: several faults, and a field that is not known."""


@pytest.mark.parametrize("case", BAD, ids=str)
def test_a_bad_manifest_gets_the_same_lines_from_both(case: Case, plane: Plane) -> None:
    document = case.document()
    with pytest.raises(InvalidManifest) as error:
        parse(document)
    assert sorted(str(error.value).splitlines()) == sorted(case.faults)
    status = plane.api.refused(document)
    assert status is not None
    assert lines_of(status) == sorted(case.faults)


@pytest.mark.parametrize("case", SHOWN, ids=str)
def test_kubectl_prints_these_lines(case: Case, plane: Plane) -> None:
    how = ("--dry-run=server", "--validate=strict", "-f", "-")
    answer = plane.kubectl("create", *how, document=case.document(), check=False)
    assert answer.returncode != 0, answer.stdout
    assert lines_printed(answer.stderr) == sorted(case.faults)


@pytest.mark.parametrize("case", ACCEPTED + network.ACCEPTED, ids=str)
def test_both_take_a_good_manifest(case: Case, plane: Plane) -> None:
    document = case.document()
    assert plane.api.refused(document) is None
    parse(document)


def test_defaults_are_the_same(plane: Plane) -> None:
    """What the API server fills in is what the models fill in."""
    document = Case({}, ()).document()
    answer = plane.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", document=document)
    assert parse(document).spec == parse(_json(answer.stdout)).spec


def test_an_object_of_the_api_server_is_a_manifest(plane: Plane, namespace: str) -> None:
    plane.kubectl("apply", "-f", "-", document=Case({}, ()).document(namespace))
    stored = plane.get("-n", namespace, "gptbot", "faulty")
    assert parse(stored).metadata.uid == stored["metadata"]["uid"]


def test_a_bot_that_is_there_already_keeps_its_name(plane: Plane, namespace: str) -> None:
    named = Case({"metadata.name": "1shop"}, ()).document(namespace)
    crd = plane.get("crd", "gptbots.gptbot.dev")
    [version] = crd["spec"]["versions"]
    rules = version["schema"]["openAPIV3Schema"].pop("x-kubernetes-validations")
    _replace(plane, crd)
    try:
        wait_for(lambda: plane.kubectl("apply", "-f", "-", document=named, check=False).returncode == 0, "an older CRD")
    finally:
        version["schema"]["openAPIV3Schema"]["x-kubernetes-validations"] = rules
        _replace(plane, crd)
    other = json.loads(json.dumps(named).replace("1shop", "2shop"))
    trial = ("create", "--dry-run=server", "-f", "-")
    wait_for(lambda: "metadata.name" in plane.kubectl(*trial, document=other, check=False).stderr, "the newer CRD")
    plane.kubectl("-n", namespace, "patch", "gptbot", "1shop", "--type=merge", "--patch", '{"spec": {"suspend": true}}')
    status = '{"status": {"backlog": 1}}'
    plane.kubectl("-n", namespace, "patch", "gptbot", "1shop", "--subresource=status", "--type=merge", "-p", status)
    parse(plane.get("-n", namespace, "gptbot", "1shop"))


def _replace(plane: Plane, crd: dict[str, Any]) -> None:
    plane.kubectl("replace", "-f", "-", document={key: crd[key] for key in ("apiVersion", "kind", "spec")} | {
        "metadata": {"name": crd["metadata"]["name"], "labels": crd["metadata"]["labels"]},
    })  # fmt: skip


def test_every_rule_is_in_the_table() -> None:
    messages = {rule.message for model in models(GptBot) for rule in getattr(model, "rules", ())}
    tested = {fault.split("Invalid value: ")[1] for case in RULES + network.RULES for fault in case.faults}
    shown = {text.replace("800000 bytes", "{} bytes").replace("telegramm:user:5", "{}") for text in tested}
    assert messages == shown


def test_what_came_later_spares_objects_that_are_there(plane: Plane, namespace: str) -> None:
    """A wrong entry of before is refused when the list changes, and only then; the operator and pods go on with it."""
    wrong = Case({"spec.access.deny": ["telegram:user:anna"]}, ()).document(namespace)
    crd = plane.get("crd", "gptbots.gptbot.dev")
    [version] = crd["spec"]["versions"]
    entries = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["access"]["properties"]["deny"]
    rules = entries["items"].pop("x-kubernetes-validations")
    _replace(plane, crd)
    try:
        wait_for(lambda: plane.kubectl("apply", "-f", "-", document=wrong, check=False).returncode == 0, "an older CRD")
    finally:
        entries["items"]["x-kubernetes-validations"] = rules
        _replace(plane, crd)
    trial = ("create", "--dry-run=server", "-f", "-")
    other = json.loads(json.dumps(wrong).replace('"faulty"', '"faulty2"'))
    wait_for(lambda: "matches nobody" in plane.kubectl(*trial, document=other, check=False).stderr, "the newer CRD")
    patch = ("-n", namespace, "patch", "gptbot", "faulty", "--type=merge", "--patch")
    plane.kubectl(*patch, '{"spec": {"suspend": true}}')
    more = plane.kubectl(
        *patch, '{"spec": {"access": {"deny": ["telegram:user:anna", "telegram:user:5"]}}}', check=False
    )
    assert "spec.access.deny[0]" in more.stderr
    stored = parse(plane.get("-n", namespace, "gptbot", "faulty"))
    assert [str(each) for each in findings(stored) if each.certain] == [
        f'spec.access.deny[0]: Invalid value: "telegram:user:anna": {MATCHES_SOMEBODY.message}'
    ]


def test_kubectl_shows_the_columns_and_the_short_name(plane: Plane, namespace: str) -> None:
    plane.kubectl("apply", "-f", "-", document=Case({}, ()).document(namespace))
    header, row = plane.kubectl("-n", namespace, "get", "gb").stdout.splitlines()
    assert header.split() == ["NAME", "READY", "REASON", "PLATFORMS", "WORKERS", "BACKLOG", "PAUSED", "AGE"]
    assert row.startswith("faulty")
    assert "gptbot.gptbot.dev/faulty" in plane.kubectl("-n", namespace, "get", "all").stdout
    explained = plane.kubectl("explain", "gptbot.spec.workers.maxReplicas").stdout
    assert "Most workers. 0: none, the gateway answers alone." in explained


def _json(text: str) -> dict[str, object]:
    return json.loads(text)
