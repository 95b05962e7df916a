"""Pods of a bot whose spec is refused: they go on as they were, until its owner suspends the bot.

Nothing else of such a spec is heeded: what was not let in cannot come in beside `suspend`.
"""

from __future__ import annotations

from gptbot_operator.cache import Cache, Observed
from gptbot_operator.cluster import ApiError, Cluster, Document
from gptbot_operator.drift import APPLIED
from gptbot_operator.verdict import Verdict

STOPPER = "gptbot-operator-suspend"
"""Field manager of the number 0 that is set while no manifest of the bot can be made."""


def deployments(cache: Cache, document: Document) -> dict[str, Observed]:
    """The bot's own Deployments, as they were seen last, by `gateway` and `worker`."""
    metadata = document["metadata"]
    seen = {
        part: cache.objects.get(("Deployment", metadata["namespace"], f"{metadata['name']}-{part}"))
        for part in ("gateway", "worker")
    }
    return {part: each for part, each in seen.items() if each is not None and each.owner == metadata["uid"]}


async def stop(cluster: Cluster, document: Document, running: dict[str, Observed]) -> Verdict:
    """Have the pods of a suspended bot end; the condition Progressing. Raises ApiError when the API server is away."""
    refused: list[str] = []
    for part, seen in running.items():
        if seen.facts["replicas"] == 0:
            continue
        try:
            await cluster.apply(_stopped(document, part, seen), manager=STOPPER)
        except ApiError as error:
            if error.status in (0, 429) or error.status >= 500:
                raise
            refused.append(f"{part}: {error}")
    if refused:
        return Verdict("False", "ApplyFailed", "; ".join(refused))
    return Verdict("False", "Suspended", "spec.suspend is true, so the pods are ended; nothing else is applied")


def is_suspended(document: Document) -> bool:
    """Whether the owner of a bot wants no pods, whatever else is wrong with the spec."""
    return (document.get("spec") or {}).get("suspend") is True


def _stopped(document: Document, part: str, seen: Observed) -> Document:
    """What to apply: with another digest, so that a manifest that leaves `replicas` out is not taken for applied."""
    metadata = document["metadata"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": f"{metadata['name']}-{part}",
            "namespace": metadata["namespace"],
            "uid": seen.uid,
            "annotations": {APPLIED: "suspended"},
        },
        "spec": {"replicas": 0},
    }
