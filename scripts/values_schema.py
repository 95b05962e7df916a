"""Puts what the API says of a GptBot into the chart's values.schema.json: helm refuses what the API server would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gptbot_api.base import ApiModel
from gptbot_api.crd import structural
from gptbot_api.defaults import Defaults
from gptbot_api.spec import GptBotSpec
from gptbot_api.workload import FORMS

SCHEMA = Path(__file__).parent.parent / "charts" / "gptbot" / "values.schema.json"
MODELS: dict[str, type[ApiModel]] = {"gptBotSpec": GptBotSpec, "defaults": Defaults}
"""Definition in the schema to the model that it is made of."""
PATTERNS = {form.schema()["rule"]: form.pattern for form in FORMS}
"""Rule of a form at the API server to the pattern that says the same."""
_KEPT = ("type", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems",
         "maxProperties", "required")  # fmt: skip


def render() -> str:
    """The schema as it is, with the definitions made of models anew."""
    schema: dict[str, Any] = json.loads(SCHEMA.read_text())
    schema["definitions"] |= {name: _closed(structural(model)) for name, model in MODELS.items()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _rules(node: dict[str, Any]) -> list[dict[str, str]]:
    return node.get("x-kubernetes-validations", [])


def _closed(node: dict[str, Any]) -> dict[str, Any]:
    """A structural schema as draft 7, without what only an API server can use, and with no room for unknown fields."""
    out = {key: node[key] for key in _KEPT if key in node}
    if node.get("x-kubernetes-int-or-string"):
        out["type"] = ["integer", "string"]
    if pattern := next((PATTERNS[rule["rule"]] for rule in _rules(node) if rule["rule"] in PATTERNS), None):
        out["pattern"] = pattern
    if "properties" in node:
        out["properties"] = {name: _closed(child) for name, child in node["properties"].items()}
    if "items" in node:
        out["items"] = _closed(node["items"])
    if "additionalProperties" in node:
        out["additionalProperties"] = _closed(node["additionalProperties"])
    elif node.get("type") == "object" and "properties" in node:
        out["additionalProperties"] = bool(node.get("x-kubernetes-preserve-unknown-fields"))
    return out
