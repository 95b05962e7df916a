"""Whether the Secrets and ConfigMaps are there that the spec names, with their keys."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_gptbot.doctor.finding import Finding, ok, unseen, wrong
from kubectl_gptbot.doctor.named import Reference
from kubectl_gptbot.doctor.scene import BotScene, Hidden


def are_there(scene: BotScene) -> Iterator[Finding]:
    """Every key that the spec names is in its Secret or ConfigMap, and not empty."""
    for reference in scene.references:
        what = f"{reference.kind} {reference.name}"
        keys = scene.keys.get((reference.kind, reference.name))
        if isinstance(keys, Hidden):
            yield unseen(f"{what}, which {reference.path} names")
        elif keys is None:
            yield wrong(f"{what}, which {reference.path} names, is not there", _make(scene, reference))
        elif reference.key not in keys:
            there = ", ".join(sorted(keys)) or "none"
            fix = f"its keys with a value are: {there}; mend {reference.path}, or the {reference.kind}"
            yield wrong(f"{what} has no key {reference.key}, or it is empty", fix)
        else:
            yield ok(f"{what} has the key {reference.key}")


def _make(scene: BotScene, reference: Reference) -> str:
    if reference.kind == "Secret":
        command = f"kubectl create secret generic {reference.name} --from-file={reference.key}=FILE"
    else:
        command = f"kubectl create configmap {reference.name} --from-file={reference.key}=FILE"
    return f"{command} --namespace={scene.bot['metadata']['namespace']}"
