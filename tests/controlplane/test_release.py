"""The chart on a real API server: installed, upgraded, checked by Pod Security admission, removed."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator

import pytest
import yaml

from tests.chart.rendering import CHART, ROOT, VALUES, Manifest, helm, pod_templates, render
from tests.controlplane.plane import Plane

CRD = "gptbots.gptbot.dev"
Helm = Callable[..., None]


@pytest.fixture
def release(plane: Plane, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Helm]:
    """Runs helm in the test's namespace: `release("upgrade", "--install", …)`. Removes the release afterwards."""
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig("admin")))
    name = f"rel-{uuid.uuid4().hex[:6]}"

    def run(command: str, *arguments: str) -> None:
        chart = [] if command == "uninstall" else [str(CHART)]
        answer = helm(command, name, *chart, "--namespace", namespace, *arguments)
        assert answer.returncode == 0, answer.stderr

    yield run
    helm("uninstall", name, "--namespace", namespace)


def _secret(plane: Plane, namespace: str) -> Manifest:
    [secret] = [
        each for each in plane.get("-n", namespace, "secrets")["items"] if each["metadata"]["name"].endswith("-store")
    ]
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def test_an_upgrade_keeps_the_password(plane: Plane, namespace: str, release: Helm) -> None:
    release("install")
    first = _secret(plane, namespace)
    release("upgrade", "--set", "operator.logLevel=DEBUG")
    assert _secret(plane, namespace) == first
    assert first["password"] in first["url"]


def test_the_example_bot_comes_with_the_release_and_the_crd_outlives_it(
    plane: Plane, namespace: str, release: Helm
) -> None:
    release("install", "--set", "exampleBot.enabled=true", "--set", "model.enabled=true")
    bot = plane.get("-n", namespace, "gptbot", "example")
    assert bot["spec"]["llm"]["embedded"] == {"parallel": 4, "threads": 0}, "the API server fills in defaults"
    release("uninstall", "--wait")
    assert plane.get("-n", namespace, "gptbot", "example") is None
    assert not plane.get("-n", namespace, "secrets,deployments,services")
    assert plane.get("crd", CRD) is not None


def test_its_operator_may_bring_the_crd_up_to_date(
    plane: Plane, namespace: str, release: Helm, monkeypatch: pytest.MonkeyPatch
) -> None:
    release("install")
    [account] = [
        each["metadata"]["name"]
        for each in plane.get("-n", namespace, "serviceaccounts")["items"]
        if each["metadata"]["name"].endswith("-operator")
    ]
    field = '[{"op": "add", "path": "/spec/names/shortNames", "value": ["old"]}]'
    plane.kubectl("patch", "crd", CRD, "--type=json", "--patch", field)

    answer = _bring_up_to_date(plane, plane.kubectl("-n", namespace, "create", "token", account).stdout.strip())

    assert answer.returncode == 0, answer.stderr
    assert plane.get("crd", CRD)["spec"]["names"]["shortNames"] == ["gb"]


def test_without_the_right_it_says_what_to_do(plane: Plane, namespace: str, release: Helm) -> None:
    release("install", "--set", "crd.upgrade=false")
    plane.kubectl("-n", namespace, "create", "serviceaccount", "nobody")
    answer = _bring_up_to_date(plane, plane.kubectl("-n", namespace, "create", "token", "nobody").stdout.strip())
    assert answer.returncode == 1
    assert "may not patch it" in answer.stderr
    assert "crd.upgrade=true" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())
def test_its_pods_keep_the_restricted_pod_security_standard(plane: Plane, namespace: str, values: Manifest) -> None:
    plane.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    for name, template in pod_templates(render(values, namespace=namespace)):
        spec = {key: value for key, value in template["spec"].items() if key not in _ELSEWHERE}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "trial", "namespace": namespace}, "spec": spec}
        mounted = {mount["name"] for each in spec["containers"] for mount in each["volumeMounts"]}
        claims = mounted - {volume["name"] for volume in spec["volumes"]}
        spec["volumes"] += [{"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in claims]
        assert plane.api.refused(pod) is None, name


_ELSEWHERE = ("serviceAccountName", "priorityClassName")
"""What admission looks up in the cluster, and says nothing of security."""


def test_admission_refuses_what_is_not_restricted(plane: Plane, namespace: str) -> None:
    plane.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    spec = {"containers": [{"name": "c", "image": "i"}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "trial", "namespace": namespace}, "spec": spec}
    answer = plane.kubectl("create", "--dry-run=server", "-f", "-", document=pod, check=False)
    assert 'violates PodSecurity "restricted' in answer.stderr


def _bring_up_to_date(plane: Plane, token: str) -> subprocess.CompletedProcess[str]:
    """Run the CRD's upgrade as its pod would, with the service account's token alone."""
    document = yaml.safe_load(plane.kubeconfig("admin").read_text())
    document["users"][0]["user"] = {"token": token}
    kubeconfig = plane.directory / f"{uuid.uuid4().hex}.conf"
    kubeconfig.write_text(yaml.safe_dump(document))
    return subprocess.run(
        [sys.executable, "-m", "gptbot_operator.crd"],
        env=os.environ | {"KUBECONFIG": str(kubeconfig)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
