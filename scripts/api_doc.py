"""Makes docs/api.md, the reference of the GptBot API, from the CRD's schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gptbot_api.crd import custom_resource_definition

Schema = dict[str, Any]

HEAD = """# The GptBot API

<!-- Made by `make crds` from crds/gptbot_api. Do not edit. -->

Group `gptbot.dev`, version `v1alpha1`, namespaced, short name `gb`. `kubectl explain gptbot.spec` shows the same text.
A duration is a whole number and a unit: `90s`, `5m`, `24h`, `7d`. A manifest can be checked without a cluster:
`gptbot validate -f FILE`.
"""


def render() -> str:
    """The page."""
    version: Schema = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    parts = [HEAD]
    for name in ("spec", "status"):
        for path, schema in _objects(name, version["properties"][name]):
            parts.append(_section(path, schema))
    return "\n".join(parts)


def _objects(path: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every object with fields of its own, its parent before it."""
    yield path, schema
    for name, child in schema["properties"].items():
        item, suffix = (child["items"], "[]") if child.get("type") == "array" else (child, "")
        if "properties" in item:
            yield from _objects(f"{path}.{name}{suffix}", item)


def _section(path: str, schema: Schema) -> str:
    lines = [
        f"## `{path}`",
        "",
        schema.get("description", ""),
        "",
        "| field | type | default | what |",
        "|---|---|---|---|",
    ]
    required = schema.get("required", [])
    for name, child in schema["properties"].items():
        default = "required" if name in required else _code(child["default"]) if "default" in child else ""
        lines.append(f"| `{name}` | {_type(child)} | {default} | {_cell(child.get('description', ''))} |")
    rules = [rule["message"] for rule in schema.get("x-kubernetes-validations", [])]
    if rules:
        lines += ["", "Rules: " + "; ".join(rules) + "."]
    return "\n".join([*lines, ""])


def _type(schema: Schema) -> str:
    if schema.get("x-kubernetes-int-or-string"):
        return "quantity"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"list of {_type(schema['items'])}{most}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map of {_type(schema['additionalProperties'])}"
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"{kind}, {least:,} to {most:,}"
    return kind


def _code(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return "see below" if isinstance(value, dict) else f"`{_cell(shown)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
