"""All children of a bot."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_operator.desired.config import config_map
from gptbot_operator.desired.context import (
    Context,
    Manifest,
    config_name,
    gateway_name,
    service_name,
    worker_name,
)
from gptbot_operator.desired.gateway import gateway
from gptbot_operator.desired.hpa import autoscaler, scales
from gptbot_operator.desired.secret import secret
from gptbot_operator.desired.service import serves_http, service
from gptbot_operator.desired.serviceaccount import service_account
from gptbot_operator.desired.worker import worker

Identity = tuple[str, str]
"""Kind and name."""


def children(bot: GptBot, context: Context) -> list[Manifest]:
    """The children a bot is to have, in the order to apply them: what pods need comes before the pods."""
    manifests = [config_map(bot), secret(bot, context), service_account(bot), gateway(bot, context)]
    if serves_http(bot):
        manifests.append(service(bot))
    if bot.spec.workers.max_replicas > 0:
        manifests.append(worker(bot, context))
        if scales(bot):
            manifests.append(autoscaler(bot))
    return manifests


def possible(bot: GptBot) -> list[Identity]:
    """Every child a bot may have in some configuration: those not wanted now are to be removed.

    An autoscaler goes before its Deployment, and after an edit before the Deployment's `replicas` are taken over.
    """
    return [
        ("HorizontalPodAutoscaler", worker_name(bot)),
        ("Deployment", worker_name(bot)),
        ("Deployment", gateway_name(bot)),
        ("Service", service_name(bot)),
        ("ServiceAccount", config_name(bot)),
        ("Secret", config_name(bot)),
        ("ConfigMap", config_name(bot)),
    ]
