"""Makes one child what it is to be: server-side apply of the difference, never of what belongs to others.

A child is applied to the version that was seen last, and a new one only where there is none: an object that is somebody
else's is never written to, however short a time it has been there. So nothing has to be read before it is written
where the watches have shown it, or where a bot is new; the API server's 409 tells of what they do not show yet.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gptbot_api import GptBot
from gptbot_operator.applied import Applied
from gptbot_operator.cache import Cache, ObjectKey, observe
from gptbot_operator.cluster import ABSENT, FIELD_MANAGER, ApiError, Cluster, Document
from gptbot_operator.desired.children import Identity
from gptbot_operator.desired.context import ROLLED_ANNOTATION, annotated, worker_name
from gptbot_operator.desired.hpa import fewest, scales
from gptbot_operator.drift import APPLIED, as_applied, digest, holds
from gptbot_operator.stopping import STOPPER

_HANDOVER = "gptbot-operator-handover"
"""Field manager that holds `replicas` between the operator letting go and an autoscaler's first write."""
_MADE_ANEW = ("Service", "PodDisruptionBudget")
"""No user's words are in these, so what the API server refuses is what somebody added."""
_TRIES = 5
"""Looks at a child that somebody changes between a look and the apply."""
_BUSY = 429


@dataclass(frozen=True, slots=True)
class Look:
    """What is needed to apply a child of one bot."""

    cluster: Cluster
    cache: Cache
    bot: GptBot
    applied: Applied
    new: bool
    """Nobody has made children of this bot, as far as is known."""
    secret_read: bool
    """Its manifests were made with what is in its Secret."""
    held: Collection[Identity] = ()
    """Deployments whose pods stay as they are."""

    def key(self, identity: Identity) -> ObjectKey:
        """Of a child in the cache."""
        kind, name = identity
        return kind, self.bot.metadata.namespace, name


class SecretUnknown(Exception):
    """The bot has a Secret, and the manifests were made without having read it."""


class NotOurs(Exception):
    """Somebody else has the name of a child. The text is the line for the status."""


async def apply_child(look: Look, identity: Identity, manifest: Document) -> None:
    """Apply a manifest, unless that would change nothing. Raises ApiError, NotOurs and SecretUnknown."""
    held = identity in look.held
    wanted = digest(_podless(manifest) if held else manifest)
    seen = look.cache.objects.get(look.key(identity))
    if seen is not None and look.applied.is_done(identity, wanted, seen):
        return
    if (
        not held
        and (version := _known_version(look, identity, manifest, wanted))
        and await _put(look, manifest, wanted, version)
    ):
        return
    for _ in range(_TRIES):
        if await _look_and_apply(look, identity, manifest, wanted):
            return
    raise ApiError(_BUSY, f"{' '.join(identity)} is changed by others all the time")


def _known_version(look: Look, identity: Identity, manifest: Document, wanted: str) -> str | None:
    """The version of a child that is to be changed, without asking for it; None: it has to be looked at."""
    seen = look.cache.objects.get(look.key(identity))
    if seen is None:
        return ABSENT if look.new else None
    if seen.owner != look.bot.metadata.uid or not seen.version:
        return None
    if identity[0] in _MADE_ANEW or _may_let_go_of_replicas(manifest):
        return None  # more than an apply may be needed
    return str(seen.version) if look.applied.differs(identity, wanted) else None


async def _look_and_apply(look: Look, identity: Identity, manifest: Document, wanted: str) -> bool:
    """Whether a child is as it should be now. False: somebody changed it at this very moment."""
    kind, name = identity
    live = await look.cluster.get(kind, look.bot.metadata.namespace, name)
    if live is None:
        return await _put(look, manifest, wanted, ABSENT)
    if problem := _taken(look.bot, live):
        raise NotOurs(f"{kind} {name} {problem}")
    if held := identity in look.held:
        manifest = _with_pods_of(live, manifest)
    if kind == "Secret" and not look.secret_read:
        raise SecretUnknown
    if as_applied(live, manifest, wanted) or (held and holds(live, manifest)):
        _note(look, identity, wanted, live)
        return True
    try:
        if _may_let_go_of_replicas(manifest):
            live = await _hand_over_replicas(look.cluster, look.bot, live)
        return await _put(look, manifest, wanted, live["metadata"]["resourceVersion"])
    except ApiError as error:
        if error.status == 409:
            return False
        if error.status == 422 and kind in _MADE_ANEW and await _welcome(look.cluster, manifest):
            return await _put_or_begin_anew(look, manifest, wanted, live)
        raise


