"""Puts what the API says of a GptBot into the chart: helm refuses what the API server would.

Its schema (values.schema.json) has types, bounds and patterns. Forms have words, which a schema has no place for: they
go into a template.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gptbot_api.base import ApiModel, Form
from gptbot_api.crd import structural
from gptbot_api.defaults import Defaults
from gptbot_api.spec import GptBotSpec
from gptbot_api.workload import FORMS

SCHEMA = Path(__file__).parent.parent / "charts" / "gptbot" / "values.schema.json"
MODELS: dict[str, type[ApiModel]] = {"gptBotSpec": GptBotSpec, "defaults": Defaults}
"""Definition in the schema to the model that it is made of."""
PLACES = {"defaults": "defaults", "exampleBot.spec": "gptBotSpec"}
"""Where values of each stand."""
_RULES = {form.schema()["rule"]: form for form in FORMS}
"""Rule at the API server to the form."""
_ANY = "*"
"""Stands for each entry of a list or a map."""
_TEMPLATE = """\
{{- /* Made by scripts/values_schema.py from the API: texts whose form the schema could only say with a pattern. */ -}}
{{- define "gptbot.validate.forms" -}}
%s
{{- end -}}

{{- /* Value, steps to a text in it, where it stands, pattern, words. */ -}}
{{- define "gptbot.validate.form" -}}
{{- $value := index . 0 -}}{{- $steps := index . 1 -}}{{- $at := index . 2 -}}
{{- $pattern := index . 3 -}}{{- $words := index . 4 -}}
{{- if and $steps (kindIs "map" $value) -}}
{{- range $name, $inner := $value -}}
{{- if has (first $steps) (list "*" $name) -}}
{{- include "gptbot.validate.form" (list $inner (rest $steps) (printf "%%s.%%s" $at $name) $pattern $words) -}}
{{- end -}}
{{- end -}}
{{- else if and $steps (kindIs "slice" $value) -}}
{{- range $number, $inner := $value -}}
{{- include "gptbot.validate.form" (list $inner (rest $steps) (printf "%%s[%%d]" $at $number) $pattern $words) -}}
{{- end -}}
{{- else if and (not $steps) (kindIs "string" $value) (not (regexMatch $pattern $value)) -}}
{{- fail (printf "%%s is %%q: it %%s" $at $value $words) -}}
{{- end -}}
{{- end -}}
"""
_KEPT = ("type", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems",
         "maxProperties", "required")  # fmt: skip


def render() -> str:
    """The schema as it is, with the definitions made of models anew."""
    schema: dict[str, Any] = json.loads(SCHEMA.read_text())
    schema["definitions"] |= {name: _closed(structural(model)) for name, model in MODELS.items()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def forms() -> str:
    """The template with the forms."""
    calls = [
        f'{{{{- include "gptbot.validate.form" (list .Values.{place} (list {" ".join(map(_quoted, steps))}) '
        f"{_quoted(place)} {_quoted(form.pattern)} {_quoted(form.message)}) -}}}}"
        for place, name in PLACES.items()
        for steps, form in _forms(structural(MODELS[name]), ())
    ]
    return _TEMPLATE % "\n".join(calls)


def _forms(node: dict[str, Any], steps: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Form]]:
    for rule in _rules(node):
        if (form := _RULES.get(rule["rule"])) is not None:
            yield steps, form
    for name, child in node.get("properties", {}).items():
        yield from _forms(child, (*steps, name))
    for inner in ("items", "additionalProperties"):
        if isinstance(child := node.get(inner), dict):
            yield from _forms(child, (*steps, _ANY))


def _quoted(text: str) -> str:
    """As a string of a template."""
    return json.dumps(text)


def _rules(node: dict[str, Any]) -> list[dict[str, str]]:
    return node.get("x-kubernetes-validations", [])


def _closed(node: dict[str, Any]) -> dict[str, Any]:
    """A structural schema as draft 7, without what only an API server can use, and with no room for unknown fields."""
    out = {key: node[key] for key in _KEPT if key in node}
    if node.get("x-kubernetes-int-or-string"):
        out["type"] = ["integer", "string"]
    if "properties" in node:
        out["properties"] = {name: _closed(child) for name, child in node["properties"].items()}
    if "items" in node:
        out["items"] = _closed(node["items"])
    if "additionalProperties" in node:
        out["additionalProperties"] = _closed(node["additionalProperties"])
    elif node.get("type") == "object" and "properties" in node:
        out["additionalProperties"] = bool(node.get("x-kubernetes-preserve-unknown-fields"))
    return out
