"""The Ingress in front of the Service."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_api.network import Expose, Ingress
from gptbot_operator.desired.context import Manifest, annotated, child, service_name


def ingress(bot: GptBot, expose: Expose, wanted: Ingress) -> Manifest:
    """The Ingress: all paths of the host."""
    backend = {"service": {"name": service_name(bot), "port": {"name": "http"}}}
    spec: Manifest = {
        "rules": [
            {"host": expose.host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}},
        ]
    }
    if wanted.class_name is not None:
        spec["ingressClassName"] = wanted.class_name
    if wanted.tls_secret_name is not None:
        spec["tls"] = [{"hosts": [expose.host], "secretName": wanted.tls_secret_name}]
    head = child(bot, "networking.k8s.io/v1", "Ingress", service_name(bot), "web")
    return annotated(head, wanted.annotations) | {"spec": spec}