def _podless(manifest: Document) -> Document:
    """A Deployment without what it says of its pods."""
    metadata = {**manifest["metadata"], "annotations": {}}
    return manifest | {"metadata": metadata, "spec": {**manifest["spec"], "template": None}}


def _with_pods_of(live: Document, manifest: Document) -> Document:
    """A Deployment that has the pods it has."""
    stamp = (live["metadata"].get("annotations") or {}).get(ROLLED_ANNOTATION)
    kept = annotated(_podless(manifest), {} if stamp is None else {ROLLED_ANNOTATION: stamp})
    return kept | {"spec": {**manifest["spec"], "template": live["spec"]["template"]}}


async def _put_or_begin_anew(look: Look, manifest: Document, wanted: str, live: Document) -> bool:
    """Apply once more, as a policy that refused it may just have gone; else delete: it is made anew at the next look.

    What others wrote stays beside ours, as apply merges, and may clash with it.
    """
    metadata = live["metadata"]
    try:
        return await _put(look, manifest, wanted, metadata["resourceVersion"])
    except ApiError as error:
        if error.status == 422:
            await look.cluster.delete(manifest["kind"], metadata["namespace"], metadata["name"], metadata["uid"])
        raise


async def _put(look: Look, manifest: Document, wanted: str, version: str) -> bool:
    """Apply to the object of that version; False: there is another one, or none."""
    try:
        result = await look.cluster.apply(annotated(manifest, {APPLIED: wanted}), version=version)
    except ApiError as error:
        if error.status == 409:
            return False
        raise
    _note(look, (manifest["kind"], manifest["metadata"]["name"]), wanted, result)
    return True


def _note(look: Look, identity: Identity, wanted: str, there: Document) -> None:
    seen = look.cache.objects[look.key(identity)] = observe(there)
    look.applied.note(identity, wanted, seen)


def _may_let_go_of_replicas(manifest: Document) -> bool:
    return manifest["kind"] == "Deployment" and "replicas" not in manifest["spec"]


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


async def _hand_over_replicas(cluster: Cluster, bot: GptBot, live: Document) -> Document:
    """Let go of `replicas` without a reset: a field that nobody owns any more would fall back to its default, 1.

    Returns the Deployment as it is then.
    """
    if not _owns_replicas(live):
        return live
    metadata = live["metadata"]
    replicas = max(live["spec"].get("replicas", 1), 1)  # 0 is of a suspended bot, and stops autoscalers
    if scales(bot) and metadata["name"] == worker_name(bot):
        replicas = min(max(replicas, fewest(bot)), bot.spec.workers.max_replicas)
    keeper = {
        "apiVersion": live["apiVersion"],
        "kind": live["kind"],
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]},
        "spec": {"replicas": replicas},
    }
    return await cluster.apply(keeper, manager=_HANDOVER, version=metadata["resourceVersion"])


def _owns_replicas(live: Document) -> bool:
    return any(
        entry.get("manager") in (FIELD_MANAGER, STOPPER)
        and entry.get("operation") == "Apply"
        and not entry.get("subresource")
        and "f:replicas" in (entry.get("fieldsV1") or {}).get("f:spec", {})
        for entry in live["metadata"].get("managedFields") or []
    )


async def remove_child(look: Look, identity: Identity) -> None:
    """Delete a child that is not wanted, if it is there and the bot's own. Raises ApiError."""
    kind, name = identity
    bot, key = look.bot, look.key(identity)
    look.applied.done.pop(identity, None)
    if key not in look.cache.objects and (look.new or identity in look.applied.absent):
        look.applied.lacks(identity)
        return
    live = await look.cluster.get(kind, bot.metadata.namespace, name)
    if live is not None and observe(live).owner == bot.metadata.uid and not live["metadata"].get("deletionTimestamp"):
        await look.cluster.delete(kind, bot.metadata.namespace, name, live["metadata"]["uid"])
    look.cache.objects.pop(key, None)
    look.applied.lacks(identity)
