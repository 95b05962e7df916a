"""The HTTPRoute (Gateway API) to the Service."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_api.network import Expose, Route
from gptbot_operator.desired.context import Manifest, annotated, child, service_name


def http_route(bot: GptBot, expose: Expose, wanted: Route) -> Manifest:
    """The HTTPRoute: all paths of the host."""
    head = child(bot, "gateway.networking.k8s.io/v1", "HTTPRoute", service_name(bot), "web")
    return annotated(head, wanted.annotations) | {
        "spec": {
            "parentRefs": [parent.model_dump(mode="json", by_alias=True) for parent in wanted.parent_refs],
            "hostnames": [expose.host],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "backendRefs": [{"name": service_name(bot), "port": 80}],
                }
            ],
        }
    }
