"""What another CRD has and a new one lacks: the API server drops such fields from every object, and tells nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]
Path = tuple[str, ...]

ITEMS, VALUES = "[]", "*"
"""Steps of a path: into the items of a list, into the values of a map."""
_STEP = re.compile(r"\.[^.\[\]]+|\[[0-9]+\]")
_NAMED = 3
"""Most bots that are named for one field."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A field that would be dropped."""

    path: Path
    schema: Schema
    """As the CRD in the cluster has it."""
    users: tuple[str, ...] = field(default=())
    """GptBots (`namespace/name`) that say something there."""

    def __str__(self) -> str:
        """The field, and who uses it."""
        users = ", ".join(self.users[:_NAMED]) + (f" and {more} more" if (more := len(self.users) - _NAMED) > 0 else "")
        return f"{'.'.join(self.path).replace('.[]', '[]')} (used by {users or 'nobody'})"


def lost(there: Schema, ours: Schema) -> list[Loss]:
    """Fields of the spec in the versions of a CRD that is there, and not in our CRD's."""
    found: dict[Path, Schema] = {}
    for name, schema in _versions(there).items():
        mine = _versions(ours).get(name)
        if mine is not None:
            found |= dict(_lost(_spec(schema), _spec(mine), ("spec",)))
    return [Loss(path, schema) for path, schema in found.items()]


def unserved(there: Schema, ours: Schema) -> list[str]:
    """Versions that objects in the cluster may be stored in, and that our CRD does not know."""
    stored: list[str] = (there.get("status") or {}).get("storedVersions") or []
    return [version for version in stored if version not in _versions(ours)]


def with_users(losses: Iterable[Loss], bots: Iterable[dict[str, Any]]) -> list[Loss]:
    """The losses, and which of the GptBots say something there; what the API server filled in does not count."""
    users: dict[Path, list[str]] = {loss.path: [] for loss in losses}
    schemas = {loss.path: loss.schema for loss in losses}
    for bot in bots:
        name = f"{bot['metadata']['namespace']}/{bot['metadata']['name']}"
        for path, schema in schemas.items():
            if any(_said(value, schema) for value in _at(bot, path)):
                users[path].append(name)
    return [Loss(path, schemas[path], tuple(sorted(users[path]))) for path in users]


def without_defaults(value: Any, there: Schema, ours: Schema, path: str = "spec") -> tuple[Any, set[str]]:
    """A value of the CRD that is there, without fields that ours lacks and that say no more than their defaults.

    Also the paths of the fields that were left out.
    """
    if isinstance(value, list):
        inner, own = there.get("items") or {}, ours.get("items") or {}
        parts = [without_defaults(item, inner, own, f"{path}{ITEMS}") for item in value]
        return [part for part, _ in parts], set[str]().union(*(left_out for _, left_out in parts))
    if not isinstance(value, dict) or ours.get("x-kubernetes-preserve-unknown-fields"):
        return value, set()
    kept: dict[str, Any] = {}
    left_out: set[str] = set()
    for name, item in value.items():
        schema, mine = _field(there, name), _field(ours, name)
        if mine is None and schema is not None and not _said(item, schema):
            left_out.add(f"{path}.{name}")
            continue
        kept[name], inside = without_defaults(item, schema or {}, mine or {}, f"{path}.{name}")
        left_out |= inside
    return kept, left_out


def field_at(schema: Schema, path: str) -> Schema | None:
    """The schema of a field of the spec, by a path as faults have it (`spec.llm.fallbacks[0].model`)."""
    node: Schema | None = schema
    for step in _STEP.findall(path.removeprefix("spec")):
        node = (node or {}).get("items") if step.startswith("[") else _field(node or {}, step[1:])
    return node


def _field(schema: Schema, name: str) -> Schema | None:
    """The schema of a field by its name, or of the values of a map."""
    found = (schema.get("properties") or {}).get(name)
    values = schema.get("additionalProperties")
    return found if found is not None else values if isinstance(values, dict) else None


def _versions(definition: Schema) -> dict[str, Schema]:
    return {each["name"]: each["schema"]["openAPIV3Schema"] for each in definition["spec"]["versions"]}


def _spec(schema: Schema) -> Schema:
    return (schema.get("properties") or {}).get("spec") or {}


def _lost(there: Schema, ours: Schema, path: Path) -> Iterator[tuple[Path, Schema]]:
    if there.get("type") and ours.get("type") and there["type"] != ours["type"]:
        yield path, there
        return
    mine: Schema = ours.get("properties") or {}
    for name, child in (there.get("properties") or {}).items():
        if name in mine:
            yield from _lost(child, mine[name], (*path, name))
        elif not ours.get("x-kubernetes-preserve-unknown-fields"):
            yield (*path, name), child
    for keyword, step in (("items", ITEMS), ("additionalProperties", VALUES)):
        inner, own = there.get(keyword), ours.get(keyword)
        if isinstance(inner, dict) and isinstance(own, dict):
            yield from _lost(inner, own, (*path, step))


def _at(node: Any, path: Path) -> Iterator[Any]:
    """All values at a path."""
    if not path:
        yield node
        return
    step, rest = path[0], path[1:]
    if step == ITEMS:
        for item in node if isinstance(node, list) else ():
            yield from _at(item, rest)
    elif isinstance(node, dict):
        for value in node.values() if step == VALUES else [node[step]] if step in node else ():
            yield from _at(value, rest)


def _said(value: Any, schema: Schema) -> bool:
    """Whether a value is more than the defaults."""
    if "default" not in schema:
        return True
    if value == schema["default"]:
        return False
    properties: Schema = schema.get("properties") or {}
    if not isinstance(value, dict) or not properties:
        return True
    filled: dict[str, Any] = schema["default"] if isinstance(schema["default"], dict) else {}
    return any(each != filled.get(name) and _said(each, properties.get(name, {})) for name, each in value.items())
