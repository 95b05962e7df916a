"""A store of one's own in the cluster, for a release that is to lose nothing where the cluster makes no volumes."""

from __future__ import annotations

from typing import Any

from tests.e2e import cluster
from tests.e2e.cluster import Object

NAME, PORT, PASSWORD = "store", 6379, "only-for-this-run"
VALUES: dict[str, Any] = {"valkey": {"enabled": False}, "externalStore": {"existingSecret": NAME}}


def start(namespace: str, image: str) -> None:
    """Run it in a namespace, out of the bot image."""
    container = {
        "name": NAME,
        "image": image,
        "command": ["valkey-server", "--bind", "*", "--requirepass", PASSWORD, "--save", "", "--dir", "/tmp"],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        },
    }  # fmt: skip
    spec = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    metadata = {"name": NAME, "labels": {"store": NAME}}
    service = {"selector": metadata["labels"], "ports": [{"port": PORT}]}
    cluster.apply(namespace, [
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": service},
    ])  # fmt: skip
    cluster.kubectl("--namespace", namespace, "wait", "--for=condition=Ready", "--timeout=120s", f"pod/{NAME}")


def secret(namespace: str) -> Object:
    """The Secret that a release finds it by, which runs in the namespace."""
    url = f"redis://:{PASSWORD}@{NAME}.{namespace}.svc:{PORT}/0"
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}, "stringData": {"url": url}}
