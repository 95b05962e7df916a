"""The API reference, made of the CRD. `python -m gptbot_api.docs FILE…` writes it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gptbot_api.crd import Schema, custom_resource_definition

_HEAD = """# The GptBot API

<!-- Made by `make crds` from crds/gptbot_api. Do not edit. -->

`apiVersion: gptbot.dev/v1alpha1`, `kind: GptBot`, namespaced; short name `gb`; `kubectl explain gptbot.spec` shows
the same. `gptbot validate -f FILE` checks a manifest in the words of the API server, without one.

Fields in **bold** are required. Durations are a whole number above 0 and a unit: `s`, `m`, `h` or `d`. References name
objects in the bot's own namespace.
"""


def reference() -> str:
    """The reference as Markdown: a table an object, rules below it."""
    schema: Schema = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    parts = [_HEAD]
    for name in ("spec", "status"):
        parts += _section(schema["properties"][name], name)
    return "\n".join(parts)


def _section(schema: Schema, path: str) -> Iterator[str]:
    properties: dict[str, Schema] = schema["properties"]
    yield f"## `{path}`\n"
    yield f"{_text(schema)}\n"
    yield "| field | type | default | what |\n|---|---|---|---|"
    for name, field in properties.items():
        shown = f"**`{name}`**" if name in schema.get("required", []) else f"`{name}`"
        default = f"`{json.dumps(field['default'], ensure_ascii=False)}`" if _has_default(field) else ""
        yield f"| {shown} | {_type(field)} | {default} | {_text(field)} |"
    yield ""
    for rule in schema.get("x-kubernetes-validations", []):
        yield f"- {rule['message']}"
    if schema.get("x-kubernetes-validations"):
        yield ""
    for name, field in properties.items():
        inner, suffix = (field["items"], "[]") if field.get("type") == "array" else (field, "")
        if inner.get("properties"):
            yield from _section(inner, f"{path}.{name}{suffix}")


def _text(schema: Schema) -> str:
    return str(schema.get("description", "")).replace("|", "\\|")


def _has_default(schema: Schema) -> bool:
    return "default" in schema and not isinstance(schema["default"], dict)


def _type(schema: Schema) -> str:
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}{_bounds(schema, 'minItems', 'maxItems', 'items')}"
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return "quantity"
    if values := schema.get("additionalProperties"):
        return f"map of {_type(values)}"
    if schema.get("type") == "string":
        return f"string{_bounds(schema, 'minLength', 'maxLength', 'characters')}"
    return f"{schema.get('type', 'any')}{_bounds(schema, 'minimum', 'maximum', '')}"


def _bounds(schema: Schema, least: str, most: str, unit: str) -> str:
    low: Any = schema.get(least)
    high: Any = schema.get(most)
    match low, high:
        case None, None:
            return ""
        case None, _:
            text = f"at most {_number(high)}"
        case _, None:
            text = f"at least {_number(low)}"
        case _:
            text = f"{_number(low)} to {_number(high)}"
    return f", {text} {unit}".rstrip()


def _number(value: float) -> str:
    return f"{int(value)}" if float(value).is_integer() else f"{value}"


if __name__ == "__main__":
    for target in sys.argv[1:]:
        Path(target).write_text(reference())
