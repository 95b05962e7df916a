"""Which keys of Secrets and ConfigMaps a spec names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SECTIONS = ("platforms", "llm", "personas", "safety", "store")
"""Parts of the spec that hold references; a pod template's own are the kubelet's business."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One key of a Secret or ConfigMap."""

    kind: str
    name: str
    key: str
    path: str
    """The field that names it."""


def references(spec: dict[str, Any]) -> list[Reference]:
    """All of a spec: fields called `…SecretRef` or `configMapKeyRef` that hold a name and a key."""
    return [found for section in _SECTIONS for found in _walk(spec.get(section), f"spec.{section}")]


def _walk(node: Any, path: str) -> Iterator[Reference]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _walk(item, f"{path}[{index}]")
    elif isinstance(node, dict):
        for field, value in node.items():
            kind = _kind(str(field))
            if kind and isinstance(value, dict) and {"name", "key"} <= value.keys():
                yield Reference(kind, str(value["name"]), str(value["key"]), f"{path}.{field}")
            else:
                yield from _walk(value, f"{path}.{field}")


def _kind(field: str) -> str | None:
    if field == "configMapKeyRef":
        return "ConfigMap"
    return "Secret" if field.lower().endswith("secretref") else None
