"""The ConfigMap that tells the pods what the bot is to be, and the hash of what they cannot re-read."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, Literal

import yaml

from gptbot_api import API_VERSION, KIND, GptBot
from gptbot_api.mounted import REVISION_FILE, digest
from gptbot_operator.desired.context import CONFIG_KEY, Context, Manifest, child, config_name

_LIVE = {
    "personas", "default_persona", "custom_persona", "about", "limits", "access", "context", "answer_in", "privacy",
}  # fmt: skip
"""Running pods read these again when the mounted file changes."""
_NOT_CONFIGURATION = {"suspend", "operator", "pod_template", "expose", "network_policy", "monitoring"}
"""These act through the Deployment itself, or through other children."""
_SCALE: dict[str, set[str]] = {
    "gateway": {"replicas", "resources", "pod_template"},
    "workers": {"autoscaling", "replicas", "min_replicas", "max_replicas", "target", "resources", "pod_template"},
}
"""So do these."""


NOT_POD_FIELDS: dict[str, Any] = {
    **dict.fromkeys(_LIVE | _NOT_CONFIGURATION - {"pod_template", "expose"}, True),
    "gateway": {"replicas"},
    "workers": {"autoscaling", "replicas", "min_replicas", "max_replicas", "target"},
}
"""Fields of a spec that change nothing in its pod templates."""


def config_map(bot: GptBot, *, brief: bool = False) -> Manifest:
    """The ConfigMap with the GptBot as `bot.yaml`, every default filled in, and the revision of what is read once.

    `brief`: without defaults, as long as pods of an older release may read it, which refuse fields unknown to them.
    """
    metadata = {"name": bot.metadata.name, "namespace": bot.metadata.namespace, "uid": bot.metadata.uid}
    document: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": metadata,
        "spec": bot.spec.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude_defaults=brief, exclude={"workers": {"replicas"}}
        ),
    }
    text = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=True, allow_unicode=True, width=120)
    data = {CONFIG_KEY: text, REVISION_FILE: _revision(bot)}
    return child(bot, "v1", "ConfigMap", config_name(bot), "config") | {"data": data}


def mounted_digest(bot: GptBot, context: Context) -> str:
    """What a pod must find mounted before it starts: a kubelet may hand a new pod the files of before the change."""
    secrets = {
        f"{reference.name}/{reference.key}": context.digests[reference]
        for reference in context.digests
        if reference.kind == "Secret"
    }
    return digest(context.pepper, _revision(bot), secrets)


def _revision(bot: GptBot) -> str:
    spec = bot.spec.model_dump(mode="json", by_alias=True, exclude=_LIVE | _NOT_CONFIGURATION | _SCALE.keys())
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:32]


def config_hash(bot: GptBot, context: Context, component: Literal["gateway", "workers"]) -> str:
    """A hash that changes with all that a pod of the component reads once, at its start.

    It is keyed with the bot's own secret, so that nobody can try out passwords against it.
    """
    other = "gateway" if component == "workers" else "workers"
    spec = bot.spec.model_dump(mode="json", by_alias=True, exclude=_LIVE | _NOT_CONFIGURATION | {other, component})
    own = getattr(bot.spec, component).model_dump(mode="json", by_alias=True, exclude=_SCALE[component])
    secrets = {
        f"{reference.name}/{reference.key}": context.digests.get(reference)
        for reference in context.references
        if reference.kind == "Secret"
    }
    inputs = json.dumps([spec, own, secrets, context.store_url], sort_keys=True)
    return hmac.digest(context.pepper.encode(), inputs.encode(), hashlib.sha256).hex()[:32]
