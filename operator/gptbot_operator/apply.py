"""Makes the children what they are to be: server-side apply of the difference, never of what belongs to others."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any

from gptbot_api import GptBot
from gptbot_operator.cache import Cache, Observed, observe
from gptbot_operator.cluster import FIELD_MANAGER, ApiError, Cluster, Document
from gptbot_operator.desired.children import Identity, possible
from gptbot_operator.desired.context import annotated
from gptbot_operator.desired.hpa import fewest, scales
from gptbot_operator.drift import APPLIED, as_applied, digest

_HANDOVER = "gptbot-operator-handover"
"""Field manager that holds `replicas` between the operator letting go and an autoscaler's first write."""
_MADE_ANEW = ("Service", "PodDisruptionBudget")
"""No user's words are in these, so what the API server refuses is what somebody added."""
_NEEDED_BY_PODS = ("ConfigMap", "Secret", "ServiceAccount")


@dataclass(slots=True)
class Applied:
    """What was applied of one bot, so that a look that finds nothing new writes nothing. Lost at a restart: no harm."""

    done: dict[Identity, bytes] = field(default_factory=dict[Identity, bytes])
    """A digest of the manifest and of what the API server made of it."""
    absent: set[Identity] = field(default_factory=set[Identity])
    """Children that are not wanted and not there."""

    def is_done(self, identity: Identity, wanted: str, there: Observed) -> bool:
        """Whether a manifest of that digest was applied, and what came of it is as it was."""
        return self.done.get(identity) == _both(wanted, there)

    def note(self, identity: Identity, wanted: str, there: Observed) -> None:
        """It was applied, or need not be."""
        self.done[_interned(identity)] = _both(wanted, there)

    def lacks(self, identity: Identity) -> None:
        """It is not wanted and not there."""
        self.absent.add(_interned(identity))


def _both(wanted: str, there: Observed) -> bytes:
    return hashlib.blake2b(wanted.encode() + there.fingerprint, digest_size=16).digest()


def _interned(identity: Identity) -> Identity:
    """Names are kept once, however many objects of a bot share them."""
    kind, name = identity
    return sys.intern(kind), sys.intern(name)


@dataclass(slots=True)
class Outcome:
    """What could not be done."""

    conflicts: list[str] = field(default_factory=list[str])
    failures: list[str] = field(default_factory=list[str])


async def apply_children(
    cluster: Cluster,
    cache: Cache,
    bot: GptBot,
    manifests: list[Document],
    applied: Applied,
    *,
    served: Collection[str],
    everything: bool,
) -> Outcome:
    """Remove the children that are not wanted, apply those that are and that are not so already.

    `served`: which of the kinds that not every cluster has are there. `everything`: look at the API server itself,
    whatever the watches have shown. A child that cannot be applied does not keep the others from it. Raises ApiError
    when the API server does not answer at all.
    """
    outcome = Outcome()
    if everything:
        applied.done.clear()
        applied.absent.clear()
    wanted: dict[Identity, Document] = {(m["kind"], m["metadata"]["name"]): m for m in manifests}
    for identity in possible(bot, served):
        if identity not in wanted:
            await _guard(outcome, identity, _remove(cluster, cache, bot, identity, applied))
    for identity, manifest in wanted.items():
        applied.absent.discard(identity)
        await _guard(outcome, identity, _apply(cluster, cache, bot, identity, manifest, applied, outcome))
        if outcome.conflicts and identity[0] in _NEEDED_BY_PODS:
            break  # pods would run with somebody else's configuration
    return outcome


async def _guard(outcome: Outcome, identity: Identity, work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except ApiError as error:
        if error.status in (0, 429) or error.status >= 500:
            raise
        outcome.failures.append(f"{' '.join(identity)}: {error}")


async def _apply(
    cluster: Cluster,
    cache: Cache,
    bot: GptBot,
    identity: Identity,
    manifest: Document,
    applied: Applied,
    outcome: Outcome,
) -> None:
    kind, name = identity
    key = (kind, bot.metadata.namespace, name)
    wanted = digest(manifest)
    seen = cache.objects.get(key)
    if seen is not None and applied.is_done(identity, wanted, seen):
        return
    live = await cluster.get(kind, bot.metadata.namespace, name)
    if live is not None and (problem := _taken(bot, live)):
        outcome.conflicts.append(f"{kind} {name} {problem}")
        return
    if live is not None and as_applied(live, manifest, wanted):
        cache.objects[key] = observe(live)
        applied.note(identity, wanted, cache.objects[key])
        return
    if live is not None and kind == "Deployment" and "replicas" not in manifest["spec"]:
        await _hand_over_replicas(cluster, bot, live)
    try:
        result = await cluster.apply(annotated(manifest, {APPLIED: wanted}))
    except ApiError as error:
        if error.status == 422 and live is not None and kind in _MADE_ANEW:
            # What others wrote stays beside ours, as apply merges, and may clash with it: start afresh.
            await cluster.delete(kind, bot.metadata.namespace, name, live["metadata"]["uid"])
        raise
    cache.objects[key] = observe(result)
    applied.note(identity, wanted, cache.objects[key])


def _taken(bot: GptBot, live: Document) -> str:
    """Why an object is not the bot's own; empty when it is."""
    if live["metadata"].get("deletionTimestamp"):
        return "is being deleted; it is made anew when it is gone"
    owner = observe(live).owner
    if owner == bot.metadata.uid:
        return ""
    if owner is None:
        return "exists and does not belong to this GptBot; delete or rename one of the two"
    return "belongs to another owner; delete or rename one of the two"


async def _hand_over_replicas(cluster: Cluster, bot: GptBot, live: Document) -> None:
    """Let go of `replicas` without a reset: a field that nobody owns any more would fall back to its default, 1."""
    if not scales(bot) or not _owns_replicas(live):
        return
    metadata = live["metadata"]
    replicas = min(max(live["spec"].get("replicas", 1), fewest(bot)), bot.spec.workers.max_replicas)
    keeper = {
        "apiVersion": live["apiVersion"],
        "kind": live["kind"],
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]},
        "spec": {"replicas": replicas},
    }
    await cluster.apply(keeper, manager=_HANDOVER)


def _owns_replicas(live: Document) -> bool:
    return any(
        entry.get("manager") == FIELD_MANAGER
        and entry.get("operation") == "Apply"
        and not entry.get("subresource")
        and "f:replicas" in (entry.get("fieldsV1") or {}).get("f:spec", {})
        for entry in live["metadata"].get("managedFields") or []
    )


async def _remove(cluster: Cluster, cache: Cache, bot: GptBot, identity: Identity, applied: Applied) -> None:
    kind, name = identity
    key = (kind, bot.metadata.namespace, name)
    applied.done.pop(identity, None)
    if key not in cache.objects and identity in applied.absent:
        return
    live = await cluster.get(kind, bot.metadata.namespace, name)
    if live is not None and observe(live).owner == bot.metadata.uid and not live["metadata"].get("deletionTimestamp"):
        await cluster.delete(kind, bot.metadata.namespace, name, live["metadata"]["uid"])
    cache.objects.pop(key, None)
    applied.lacks(identity)
