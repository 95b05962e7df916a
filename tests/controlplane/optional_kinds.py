"""CRDs of what not every cluster has, cut down to the fields that the operator uses, with their real types."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from tests.controlplane.plane import Plane

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}


def _object(required: list[str], **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_PATH = _object([], type={"type": "string", "enum": ["Exact", "PathPrefix", "RegularExpression"]}, value=_TEXT)
_HTTP_ROUTE = _object(
    [],
    parentRefs=_list(
        _object(
            ["name"],
            group={"type": "string", "default": "gateway.networking.k8s.io"},
            kind={"type": "string", "default": "Gateway"},
            name=_TEXT,
            namespace=_TEXT,
            sectionName=_TEXT,
        )
    ),
    hostnames=_TEXTS,
    rules=_list(
        _object(
            [],
            matches=_list(_object([], path=_PATH)),
            backendRefs=_list(
                _object(
                    ["name"],
                    group={"type": "string", "default": ""},
                    kind={"type": "string", "default": "Service"},
                    name=_TEXT,
                    port={"type": "integer", "minimum": 1, "maximum": 65535},
                    weight={"type": "integer", "default": 1},
                )
            ),
        )
    ),
)
_POD_MONITOR = _object(
    ["podMetricsEndpoints", "selector"],
    selector=_object([], matchLabels={"type": "object", "additionalProperties": _TEXT}),
    podTargetLabels=_TEXTS,
    podMetricsEndpoints=_list(
        _object([], port=_TEXT, path=_TEXT, interval={"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d|w|y))+$"})
    ),
)
_KINDS = [
    ("gateway.networking.k8s.io", "HTTPRoute", "httproutes", _HTTP_ROUTE),
    ("monitoring.coreos.com", "PodMonitor", "podmonitors", _POD_MONITOR),
]


@contextmanager
def optional_kinds(plane: Plane) -> Generator[None]:
    """A cluster with HTTPRoutes and PodMonitors."""
    names = [f"crd/{plural}.{group}" for group, _, plural, _ in _KINDS]
    for group, kind, plural, spec in _KINDS:
        plane.kubectl("create", "-f", "-", document=_definition(group, kind, plural, spec))
    try:
        plane.kubectl("wait", "--for=condition=Established", *names, "--timeout=30s")
        yield
    finally:
        plane.kubectl("delete", *names, "--ignore-not-found")


def _definition(group: str, kind: str, plural: str, spec: Schema) -> Schema:
    approved = {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api"}  # `*.k8s.io` is guarded
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _object(["spec"], spec=spec)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "annotations": approved},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [version],
        },
    }
