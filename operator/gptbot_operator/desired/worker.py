"""The workers' Deployment."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_operator.desired.context import METRICS_PORT, Context, Manifest, child, selector, worker_name
from gptbot_operator.desired.hpa import applied_replicas
from gptbot_operator.desired.pod import pod_template

REQUESTS = {"cpu": "100m", "memory": "64Mi"}
"""Measured: aiohttp, redis, orjson and uvloop weigh 42 MiB at rest."""
MEMORY_LIMIT = "256Mi"


def worker(bot: GptBot, context: Context) -> Manifest:
    """The Deployment. `replicas` is left out where somebody else decides on it."""
    manifest = child(bot, "apps/v1", "Deployment", worker_name(bot), "worker") | {
        "spec": {
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": selector(bot, "worker")},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": pod_template(
                bot,
                context,
                "worker",
                ports={"metrics": METRICS_PORT},
                requests=REQUESTS,
                memory_limit=MEMORY_LIMIT,
            ),
        }
    }
    if (replicas := applied_replicas(bot, context.scalers.get("worker"))) is not None:
        manifest["spec"]["replicas"] = replicas
    return manifest
