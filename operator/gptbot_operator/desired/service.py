"""The Service in front of the gateways: web page, webhooks, and routes of installed platforms."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_operator.desired.context import Manifest, child, selector, service_name


def serves_http(bot: GptBot) -> bool:
    """Whether anything has to reach the gateways over HTTP."""
    platforms = bot.spec.platforms
    web = platforms.web is not None and platforms.web.enabled
    webhook = platforms.telegram is not None and platforms.telegram.mode == "webhook"
    return web or webhook or bool(platforms.extra)


def service(bot: GptBot) -> Manifest:
    """The Service, port 80."""
    return child(bot, "v1", "Service", service_name(bot), "web") | {
        "spec": {
            "type": "ClusterIP",
            "selector": selector(bot, "gateway"),
            "ports": [
                {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP", "appProtocol": "http"},
            ],
        }
    }
