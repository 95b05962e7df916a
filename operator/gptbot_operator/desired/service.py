"""The Service in front of the gateways: web page, webhooks, and routes of installed platforms."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_operator.desired.context import Manifest, child, selector, service_name


def service(bot: GptBot) -> Manifest:
    """The Service, port 80."""
    return child(bot, "v1", "Service", service_name(bot), "web") | {
        "spec": {
            "type": "ClusterIP",
            "ipFamilyPolicy": "PreferDualStack",
            "selector": selector(bot, "gateway"),
            "ports": [
                {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP", "appProtocol": "http"},
            ],
        }
    }
