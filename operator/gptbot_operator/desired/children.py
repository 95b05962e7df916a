"""All children of a bot."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gptbot_api import GptBot
from gptbot_operator.desired.config import config_map
from gptbot_operator.desired.context import (
    OPTIONAL,
    Context,
    Manifest,
    config_name,
    gateway_name,
    service_name,
    worker_name,
)
from gptbot_operator.desired.gateway import gateway
from gptbot_operator.desired.hpa import autoscaler, scales
from gptbot_operator.desired.httproute import http_route
from gptbot_operator.desired.ingress import ingress
from gptbot_operator.desired.networkpolicy import network_policy
from gptbot_operator.desired.pdb import disruption_budgets
from gptbot_operator.desired.podmonitor import pod_monitor
from gptbot_operator.desired.secret import secret
from gptbot_operator.desired.service import service
from gptbot_operator.desired.serviceaccount import service_account
from gptbot_operator.desired.worker import worker

Identity = tuple[str, str]
"""Kind and name."""


def children(bot: GptBot, context: Context) -> list[Manifest]:
    """The children a bot is to have, in the order to apply them: what pods need comes before the pods."""
    manifests = [config_map(bot), secret(bot, context), service_account(bot)]
    if bot.spec.network_policy.enabled:
        manifests.append(network_policy(bot, context))
    if not context.held:
        manifests.append(gateway(bot, context))
    manifests += _web(bot, context)
    if bot.spec.workers.max_replicas > 0 and not context.held:
        manifests.append(worker(bot, context))
        if scales(bot) and "worker" not in context.scalers:
            manifests.append(autoscaler(bot))
    manifests += disruption_budgets(bot)
    if bot.spec.monitoring.enabled and "PodMonitor" in context.served:
        manifests.append(pod_monitor(bot))
    return manifests


def _web(bot: GptBot, context: Context) -> Iterator[Manifest]:
    """What leads to the gateways' HTTP port."""
    if not bot.spec.platforms.serves_http():
        return
    yield service(bot)
    expose = bot.spec.expose
    if expose is not None and expose.ingress is not None:
        yield ingress(bot, expose, expose.ingress)
    if expose is not None and expose.route is not None and "HTTPRoute" in context.served:
        yield http_route(bot, expose, expose.route)


def unserved(bot: GptBot, context: Context) -> dict[Identity, str]:
    """Each child that the bot asks for and the cluster cannot have, and a line about it."""
    expose = bot.spec.expose
    if expose is None or expose.route is None or "HTTPRoute" in context.served:
        return {}
    text = "this cluster has no gateway.networking.k8s.io/v1; install the Gateway API, or use spec.expose.ingress"
    return {("HTTPRoute", service_name(bot)): f"HTTPRoute {service_name(bot)}: {text}"}


def possible(bot: GptBot, served: Collection[str] = OPTIONAL) -> list[Identity]:
    """Every child a bot may have in some configuration: those not wanted now are to be removed.

    An autoscaler goes before its Deployment, and after an edit before the Deployment's `replicas` are taken over.
    `served`: which of the optional kinds the cluster has.
    """
    every = [
        ("PodMonitor", config_name(bot)),
        ("HorizontalPodAutoscaler", worker_name(bot)),
        ("PodDisruptionBudget", worker_name(bot)),
        ("Deployment", worker_name(bot)),
        ("PodDisruptionBudget", gateway_name(bot)),
        ("Deployment", gateway_name(bot)),
        ("HTTPRoute", service_name(bot)),
        ("Ingress", service_name(bot)),
        ("Service", service_name(bot)),
        ("NetworkPolicy", config_name(bot)),
        ("ServiceAccount", config_name(bot)),
        ("Secret", config_name(bot)),
        ("ConfigMap", config_name(bot)),
    ]
    return [identity for identity in every if identity[0] not in OPTIONAL or identity[0] in served]
