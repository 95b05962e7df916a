"""The condition ScalingActive: who decides on the number of workers."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_operator.desired.context import gateway_name, worker_name
from gptbot_operator.desired.hpa import fewest, scales
from gptbot_operator.verdict import Seen, Verdict


def scaling_active(bot: GptBot, seen: Seen) -> Verdict:
    """`True`: the number follows the load. `False`: it is fixed, or something keeps it from following."""
    workers = bot.spec.workers
    if bot.spec.suspend:
        return Verdict("False", "Suspended", "the bot is suspended")
    if who := seen.scalers.get("gateway"):
        text = f"{who} scales Deployment {gateway_name(bot)}, whose number is spec.gateway.replicas; delete one of them"
        return Verdict("False", "Conflict", text)
    if workers.max_replicas == 0:
        return Verdict("False", "NoWorkers", "workers.maxReplicas is 0: the gateway answers alone")
    if workers.autoscaling == "none":
        return _left_to_others(bot, seen)
    if who := seen.scalers.get("worker"):
        return Verdict(
            "False",
            "Conflict",
            f"{who} scales Deployment {worker_name(bot)}, and gptbot's own autoscaler stands back: delete it, or set"
            " workers.autoscaling: none if it is meant",
        )
    if who := seen.scalers.get("bot"):
        text = f"{who} would scale the GptBot, which takes that only with workers.autoscaling: none"
        return Verdict("False", "Conflict", text)
    return _own(bot, seen)


def _left_to_others(bot: GptBot, seen: Seen) -> Verdict:
    replicas = bot.spec.workers.replicas
    on_deployment, on_bot = seen.scalers.get("worker"), seen.scalers.get("bot")
    if on_deployment and (on_bot or replicas is not None):
        other = on_bot or f"workers.replicas ({replicas})"
        text = f"{on_deployment} scales Deployment {worker_name(bot)}, so {other} has no effect: leave one of them out"
        return Verdict("False", "Conflict", text)
    if who := on_deployment or on_bot:
        return Verdict("True", "External", f"{who} decides on the number of workers")
    if replicas is not None:
        return Verdict("False", "FixedReplicas", f"{replicas} workers, as workers.replicas says")
    text = f"workers.autoscaling is none, and nothing scales Deployment {worker_name(bot)} or the GptBot"
    return Verdict("False", "NoAutoscaler", text)


def _own(bot: GptBot, seen: Seen) -> Verdict:
    workers = bot.spec.workers
    if not scales(bot):
        text = f"{workers.max_replicas} workers, as workers.minReplicas and workers.maxReplicas say"
        if workers.min_replicas == 0:
            text = "1 worker: scaling to zero needs an event-driven autoscaler, and there is none"
        return Verdict("False", "FixedReplicas", text)
    text = f"{fewest(bot)} to {workers.max_replicas} workers, by CPU"
    if workers.min_replicas == 0:
        text += "; scaling to zero needs an event-driven autoscaler, and there is none, so one worker is kept"
    conditions = seen.autoscaler.facts["conditions"] if seen.autoscaler else {}
    active = conditions.get("ScalingActive")
    if active is None:
        return Verdict("Unknown", "Starting", f"{text}; the autoscaler has not looked yet")
    if active["status"] != "True":
        return Verdict("False", active["reason"] or "Inactive", f"{text}; {active['message']}")
    return Verdict("True", "CPU", text)
