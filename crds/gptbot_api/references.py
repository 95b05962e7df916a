"""Which keys of which Secrets and ConfigMaps a GptBot refers to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from gptbot_api.refs import SecretKeyRef
from gptbot_api.spec import GptBot

_SECTIONS = ("platforms", "llm", "personas", "safety", "store")
"""Parts of the spec that hold references; a pod template's own are Kubernetes' business."""


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """One key of a Secret or ConfigMap in the bot's namespace."""

    kind: Literal["ConfigMap", "Secret"]
    name: str
    key: str
    path: str
    """The field of the GptBot that names it."""


def references(bot: GptBot) -> list[Reference]:
    """All references of the bot, in the order of their fields.

    A field called `…SecretRef` or `configMapKeyRef` that holds a name and a key is one, also in the settings of
    platforms of installed packages, which have no model here.
    """
    spec = bot.spec.model_dump(mode="json", by_alias=True, exclude_none=True, include=set(_SECTIONS))
    return [found for section in _SECTIONS for found in _walk(spec.get(section), f"spec.{section}")]


def _walk(node: Any, path: str) -> Iterator[Reference]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _walk(item, f"{path}[{index}]")
    elif isinstance(node, dict):
        for name, value in node.items():
            at = f"{path}.{name}"
            kind = _kind(str(name))
            if kind is None:
                yield from _walk(value, at)
                continue
            try:
                target = SecretKeyRef.model_validate(value)
            except ValidationError:
                continue  # an extra platform's own field of that name
            yield Reference(kind, target.name, target.key, at)


def _kind(field: str) -> Literal["ConfigMap", "Secret"] | None:
    if field == "configMapKeyRef":
        return "ConfigMap"
    return "Secret" if field.lower().endswith("secretref") else None
