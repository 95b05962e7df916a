"""Makes the children what they are to be: server-side apply of the difference, never of what belongs to others."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gptbot_api import GptBot
from gptbot_operator.cache import Cache, ObjectKey, Observed, observe
from gptbot_operator.cluster import FIELD_MANAGER, ApiError, Cluster, Document
from gptbot_operator.desired.children import Identity, possible
from gptbot_operator.desired.context import annotated
from gptbot_operator.desired.hpa import fewest, scales
from gptbot_operator.drift import APPLIED, as_applied, digest
from gptbot_operator.refusals import Fault, Refusals

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
    refusals: Refusals = field(default_factory=Refusals)
    """Children that could not be applied."""

    def begin(self, generation: int, *, everything: bool) -> None:
        """A look begins; `everything`: it asks the API server itself."""
        self.refusals.begin(generation)
        if everything:
            self.done.clear()
            self.absent.clear()

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

    faults: dict[Identity, Fault] = field(default_factory=dict[Identity, Fault])
    """Children that are not as they should be; some of them were not tried in this look."""
    waiting: dict[Identity, Fault] = field(default_factory=dict[Identity, Fault])
    """Deployments that are left as they are, and the fault of what their pods need."""
    tried: bool = False
    """A fault is of this look."""

    @property
    def conflicts(self) -> list[str]:
        """A line for each child whose name somebody else has."""
        return [fault.text for fault in self.faults.values() if fault.conflict]

    @property
    def failures(self) -> list[str]:
        """A line for each child that was refused."""
        return [fault.text for fault in self.faults.values() if not fault.conflict]

    def held_up(self, deployment: str) -> Fault | None:
        """Why a Deployment is not as it should be."""
        identity = ("Deployment", deployment)
        return self.faults.get(identity) or self.waiting.get(identity)


class _NotOurs(Exception):
    """Somebody else has the name of a child. The text is the line for the status."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What is needed to apply a child of one bot."""

    cluster: Cluster
    cache: Cache
    bot: GptBot
    applied: Applied
    outcome: Outcome

    def key(self, identity: Identity) -> ObjectKey:
        """Of a child in the cache."""
        kind, name = identity
        return kind, self.bot.metadata.namespace, name

    async def attempt(self, identity: Identity, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do it, unless the child was refused a moment ago. Raises ApiError when the API server is away."""
        if fault := self.applied.refusals.held(identity, self._uid(identity)):
            self.outcome.faults[identity] = fault
            return
        try:
            await work()
        except _NotOurs as error:
            self.refused(identity, Fault(str(error), conflict=True))
        except ApiError as error:
            if error.status in (0, 429) or error.status >= 500:
                raise
            self.refused(identity, Fault(f"{' '.join(identity)}: {error}"))
        else:
            self.applied.refusals.lift(identity)

    def refused(self, identity: Identity, fault: Fault) -> None:
        """Note that a child cannot be had now."""
        self.outcome.faults[identity] = fault
        self.outcome.tried = True
        self.applied.refusals.note(identity, self._uid(identity), fault)

    def _uid(self, identity: Identity) -> str | None:
        seen = self.cache.objects.get(self.key(identity))
        return None if seen is None else seen.uid


async def apply_children(
    cluster: Cluster,
    cache: Cache,
    bot: GptBot,
    manifests: list[Document],
    applied: Applied,
    *,
    served: Collection[str],
    unserved: Mapping[Identity, str],
    everything: bool,
) -> Outcome:
    """Remove the children that are not wanted, apply those that are and that are not so already.

    `served`: which of the kinds that not every cluster has are there; `unserved`: children that it cannot have, and a
    line for each. `everything`: look at the API server itself, whatever the watches have shown. A child that cannot be
    applied does not keep the others from it, but Deployments stay as they are while what their pods need is not as it
    should be. Raises ApiError when the API server does not answer at all.
    """
    look = _Look(cluster, cache, bot, applied, Outcome())
    applied.begin(bot.metadata.generation, everything=everything)
    wanted: dict[Identity, Document] = {(m["kind"], m["metadata"]["name"]): m for m in manifests}
    for identity in possible(bot, served):
        if identity not in wanted:
            await look.attempt(identity, partial(_remove, look, identity))
    for identity, manifest in wanted.items():
        applied.absent.discard(identity)
        if fault := _lacking(identity, look):
            look.outcome.waiting[identity] = fault
        else:
            await look.attempt(identity, partial(_apply, look, identity, manifest))
    for identity, text in unserved.items():
        if not applied.refusals.held(identity, None):
            look.refused(identity, Fault(text))
        look.outcome.faults[identity] = Fault(text)
    applied.refusals.keep(look.outcome.faults)
    return look.outcome


def _lacking(identity: Identity, look: _Look) -> Fault | None:
    """What a Deployment waits for: its pods would run without it, or with somebody else's, or wait for it in vain.

    A suspended bot has no pods, and is to be suspended in any case.
    """
    if identity[0] != "Deployment" or look.bot.spec.suspend:
        return None
    for needed, fault in look.outcome.faults.items():
        if needed[0] in _NEEDED_BY_PODS:
            return Fault(f"it waits for {' '.join(needed)}: {fault.text}", fault.conflict)
    return None


async def _apply(look: _Look, identity: Identity, manifest: Document) -> None:
    kind, name = identity
    cluster, cache, bot, applied = look.cluster, look.cache, look.bot, look.applied
    key = look.key(identity)
    wanted = digest(manifest)
    seen = cache.objects.get(key)
    if seen is not None and applied.is_done(identity, wanted, seen):
        return
    live = await cluster.get(kind, bot.metadata.namespace, name)
    if live is not None and (problem := _taken(bot, live)):
        raise _NotOurs(f"{kind} {name} {problem}")
    if live is not None and as_applied(live, manifest, wanted):
        cache.objects[key] = observe(live)
        applied.note(identity, wanted, cache.objects[key])
        return
    if live is not None and kind == "Deployment" and "replicas" not in manifest["spec"]:
        await _hand_over_replicas(cluster, bot, live)
    try:
        result = await cluster.apply(annotated(manifest, {APPLIED: wanted}))
    except ApiError as error:
        if error.status == 422 and live is not None and kind in _MADE_ANEW and await _welcome(cluster, manifest):
            # What others wrote stays beside ours, as apply merges, and may clash with it: start afresh.
            await cluster.delete(kind, bot.metadata.namespace, name, live["metadata"]["uid"])
        raise
    cache.objects[key] = observe(result)
    applied.note(identity, wanted, cache.objects[key])


async def _welcome(cluster: Cluster, manifest: Document) -> bool:
    """Whether an object would be made, were its name free: an admission policy may refuse it as a clash is refused."""
    try:
        await cluster.create(manifest, dry_run=True)
    except ApiError as error:
        return error.status == 409  # only its name is in the way
    return True


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


async def _remove(look: _Look, identity: Identity) -> None:
    kind, name = identity
    bot, key = look.bot, look.key(identity)
    look.applied.done.pop(identity, None)
    if key not in look.cache.objects and identity in look.applied.absent:
        return
    live = await look.cluster.get(kind, bot.metadata.namespace, name)
    if live is not None and observe(live).owner == bot.metadata.uid and not live["metadata"].get("deletionTimestamp"):
        await look.cluster.delete(kind, bot.metadata.namespace, name, live["metadata"]["uid"])
    look.cache.objects.pop(key, None)
    look.applied.lacks(identity)
