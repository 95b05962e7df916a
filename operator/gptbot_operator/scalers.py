"""Autoscalers of others on a bot's Deployments, or on the GptBot: any HorizontalPodAutoscaler shows what it scales.

A ScaledObject of KEDA is seen by the HorizontalPodAutoscaler that KEDA makes for it.
"""

from __future__ import annotations

import sys
from typing import Any

from gptbot_api import API_GROUP, KIND, GptBot
from gptbot_operator.desired.context import gateway_name, worker_name

Target = tuple[str, str, str]
"""Kind, namespace and name of what is scaled."""
_SCALED = {("apps", "Deployment"), (API_GROUP, KIND)}


def facts_of(document: dict[str, Any]) -> dict[str, Any]:
    """Whom a HorizontalPodAutoscaler belongs to and what it scales; empty: it is an operator's own."""
    owners: list[dict[str, Any]] = document["metadata"].get("ownerReferences") or []
    owner: dict[str, Any] = next((each for each in owners if each.get("controller")), {})
    if owner.get("kind") == KIND and str(owner.get("apiVersion")).startswith(f"{API_GROUP}/"):
        return {}
    target: dict[str, Any] = (document.get("spec") or {}).get("scaleTargetRef") or {}
    scaled = (str(target.get("apiVersion") or "").partition("/")[0], str(target.get("kind")))
    if scaled not in _SCALED:
        return {"scales": None}
    called = f"HorizontalPodAutoscaler {document['metadata']['name']}"
    if owner:
        called = f"{owner['kind']} {owner['name']} ({called})"
    return {"scales": (sys.intern(scaled[1]), sys.intern(str(target.get("name")))), "called": called}


def scalable(bot: GptBot) -> dict[str, Target]:
    """What others may scale of a bot, by how it is called in a status: the Deployments of its parts, and itself."""
    namespace, name = bot.metadata.namespace, bot.metadata.name
    return {
        "gateway": ("Deployment", namespace, gateway_name(bot)),
        "worker": ("Deployment", namespace, worker_name(bot)),
        "bot": (KIND, namespace, name),
    }


class Scalers:
    """Which HorizontalPodAutoscalers of others scale what."""

    def __init__(self) -> None:
        self._of: dict[Target, dict[str, str]] = {}
        self._target: dict[tuple[str, str], Target] = {}

    def note(self, namespace: str, name: str, facts: dict[str, Any] | None) -> set[Target]:
        """Note one that is there or, without facts, has gone; what has another number of them now."""
        changed: set[Target] = set()
        if (before := self._target.pop((namespace, name), None)) is not None:
            changed.add(before)
            del self._of[before][name]
            if not self._of[before]:
                del self._of[before]
        if facts and facts.get("scales"):
            kind, scaled = facts["scales"]
            target = kind, namespace, scaled
            self._of.setdefault(target, {})[name] = facts["called"]
            self._target[namespace, name] = target
            changed.add(target)
        return changed

    def of(self, kind: str, namespace: str, name: str) -> str:
        """What scales an object, in words; empty: nothing of others does."""
        return " and ".join(sorted(self._of.get((kind, namespace, name), {}).values()))
