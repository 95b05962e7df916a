"""What a child is made of besides the GptBot, and the names and labels all children share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gptbot_api import API_VERSION, KIND, GptBot
from gptbot_api.references import Reference
from gptbot_operator.settings import Settings

Manifest = dict[str, Any]

BOT_LABEL = "gptbot.dev/bot"
ROTATE_ANNOTATION = "gptbot.dev/rotate-store-password"
"""On a GptBot: another value asks for a new password in the shared store. On its Secret: the value followed last."""
PAUSED_ANNOTATION = "gptbot.dev/paused"
"""On a GptBot: `true` keeps the operator from changing anything of it."""
SHARED_STORE = "GPTBOT_STORE_URL"
"""Variable of the pods that use the shared store."""
ROLLED_ANNOTATION = "gptbot.dev/rolled"
"""On a Deployment: of which template its pods are, and who wanted them (`stamps.py`)."""
CONFIG_DIRECTORY = "/etc/gptbot/manifest"
REFERENCES_DIRECTORY = "/etc/gptbot/refs"
CONFIG_KEY = "bot.yaml"
HTTP_PORT = 8080
METRICS_PORT = 9090
OPTIONAL = ("HTTPRoute", "PodMonitor")
"""Kinds of children that not every cluster has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the cluster and the operator's settings add to a GptBot."""

    settings: Settings
    """The operator's."""
    pepper: str = field(repr=False)
    """The bot's secret for pseudonyms."""
    store_url: str | None = field(default=None, repr=False)
    """The shared store's, with the bot's own login where it has one; None if there is none or the bot has its own."""
    rotation: str | None = None
    """What the GptBot's annotation said when the password in it was made."""
    references: tuple[Reference, ...] = ()
    """What the spec refers to."""
    digests: Mapping[Reference, str] = field(default_factory=dict[Reference, str])
    """A digest of the value of each reference that is there."""
    copied: Mapping[Reference, str] = field(default_factory=dict[Reference, str], repr=False)
    """Values of the installation's default Secrets that the bot's own Secret is to hold."""
    own_store_url: str | None = field(default=None, repr=False)
    """Address of the store that `spec.store` names, once its Secret is there."""
    scalers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Autoscalers of others, in words, by what they scale: the Deployment of `gateway` or `worker`, or the `bot`."""
    used_store: str | None = field(default=None, repr=False)
    """The store that holds what the bot keeps: a URL, or `SHARED`. Not the spec's: it is being moved."""
    moving_to: str | None = field(default=None, repr=False)
    """The store that some of it may be in already: a URL, or `SHARED`."""
    served: frozenset[str] = frozenset()
    """Which of the kinds in `OPTIONAL` the cluster has."""
    held: bool = False
    """Whether the bot is to have no pods now: those of a deleted one of its name are at work, or it is moved."""


def config_name(bot: GptBot) -> str:
    """Name of the ConfigMap, Secret and ServiceAccount, and of what is about all pods."""
    return secret_name(bot.metadata.name)


def secret_name(bot: str) -> str:
    """Name of the Secret of a bot, by the bot's own name."""
    return f"{bot}-gptbot"


def gateway_name(bot: GptBot) -> str:
    """Name of the gateway's Deployment."""
    return f"{bot.metadata.name}-gateway"


def worker_name(bot: GptBot) -> str:
    """Name of the workers' Deployment and of their autoscaler."""
    return f"{bot.metadata.name}-worker"


def service_name(bot: GptBot) -> str:
    """Name of the Service for the web page and webhooks, and of what leads to it from outside."""
    return f"{bot.metadata.name}-web"


def selector(bot: GptBot, component: str) -> dict[str, str]:
    """Labels that pick the pods of a component. A Deployment's selector cannot change, so these never do."""
    return {
        "app.kubernetes.io/name": "gptbot",
        "app.kubernetes.io/instance": bot.metadata.name,
        "app.kubernetes.io/component": component,
    }


def labels(bot: GptBot, component: str) -> dict[str, str]:
    """Labels of a child."""
    return selector(bot, component) | {
        "app.kubernetes.io/managed-by": "gptbot-operator",
        "app.kubernetes.io/part-of": "gptbot",
        BOT_LABEL: bot.metadata.name,
    }


def child(bot: GptBot, api_version: str, kind: str, name: str, component: str) -> Manifest:
    """The head of a child: identity, labels, owner."""
    owner = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": bot.metadata.name,
        "uid": bot.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": bot.metadata.namespace,
            "labels": labels(bot, component),
            "ownerReferences": [owner],
        },
    }


def annotated(manifest: Manifest, annotations: Mapping[str, str]) -> Manifest:
    """The manifest with these annotations beside those it has."""
    metadata: Manifest = manifest["metadata"]
    every = {**metadata.get("annotations", {}), **annotations}
    return manifest | {"metadata": metadata | ({"annotations": every} if every else {})}
