"""The gateway's Deployment."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_operator.desired.context import (
    HTTP_PORT,
    METRICS_PORT,
    Context,
    Manifest,
    child,
    gateway_name,
    selector,
)
from gptbot_operator.desired.pod import pod_template

REQUESTS = {"cpu": "100m", "memory": "200Mi"}
"""Measured: discord.py, aiogram and the web page weigh 194 MiB at rest."""
MEMORY_LIMIT = "512Mi"


def gateway(bot: GptBot, context: Context) -> Manifest:
    """The Deployment. A new pod stands by before the old one gives its sessions up: no gap."""
    manifest = child(bot, "apps/v1", "Deployment", gateway_name(bot), "gateway") | {
        "spec": {
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": selector(bot, "gateway")},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": pod_template(
                bot,
                context,
                "gateway",
                ports={"http": HTTP_PORT, "metrics": METRICS_PORT},
                requests=REQUESTS,
                memory_limit=MEMORY_LIMIT,
            ),
        }
    }
    if bot.spec.suspend or "gateway" not in context.scalers:
        replicas = 0 if bot.spec.suspend else bot.spec.gateway.replicas
        manifest["spec"] = {"replicas": replicas} | manifest["spec"]
    return manifest
