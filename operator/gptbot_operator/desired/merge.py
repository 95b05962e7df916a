"""Strategic merge of pod templates: lists merge by the key of their items, tolerations add up, others are replaced."""

from __future__ import annotations

from typing import Any, cast

KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "protocol"),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
"""Field of a pod template to the key of its items (`x-kubernetes-list-map-keys` in the Kubernetes API)."""
_DEFAULTS = {"protocol": "TCP"}
_ADDED = {"tolerations"}
"""Lists without a key whose items do not contradict each other."""


def merge(base: Any, patch: Any, field: str = "", *, keep_nulls: bool = False) -> Any:
    """What `patch` makes of `base`. A null takes a field away, as in `kubectl patch`; neither argument is changed.

    `keep_nulls`: the result is a patch itself, and its nulls are to take fields away later.
    """
    if isinstance(base, dict) and isinstance(patch, dict):
        return _merge_objects(cast("dict[str, Any]", base), cast("dict[str, Any]", patch), keep_nulls)
    if isinstance(base, list) and isinstance(patch, list) and field in KEYS:
        return _merge_lists(cast("list[Any]", base), cast("list[Any]", patch), KEYS[field], keep_nulls)
    if isinstance(base, list) and isinstance(patch, list) and field in _ADDED:
        known = cast("list[Any]", base)
        return known + [item for item in cast("list[Any]", patch) if item not in known]
    return patch


def _merge_objects(base: dict[str, Any], patch: dict[str, Any], keep_nulls: bool) -> dict[str, Any]:
    out = dict(base)
    for name, value in patch.items():
        if value is None and not keep_nulls:
            out.pop(name, None)
        elif name in out:
            out[name] = merge(out[name], value, name, keep_nulls=keep_nulls)
        else:
            out[name] = value
    return out


def _merge_lists(base: list[Any], patch: list[Any], keys: tuple[str, ...], keep_nulls: bool) -> list[Any]:
    out = list(base)
    for item in patch:
        identity = _identity(item, keys)
        place = next((i for i, other in enumerate(out) if _identity(other, keys) == identity), None)
        if place is None or identity is None:
            out.append(item)
        else:
            out[place] = merge(out[place], item, keep_nulls=keep_nulls)
    return out


def _identity(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...] | None:
    if not isinstance(item, dict):
        return None  # the API server will say what is wrong with it
    return tuple(cast("dict[str, Any]", item).get(key, _DEFAULTS.get(key)) for key in keys)
