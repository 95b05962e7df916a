"""What the watches have shown, stripped to what a reconcile needs; values of Secrets are kept as digests only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gptbot_api import KIND
from gptbot_api.placeholders import LONGEST, unfilled
from gptbot_operator.cluster import Document
from gptbot_operator.desired.context import BOT_LABEL, PAUSED_ANNOTATION, ROLLED_ANNOTATION, ROTATE_ANNOTATION
from gptbot_operator.packed import Packed
from gptbot_operator.scalers import Scalers, facts_of

ObjectKey = tuple[str, str, str]
"""Kind, namespace, name."""
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Observed:
    """An object as it was seen last."""

    uid: str
    owner: str | None
    """uid of its controller."""
    bot: str | None
    """`namespace/name` of the GptBot its label names."""
    fingerprint: bytes
    """Changes with everything a person or controller may set, not with its status."""
    version: int = field(default=0, compare=False)
    """Its resourceVersion."""
    digests: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """Secret or ConfigMap: key to a digest of its value; keys without a value are left out."""
    unfilled: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """Secret: key to what its value is in place of what belongs there (`gptbot_api.placeholders`), where it is that."""
    facts: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    """Deployment, HorizontalPodAutoscaler: what the bot's status is made of."""


def observe(document: Document) -> Observed:
    """Strip an object."""
    metadata: Document = document["metadata"]
    label = (metadata.get("labels") or {}).get(BOT_LABEL)
    owners: list[Document] = metadata.get("ownerReferences") or []
    return Observed(
        uid=metadata["uid"],
        owner=next((sys.intern(owner["uid"]) for owner in owners if owner.get("controller")), None),
        bot=None if label is None else sys.intern(f"{metadata['namespace']}/{label}"),
        fingerprint=_fingerprint(document),
        version=_version(metadata),
        digests=_digests(document),
        unfilled=_unfilled(document),
        facts=_facts(document),
    )


class Cache:
    """GptBots, their children, and digests of all Secrets and ConfigMaps."""

    def __init__(self) -> None:
        self.bots = Packed()
        self.objects: dict[ObjectKey, Observed] = {}
        self._scalers = Scalers()
        self._referrers: dict[ObjectKey, set[str]] = {}
        self._references: dict[str, set[ObjectKey]] = {}
        self._listed: set[str | None] = set()
        """Namespaces whose bots were listed to the end; None: all."""

    def event(self, gone: bool, kind: str, document: Document, *, listed: bool = False) -> set[str]:
        """Note an object that is there or has gone; the keys of the bots that need a look.

        What is older than what is known says nothing: a list may be ahead of the watch before it. What is `listed` is
        believed in any case: versions begin anew where a cluster is restored from a backup.
        """
        note = self._bot_event if kind == KIND else self._object_event
        return note(gone, kind, document, listed)

    def _bot_event(self, gone: bool, kind: str, document: Document, listed: bool) -> set[str]:
        metadata = document["metadata"]
        key = f"{metadata['namespace']}/{metadata['name']}"
        before = self.bots.get(key)
        if before is not None and not listed and _version(metadata) < _version(before["metadata"]):
            return set()
        if gone:
            self.bots.pop(key, None)
            return {key}
        self.bots[key] = document
        return set() if before is not None and _essence(before) == _essence(document) else {key}

    def _object_event(self, gone: bool, kind: str, document: Document, listed: bool) -> set[str]:
        metadata = document["metadata"]
        key = (kind, sys.intern(metadata["namespace"]), sys.intern(metadata["name"]))
        before = self.objects.get(key)
        after = observe({**document, "kind": kind})  # items of a list do not say what they are
        if before is not None and not listed and after.version < before.version:
            return set()
        if gone:
            self.objects.pop(key, None)
        else:
            self.objects[key] = after
            if before == after:
                return set()
        scaled = self._scaled(key, None if gone else after)
        bots = {bot for bot in (after.bot, before.bot if before else None) if bot}
        return bots | scaled | self._referrers.get(key, set())

    def _scaled(self, key: ObjectKey, seen: Observed | None) -> set[str]:
        """Note what an autoscaler of others scales; the keys of the bots it is about."""
        kind, namespace, name = key
        if kind != "HorizontalPodAutoscaler":
            return set()
        targets = self._scalers.note(namespace, name, dict(seen.facts) if seen else None)
        bots = {f"{namespace}/{target[2]}" for target in targets if target[0] == KIND}
        deployments = [self.objects.get(target) for target in targets if target[0] != KIND]
        return bots | {each.bot for each in deployments if each is not None and each.bot}

    def scalers(self, targets: Mapping[str, ObjectKey]) -> dict[str, str]:
        """Autoscalers of others on some objects, in words; those that have none are left out."""
        return {part: words for part, target in targets.items() if (words := self._scalers.of(*target))}

    def names(self, kind: str, namespace: str | None) -> set[tuple[str, str]]:
        """Namespace and name of all that is known of a kind, in one namespace or in all."""
        if kind == KIND:
            every = {(space, name) for space, _, name in (key.partition("/") for key in self.bots)}
        else:
            every = {(space, name) for of, space, name in self.objects if of == kind}
        return every if namespace is None else {each for each in every if each[0] == namespace}

    def listed(self, kind: str, namespace: str | None, missing: Iterable[tuple[str, str]]) -> set[str]:
        """Note that a list has ended, and what it lacked; the keys of the bots that need a look."""
        if kind == KIND:
            self._listed.add(namespace)
        return {key for space, name in missing for key in self.gone(kind, space, name)}

    def bots_known(self, namespaces: Collection[str]) -> int | None:
        """How many bots there are in these namespaces (none: in all); None until they were listed to the end."""
        return len(self.bots) if self._listed >= set(namespaces or (None,)) else None

    def gone(self, kind: str, namespace: str, name: str) -> set[str]:
        """Note that there is no such object any more; the keys of the bots that need a look."""
        if kind == KIND:
            key = f"{namespace}/{name}"
            return set() if self.bots.pop(key, None) is None else {key}
        before = self.objects.pop((kind, namespace, name), None)
        own = {before.bot} if before is not None and before.bot else set[str]()
        return own | self._scaled((kind, namespace, name), None) | self._referrers.get((kind, namespace, name), set())

    def refer(self, bot: str, objects: Iterable[ObjectKey]) -> None:
        """Remember which objects a bot refers to, in place of those before."""
        for key in self._references.pop(bot, set()):
            referrers = self._referrers[key]
            referrers.discard(bot)
            if not referrers:
                del self._referrers[key]
        for key in (wanted := set(objects)):
            self._referrers.setdefault(key, set()).add(bot)
        if wanted:
            self._references[bot] = wanted


