"""Whether an object is as it was applied, although the API server fills in much and words some of it anew."""

from __future__ import annotations

import hashlib
import json
import re
from decimal import Decimal
from typing import Any, cast

from gptbot_operator.cluster import Document
from gptbot_operator.desired.merge import KEYS

APPLIED = "gptbot.dev/applied"
"""Annotation of a child: digest of the manifest it was applied from. It tells of fields that are no longer wanted."""
_SHARED = {"Deployment", "Service"}
"""Kinds with lists to which others may add items of their own (`x-kubernetes-list-type: map`)."""
_QUANTITIES = {"requests", "limits"}
_QUANTITY = re.compile(r"^([+-]?[0-9.]+)(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?[0-9]+))?\Z")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def digest(manifest: Document) -> str:
    """A digest of a manifest. One that holds a secret holds the bot's pepper too, so nobody can guess it."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:32]


def as_applied(live: Document, manifest: Document, manifest_digest: str) -> bool:
    """Whether applying the manifest would change nothing."""
    annotations = live["metadata"].get("annotations") or {}
    return annotations.get(APPLIED) == manifest_digest and holds(live, manifest)


def holds(live: Document, manifest: Document) -> bool:
    """Whether an object has all that a manifest says; what it has besides may have been in an earlier manifest."""
    return _holds(live, manifest, "", manifest["kind"] in _SHARED)


def _holds(live: Any, wanted: Any, field: str, shared: bool) -> bool:
    if isinstance(wanted, dict) and isinstance(live, dict):
        there, fields = cast("dict[str, Any]", live), cast("dict[str, Any]", wanted)
        if field in _QUANTITIES:
            return all(_amount(there.get(name)) == _amount(value) for name, value in fields.items())
        return all(_holds(there.get(name), value, name, shared) for name, value in fields.items())
    if isinstance(wanted, list) and isinstance(live, list):
        return _list_holds(cast("list[Any]", live), cast("list[Any]", wanted), field, shared)
    if live is None:
        return not wanted  # the API server leaves out what is empty
    if field == "sizeLimit":
        return _amount(live) == _amount(wanted)
    return type(live) is type(wanted) and live == wanted


def _list_holds(live: list[Any], wanted: list[Any], field: str, shared: bool) -> bool:
    if shared and (field in KEYS or field == "ownerReferences"):
        return all(any(_holds(item, each, "", shared) for item in live) for each in wanted)
    if len(live) != len(wanted):
        return False
    return all(_holds(item, each, "", shared) for item, each in zip(live, wanted, strict=True))


def _amount(value: Any) -> Any:
    """A quantity as a number: `1000m` is 1."""
    found = _QUANTITY.match(str(value))
    if found is None:
        return value
    number, binary, decimal, exponent = found.groups()
    if binary:
        return Decimal(number) * 1024 ** ("KMGTPE".index(binary[0]) + 1)
    return Decimal(number).scaleb(_DECIMAL[decimal] if decimal else int(exponent or 0))
