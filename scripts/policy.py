"""Scans what the chart and the operator make for unsafe settings: `python -m scripts.policy CHECKOV`.

CHECKOV is the scanner's program, `make policy` installs it. Every finding needs an exception with its reason in
`policy-exceptions.yaml`, and an exception that explains no finding is a fault too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
EXCEPTIONS = Path(__file__).with_name("policy-exceptions.yaml")
CHARTS: dict[str, tuple[str, ...]] = {
    "default": (),
    "high-availability": ("--values", "charts/gptbot/values-ha.yaml", "--set", "model.enabled=true"),
}
"""Arguments of helm for each set of values that is scanned."""
BOTS = ("all-platforms", "cpu-autoscaling", "httproute", "ingress")
"""Golden folders that have a child of each kind between them."""
_WORKLOADS = ("Deployment", "StatefulSet", "Pod")
_SECONDS = 300


class Unusable(Exception):
    """The scan did not take place; the text says why."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One check that an object does not pass."""

    check: str
    object: str
    """`Kind/name`."""
    name: str
    """What the check asks for."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """Findings that are meant."""

    check: str
    objects: str
    """Pattern of `Kind/name`."""
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether it explains a finding."""
        return finding.check == self.check and fnmatchcase(finding.object, self.objects)


def exemptions(text: str) -> list[Exemption]:
    """Read the exceptions. Raises Unusable when one has no reason, or a pattern twice."""
    found: list[Exemption] = []
    for check, patterns in (yaml.safe_load(text) or {}).items():
        for pattern, reason in patterns.items():
            if not isinstance(reason, str) or len(reason.split()) < 3 or "\n" in reason.strip():
                raise Unusable(f"{EXCEPTIONS.name}: {check} {pattern}: say in one line why")
            found.append(Exemption(check, pattern, reason))
    return found


def complaints(findings: Iterable[Finding], allowed: Iterable[Exemption]) -> list[str]:
    """What is wrong: findings that nothing explains, exceptions that explain nothing."""
    allowed, findings = list(allowed), sorted(set(findings))
    open_ones = [
        f"{each.object}: {each.check}: {each.name}; mend it, or say why in {EXCEPTIONS.name}"
        for each in findings
        if not any(one.covers(each) for one in allowed)
    ]
    idle = [
        f"{EXCEPTIONS.name}: {one.check} {one.objects} matches no finding any more: remove it"
        for one in allowed
        if not any(one.covers(each) for each in findings)
    ]
    return open_ones + idle


def read(report: str, expected: Iterable[str]) -> list[Finding]:
    """The findings of checkov's report. Raises Unusable when it is not a report on all the workloads expected."""
    try:
        parsed: dict[str, Any] = json.loads(report)
        results, summary = parsed["results"], parsed["summary"]
        failed, looked_at = results["failed_checks"], [*results["passed_checks"], *results["failed_checks"]]
        unreadable = int(summary["parsing_errors"])
    except (ValueError, KeyError, TypeError):
        raise Unusable("the scanner gave no report of the kind it is known for") from None
    if unreadable:
        raise Unusable(f"the scanner could not read {unreadable} of the files")
    missed = set(expected) - {_named(each["resource"]) for each in looked_at}
    if missed:
        raise Unusable(f"the scanner did not look at {', '.join(sorted(missed))}")
    return [Finding(each["check_id"], _named(each["resource"]), each["check_name"]) for each in failed]


def _named(resource: str) -> str:
    """`Kind/name` of `Kind.namespace.name`, and of a pod that checkov made of a workload: the rest are its labels."""
    kind, _, name = resource.split(".")[:3]
    return f"{kind}/{name}"


def render(directory: Path) -> Iterator[str]:
    """Write what is scanned into a directory; `Kind/name` of each workload. Raises Unusable."""
    for name, arguments in CHARTS.items():
        command = [sys.executable, "-m", "scripts.helm", "template", "gptbot", "charts/gptbot", "--namespace", "bots"]
        answer = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise Unusable(f"the chart does not render with the values {name}: {answer.stderr.strip()}")
        (directory / f"{name}.yaml").write_text(answer.stdout)
    for name in BOTS:
        for path in sorted((ROOT / "tests" / "golden" / "expected" / name).iterdir()):
            (directory / f"{name}-{path.name}").write_text(path.read_text())
    for path in directory.iterdir():
        for document in yaml.safe_load_all(path.read_text()):
            if document and document["kind"] in _WORKLOADS:
                yield f"{document['kind']}/{document['metadata']['name']}"


def scan(checkov: Path) -> list[Finding]:
    """Render and scan. Raises Unusable."""
    if not checkov.is_file():
        raise Unusable(f"there is no scanner {checkov}; `make policy` installs it")
    with tempfile.TemporaryDirectory() as name:
        workloads = list(render(Path(name)))
        flags = ["--framework", "kubernetes", "--output", "json", "--compact", "--skip-download"]
        try:
            answer = subprocess.run(
                [str(checkov), "--directory", name, *flags],
                cwd=name, capture_output=True, text=True, timeout=_SECONDS, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unusable(f"the scanner {checkov} did not run: {error}") from None
    try:
        return read(answer.stdout, workloads)
    except Unusable as error:
        raise Unusable(f"{error} (exit status {answer.returncode}): {answer.stderr.strip()[-500:]}") from None


def main(arguments: list[str]) -> int:
    """Exit status 0: every finding is explained, and every exception needed; 2: there was no scan."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)  # noqa: T201
        return 2
    try:
        allowed = exemptions(EXCEPTIONS.read_text())
        findings = scan(Path(arguments[0]).absolute())
    except Unusable as error:
        print(f"policy: {error}", file=sys.stderr)  # noqa: T201
        return 2
    wrong = complaints(findings, allowed)
    for line in wrong:
        print(f"policy: {line}", file=sys.stderr)  # noqa: T201
    if not wrong:
        print(f"{len(set(findings))} findings, each explained in scripts/{EXCEPTIONS.name}")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
