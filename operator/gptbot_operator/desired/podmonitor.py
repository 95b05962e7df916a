"""The PodMonitor (Prometheus operator) of gateway and workers."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_operator.desired.context import BOT_LABEL, Manifest, child, config_name


def pod_monitor(bot: GptBot) -> Manifest:
    """The PodMonitor. Its series carry the bot's name and the role as labels."""
    manifest = child(bot, "monitoring.coreos.com/v1", "PodMonitor", config_name(bot), "config")
    manifest["metadata"]["labels"] = {**bot.spec.monitoring.labels, **manifest["metadata"]["labels"]}
    return manifest | {
        "spec": {
            "selector": {"matchLabels": {BOT_LABEL: bot.metadata.name}},
            "podTargetLabels": [BOT_LABEL, "app.kubernetes.io/component"],
            "podMetricsEndpoints": [{"port": "metrics", "path": "/metrics", "interval": bot.spec.monitoring.interval}],
        }
    }