def _essence(bot: Document) -> tuple[Any, ...]:
    metadata = bot["metadata"]
    names = ("uid", "generation", "deletionTimestamp")
    annotations: Document = metadata.get("annotations") or {}
    orders = [annotations.get(name) for name in (ROTATE_ANNOTATION, PAUSED_ANNOTATION)]
    return (*(metadata.get(name) for name in names), *orders, bot.get("status"))


def _version(metadata: Document) -> int:
    """A resourceVersion, which is a number that grows (KEP-5504); 0 where there is none."""
    text = str(metadata.get("resourceVersion", ""))
    return int(text) if text.isdecimal() else 0


def _fingerprint(document: Document) -> bytes:
    metadata = document["metadata"]
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop("deployment.kubernetes.io/revision", None)  # the Deployment controller's own count
    kept = [
        metadata.get("labels"),
        annotations,
        metadata.get("ownerReferences"),
        metadata.get("deletionTimestamp"),
        {k: v for k, v in document.items() if k not in ("apiVersion", "kind", "metadata", "status")},
    ]
    return hashlib.blake2b(json.dumps(kept, sort_keys=True).encode(), digest_size=16).digest()


def _digests(document: Document) -> Mapping[str, str]:
    out = {key: hashlib.sha256(value).hexdigest() for key, value in _secret_values(document)}
    if document.get("kind") == "ConfigMap":
        for key, text in (document.get("data") or {}).items():
            if text and text.strip():
                out[sys.intern(key)] = hashlib.sha256(text.encode()).hexdigest()
    return out or _NONE


def _unfilled(document: Document) -> Mapping[str, str]:
    out: dict[str, str] = {}
    for key, value in _secret_values(document, 2 * LONGEST):
        with suppress(UnicodeDecodeError):
            if (text := unfilled(value.decode())) is not None:
                out[key] = text
    return out or _NONE


def _secret_values(document: Document, longest: int = sys.maxsize) -> Iterator[tuple[str, bytes]]:
    """Key and value of each that a Secret has, without white space around it; `longest`: characters of base64."""
    if document.get("kind") != "Secret":
        return
    for key, encoded in (document.get("data") or {}).items():
        if len(encoded or "") > longest:
            continue
        try:
            value = base64.b64decode(encoded or "").strip()
        except binascii.Error:
            continue
        if value:
            yield sys.intern(key), value


def _facts(document: Document) -> Mapping[str, Any]:
    spec: Document = document.get("spec") or {}
    status: Document = document.get("status") or {}
    match document.get("kind"):
        case "Deployment":
            return {
                "generation": document["metadata"].get("generation", 0),
                "observed": status.get("observedGeneration", 0),
                "replicas": spec.get("replicas", 1),
                "pods": status.get("replicas", 0),
                "updated": status.get("updatedReplicas", 0),
                "ready": status.get("readyReplicas", 0),
                "available": status.get("availableReplicas", 0),
                "conditions": _conditions(status),
                "stamp": (document["metadata"].get("annotations") or {}).get(ROLLED_ANNOTATION, ""),
            }
        case "HorizontalPodAutoscaler":  # how others' are does not matter
            return facts_of(document) or {"conditions": _conditions(status)}
        case _:
            return _NONE


def _conditions(status: Document) -> dict[str, dict[str, str]]:
    """By type. Most words are the same for all bots, so they are kept once."""
    return {
        sys.intern(each["type"]): {
            name: sys.intern(str(each.get(name) or "")) for name in ("status", "reason", "message")
        }
        for each in status.get("conditions") or []
    }
