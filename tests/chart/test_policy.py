"""`make policy`: no finding without a reason, no reason without a finding, and no scan that only seems to be one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts import policy
from scripts.policy import Exemption, Finding, Unusable, complaints, exemptions, read

LIMIT = Finding("CKV_K8S_11", "Deployment/gptbot-operator", "CPU limits should be set")
PROBE = Finding("CKV_K8S_8", "Pod/gptbot-test", "Liveness Probe Should be Configured")


def check(check_id: str, resource: str, name: str = "") -> dict[str, Any]:
    return {"check_id": check_id, "resource": resource, "check_name": name}


def report(passed: list[dict[str, Any]], failed: list[dict[str, Any]], unreadable: int = 0) -> str:
    return json.dumps(
        {
            "check_type": "kubernetes",
            "results": {"passed_checks": passed, "failed_checks": failed},
            "summary": {"parsing_errors": unreadable},
        }
    )


def test_a_report_is_read_with_names_that_exceptions_can_match() -> None:
    failed = [
        check("CKV_K8S_11", "Deployment.bots.gptbot-operator", "CPU limits should be set"),
        check("CKV2_K8S_6", "Pod.bots.gptbot-operator.app.kubernetes.io/name-gptbot", "a NetworkPolicy"),
    ]
    text = report([check("CKV_K8S_1", "Pod.bots.gptbot-test")], failed)
    assert read(text, ["Deployment/gptbot-operator", "Pod/gptbot-test"]) == [
        LIMIT,
        Finding("CKV2_K8S_6", "Pod/gptbot-operator", "a NetworkPolicy"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no report of the kind"),
        ('{"passed": 0, "failed": 0, "resource_count": 0}', "no report of the kind"),
        ("[]", "no report of the kind"),
        (report([check("CKV_K8S_1", "Deployment.bots.a")], [], 1), "could not read 1 of the files"),
        (report([check("CKV_K8S_1", "Service.bots.a")], []), "did not look at Deployment/a"),
    ],
    ids=["nothing", "no-files", "other-shape", "unreadable", "missed"],
)
def test_what_is_no_scan_is_not_taken_for_one(text: str, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        read(text, ["Deployment/a"])


def test_a_scanner_that_is_not_there_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert policy.main([str(tmp_path / "checkov")]) == 2
    assert "there is no scanner" in capsys.readouterr().err


def test_findings_without_a_reason_and_reasons_without_a_finding_are_named() -> None:
    allowed = [
        Exemption("CKV_K8S_11", "Deployment/*", "a limit throttles"),
        Exemption("CKV_K8S_11", "Pod/*", "a limit throttles"),
    ]
    assert complaints([LIMIT, LIMIT, PROBE], allowed) == [
        f"Pod/gptbot-test: CKV_K8S_8: {PROBE.name}; mend it, or say why in policy-exceptions.yaml",
        "policy-exceptions.yaml: CKV_K8S_11 Pod/* matches no finding any more: remove it",
    ]
    assert not complaints([LIMIT], allowed[:1])


@pytest.mark.parametrize(
    "text", ["A: {'*': }", "A: {'*': ''}", "A: {'*': meant}", "A: {'*': \"of two\\nlines of text\"}"]
)
def test_an_exception_has_a_reason_in_one_line(text: str) -> None:
    with pytest.raises(Unusable, match=r"A \*: say in one line why"):
        exemptions(text)


def test_the_exceptions_of_the_project_are_well_formed() -> None:
    assert exemptions(policy.EXCEPTIONS.read_text())


def test_what_is_scanned_has_every_kind_that_a_bot_can_have() -> None:
    golden = policy.ROOT / "tests" / "golden" / "expected"
    kinds = {path.name.split("-")[0] for path in golden.rglob("*.yaml")}
    assert kinds == {path.name.split("-")[0] for name in policy.BOTS for path in (golden / name).iterdir()}
