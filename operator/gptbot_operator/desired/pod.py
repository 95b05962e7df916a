"""The pod template that gateway and workers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from gptbot_api import GptBot
from gptbot_api.mounted import DIGEST_VARIABLE
from gptbot_api.workload import Resources
from gptbot_operator.desired.config import config_hash, mounted_digest
from gptbot_operator.desired.context import (
    CONFIG_DIRECTORY,
    CONFIG_KEY,
    METRICS_PORT,
    REFERENCES_DIRECTORY,
    SHARED_STORE,
    Context,
    Manifest,
    config_name,
    labels,
    selector,
)
from gptbot_operator.desired.merge import merge
from gptbot_operator.desired.secret import PEPPER, STORE_URL

HASH_ANNOTATION = "gptbot.dev/config-hash"
_CONTAINER = "gptbot"
_USER = 65532
_GRACE_SECONDS = 40
"""The bot drains within 30 s of SIGTERM; the rest is for the kubelet."""

_SPREAD_OVER = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")


def pod_template(
    bot: GptBot,
    context: Context,
    component: Literal["gateway", "worker"],
    *,
    ports: Mapping[str, int],
    requests: Mapping[str, str],
    memory_limit: str,
) -> Manifest:
    """A pod template that keeps the restricted Pod Security Standard.

    `spec.podTemplate` is merged into it, and then the role's own.
    """
    section = "gateway" if component == "gateway" else "workers"
    role = bot.spec.gateway if component == "gateway" else bot.spec.workers
    container: Manifest = {
        "name": _CONTAINER,
        "image": context.settings.image,
        "imagePullPolicy": context.settings.image_pull_policy,
        "args": [component],
        "env": _environment(bot, context),
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in ports.items()],
        "resources": _resources(role.resources, requests, memory_limit),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "startupProbe": _probe("/livez", period=2, failures=60),
        "livenessProbe": _probe("/livez", period=10, failures=3),
        "readinessProbe": _probe("/readyz", period=5, failures=2),
        "volumeMounts": [
            {"name": "manifest", "mountPath": CONFIG_DIRECTORY, "readOnly": True},
            {"name": "refs", "mountPath": REFERENCES_DIRECTORY, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a path in the container
        ],
    }
    template: Manifest = {
        "metadata": {"annotations": {HASH_ANNOTATION: config_hash(bot, context, section)}},
        "spec": {
            "serviceAccountName": config_name(bot),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": _GRACE_SECONDS,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "runAsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "topologySpreadConstraints": [_spread(bot, component, key) for key in _SPREAD_OVER],
            "containers": [container],
            "volumes": [
                {"name": "manifest", "configMap": {"name": config_name(bot)}},
                {"name": "refs", "projected": {"sources": _sources(context)}},
                {"name": "tmp", "emptyDir": {}},
            ],
        },
    }
    merged = template
    for patch in (bot.spec.pod_template, role.pod_template):
        merged = merge(merged, patch.model_dump(mode="json", by_alias=True))
    # The selector needs these, whatever a pod template says.
    merged["metadata"] = merge(merged.get("metadata", {}), {"labels": labels(bot, component)})
    return merged


def _spread(bot: GptBot, component: str, topology_key: str) -> Manifest:
    """Over nodes and zones where there are several, and never at the price of a pod that is not scheduled."""
    return {
        "maxSkew": 1,
        "topologyKey": topology_key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector(bot, component)},
        "matchLabelKeys": ["pod-template-hash"],
    }


def _environment(bot: GptBot, context: Context) -> list[Manifest]:
    # The Secret of a store of its own is mounted, as all that the spec names.
    shared_store = [_from_secret(SHARED_STORE, bot, STORE_URL)] if bot.spec.store is None else []
    environment: list[Manifest] = [
        # Not arguments, so that `gptbot dead` and `gptbot chat` in the pod find them too.
        {"name": "GPTBOT_MANIFEST", "value": f"{CONFIG_DIRECTORY}/{CONFIG_KEY}"},
        {"name": "GPTBOT_REFS", "value": REFERENCES_DIRECTORY},
        *shared_store,
        _from_secret("GPTBOT_PEPPER", bot, PEPPER),
        {"name": DIGEST_VARIABLE, "value": mounted_digest(bot, context)},
    ]
    if bot.spec.llm.embedded is not None and context.settings.model_url is not None:
        environment.append({"name": "GPTBOT_MODEL_URL", "value": context.settings.model_url})
    return environment


def _from_secret(variable: str, bot: GptBot, key: str) -> Manifest:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": config_name(bot), "key": key}}}


def _sources(context: Context) -> list[Manifest]:
    """One source a referenced object, with only the keys that are named.

    They are optional: a bot with one missing token starts, answers elsewhere and says what is missing, instead of
    hanging in ContainerCreating.
    """
    keys: dict[tuple[str, str], set[str]] = {}
    for reference in context.references:
        keys.setdefault((reference.kind, reference.name), set()).add(reference.key)
    sources: list[Manifest] = []
    for (kind, name), wanted in sorted(keys.items()):
        field, folder = ("secret", "secrets") if kind == "Secret" else ("configMap", "configmaps")
        items = [{"key": key, "path": f"{folder}/{name}/{key}"} for key in sorted(wanted)]
        sources.append({field: {"name": name, "items": items, "optional": True}})
    return sources


def _resources(chosen: Resources, requests: Mapping[str, str], memory_limit: str) -> Manifest:
    # Merged key by key: the autoscaler needs the CPU request even where only memory was chosen.
    limits: dict[str, Any] = dict(chosen.limits)
    if not limits:
        limits = {"memory": memory_limit}
    wanted: dict[str, Any] = {**requests, **chosen.requests}
    if "memory" not in chosen.requests and "memory" in chosen.limits:
        wanted.pop("memory")  # the API server then requests what the limit is: never more than it
    if "cpu" not in chosen.requests and "cpu" in chosen.limits:
        wanted.pop("cpu")
    if "memory" in chosen.requests and not chosen.limits:
        limits = {}  # our limit may be below what was asked for
    out: Manifest = {"requests": wanted} if wanted else {}
    return out | ({"limits": limits} if limits else {})


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": METRICS_PORT, "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
