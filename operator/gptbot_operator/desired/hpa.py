"""The autoscaler of the workers."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_operator.desired.context import Manifest, child, worker_name

CPU_UTILIZATION = 70
"""Percent of the requested CPU that a worker may use before there are more. Answering waits for the model most of the
time, so this says little about load; it is what every cluster has."""


def scales(bot: GptBot) -> bool:
    """Whether the number of workers is to be an autoscaler's of ours to decide."""
    workers = bot.spec.workers
    wanted = workers.autoscaling == "auto" and not bot.spec.suspend
    return wanted and workers.max_replicas > 0 and fewest(bot) < workers.max_replicas


def applied_replicas(bot: GptBot, others: str | None) -> int | None:
    """The number of workers that the operator applies; None: it is decided elsewhere, and nobody fights over it.

    `others`: autoscalers of others on the Deployment.
    """
    if bot.spec.suspend:
        return 0
    if others or scales(bot):
        return None
    workers = bot.spec.workers
    return workers.max_replicas if workers.autoscaling == "auto" else workers.replicas


def fewest(bot: GptBot) -> int:
    """The least number of workers: one, for an HPA on CPU cannot scale to zero (a pod must run to be measured)."""
    return max(1, bot.spec.workers.min_replicas)


def autoscaler(bot: GptBot) -> Manifest:
    """The HorizontalPodAutoscaler."""
    return child(bot, "autoscaling/v2", "HorizontalPodAutoscaler", worker_name(bot), "worker") | {
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": worker_name(bot)},
            "minReplicas": fewest(bot),
            "maxReplicas": bot.spec.workers.max_replicas,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": CPU_UTILIZATION},
                    },
                }
            ],
        }
    }
