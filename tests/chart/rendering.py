"""Runs helm on the chart, and names the sets of values that the tests render."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.controlplane.programs import QUICK

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "gptbot"

Manifest = dict[str, Any]

VALUES: dict[str, Manifest] = {
    "default": {},
    "all-on": {
        "imageRegistry": "registry.example.com/team",
        "imagePullSecrets": ["pull"],
        "metrics": {"service": True},
        "model": {"enabled": True, "replicas": 2},
        "exampleBot": {"enabled": True},
        "serviceAccount": {"annotations": {"team": "bots"}},
    },
    "scheduled": {
        part: {
            "podLabels": {"team": "bots"},
            "podAnnotations": {"note": "yes"},
            "nodeSelector": {"disk": "fast"},
            "tolerations": [{"key": "bots", "operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
            "priorityClassName": "high",
        }
        for part in ("operator", "valkey", "model")
    }
    | {"exampleBot": {"enabled": False}},
    "own-valkey-image": {
        "imageRegistry": "registry.example.com",
        "valkey": {
            "useBotImage": False,
            "image": {"digest": "sha256:" + "0" * 64},
            "extraConfig": "lazyfree-lazy-expire yes",
        },
    },
    "no-persistence": {"valkey": {"persistence": {"enabled": False}}},
    "existing-password": {
        "valkey": {"auth": {"existingSecret": "mine"}, "persistence": {"storageClass": "fast", "size": "20Gi"}}
    },
    "external-store": {"valkey": {"enabled": False}, "externalStore": {"existingSecret": "redis", "urlKey": "address"}},
    "external-store-tls": {
        "valkey": {"enabled": False},
        "externalStore": {"existingSecret": "redis", "caKey": "ca.crt"},
    },
    "no-store": {"valkey": {"enabled": False}},
    "high-availability": yaml.safe_load((CHART / "values-ha.yaml").read_text()),
    "observed": {"metrics": {"serviceMonitor": {"enabled": True}}, "dashboards": {"enabled": True}},
    "restricted": {
        "operator": {
            "allowedHosts": [
                "Api.OpenAI.com", "*.models.example", "10.1.2.3:8443", "[fd00::1]:443", "store.example:6379",
            ],
            "allowedExposeHosts": ["*.bots.example"],
            "allowedIngressClasses": ["public"],
            "allowedIngressAnnotations": ["cert-manager.io/*"],
            "allowedLabels": ["team", "example.com/*"],
            "allowedAnnotations": ["note"],
            "allowedEgress": ["10.1.0.0/16", "fd00::/8", "monitoring"],
            "allowedPlatforms": ["matrix"],
        },
        "model": {"enabled": True},
        "defaults": {
            "llm": {"baseUrl": "https://default.example/v1", "model": "m", "apiKeySecretRef": {"name": "a", "key": "b"}}
        },
    },
    "trusted": {"operator": {"tenancy": "trusted"}},
    "two-namespaces": {"operator": {"namespaces": ["one", "two"]}, "crd": {"upgrade": False}},
    "defaults": {
        "defaults": {
            "llm": {
                "baseUrl": "https://api.openai.com/v1",
                "model": "gpt-5-mini",
                "apiKeySecretRef": {"name": "openai", "key": "key"},
                "fallbacks": [
                    {"baseUrl": "http://a/v1", "model": "a", "apiKeySecretRef": {"name": "other.keys", "key": "a"}},
                    {"baseUrl": "http://b/v1", "model": "b"},
                ],
                "transcription": {
                    "baseUrl": "https://api.openai.com/v1",
                    "model": "whisper-1",
                    "apiKeySecretRef": {"name": "openai", "key": "key"},
                },
            },
            "limits": {"tokensPerDay": 100000},
            "privacy": {"retention": "1h"},
            "workers": {"resources": {"requests": {"cpu": 1}}},
            "podTemplate": {"spec": {"imagePullSecrets": [{"name": "registry"}]}},
        }
    },
    "extra-objects": {
        "extraObjects": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-notes"}},
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include \"gptbot.fullname\" . }}-more\n",
        ]
    },
    "nothing-cluster-wide": {
        "operator": {"admissionPolicy": False},
        "serviceAccount": {"create": False, "name": "mine"},
        "rbac": {"create": False},
    },
}  # fmt: skip
"""Sets of values that render."""


def helm(*arguments: str | Path, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run helm, and return what it said."""
    command = [sys.executable, "-m", "scripts.helm", *map(str, arguments)]
    environment = os.environ | QUICK
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


def template(
    values: Manifest, *arguments: str, release: str = "demo", namespace: str = "bots"
) -> subprocess.CompletedProcess[str]:
    """Run `helm template` with values."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        return helm("template", release, CHART, "--namespace", namespace, "--values", file.name, *arguments)


def render(values: Manifest, release: str = "demo", namespace: str = "bots") -> list[Manifest]:
    """The objects that the chart makes with values, as plain data of the caller's own."""
    return json.loads(_rendered(json.dumps(values), release, namespace))


@cache
def _rendered(values: str, release: str, namespace: str) -> str:
    answer = template(json.loads(values), release=release, namespace=namespace)
    assert answer.returncode == 0, answer.stderr
    return json.dumps([document for document in yaml.load_all(answer.stdout, yaml.CSafeLoader) if document])


def find(objects: list[Manifest], kind: str, name: str = "") -> Manifest:
    """The one object of a kind whose name ends like that."""
    found = [each for each in objects if each["kind"] == kind and each["metadata"]["name"].endswith(name)]
    assert len(found) == 1, f"{len(found)} objects of kind {kind} named …{name}"
    return found[0]


def pod_templates(objects: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Name and pod template of each workload."""
    for each in objects:
        if each["kind"] == "Pod":
            yield f"Pod {each['metadata']['name']}", each
        elif template := each.get("spec", {}).get("template"):
            yield f"{each['kind']} {each['metadata']['name']}", template


def containers(objects: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Each container of each workload."""
    for name, template in pod_templates(objects):
        for container in [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]:
            yield f"{name}: {container['name']}", container
