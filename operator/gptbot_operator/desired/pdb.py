"""The PodDisruptionBudgets: a drain takes gateways one by one, and never all workers."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_operator.desired.context import Manifest, child, gateway_name, selector, worker_name


def disruption_budgets(bot: GptBot) -> list[Manifest]:
    """One for each role that has more than one pod. A single pod may always be evicted, else no drain would end."""
    budgets: list[Manifest] = []
    if bot.spec.gateway.replicas > 1:
        budgets.append(_budget(bot, gateway_name(bot), "gateway", 1))
    workers = bot.spec.workers
    if workers.max_replicas > 1 or (workers.max_replicas and workers.autoscaling == "none"):
        budgets.append(_budget(bot, worker_name(bot), "worker", "25%"))  # rounded up: of one worker, that one
    return budgets


def _budget(bot: GptBot, name: str, component: str, max_unavailable: int | str) -> Manifest:
    return child(bot, "policy/v1", "PodDisruptionBudget", name, component) | {
        "spec": {
            "maxUnavailable": max_unavailable,
            "selector": {"matchLabels": selector(bot, component)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",  # a bot that does not start holds up no drain
        }
    }
