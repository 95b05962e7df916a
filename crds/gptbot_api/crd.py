"""The CustomResourceDefinition made of the models. `python -m gptbot_api.crd FILE…` writes it."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gptbot_api.base import ApiModel, Rule
from gptbot_api.revision import REVISION, SCHEMA
from gptbot_api.spec import GptBot, GptBotSpec
from gptbot_api.status import GptBotStatus

Schema = dict[str, Any]

_COLUMNS = [
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', "Whether the bot answers."),
    ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', "Why, in one word."),
    ("Platforms", "string", ".status.platformNames", "Where it receives messages."),
    ("Workers", "integer", ".status.workers.ready", "Workers ready to answer."),
    ("Backlog", "integer", ".status.backlog", "Conversations waiting or being answered."),
    ("Paused", "string", '.status.conditions[?(@.type=="Paused")].status', "Whether the operator leaves it alone."),
    ("Age", "date", ".metadata.creationTimestamp", ""),
]
_WIDE = [
    ("Model", "string", '.status.conditions[?(@.type=="ModelReachable")].reason', "How its model is, in one word."),
    ("Store", "string", '.status.conditions[?(@.type=="StoreReachable")].reason', "How its store is, in one word."),
    ("Gateway", "integer", ".status.gateway.ready", "Pods that receive messages."),
    ("Message", "string", '.status.conditions[?(@.type=="Ready")].message', "What is wrong, and what to do."),
]
"""Shown by `kubectl get -o wide` besides."""

_SCALE = {
    "specReplicasPath": ".spec.workers.replicas",
    "statusReplicasPath": ".status.workers.replicas",
    "labelSelectorPath": ".status.selector",
}
_OF_INSTALLATION = "x-default"
"""Key of a default that the API server is not to fill in, until `_settle` has made a sentence of it."""


REVISION_ANNOTATION = "gptbot.dev/revision"
"""On the CRD: a number that grows with each change of it, so that an older operator knows that it is older."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the API in the CRD. All have the same fields: `docs/api-versions.md` says how one comes and goes."""

    name: str
    storage: bool = False
    """Whether objects are stored in it; of exactly one they are."""
    deprecated: str = ""
    """What kubectl warns with; empty: it is not deprecated."""


VERSIONS = (Version("v1alpha1", storage=True),)


def custom_resource_definition(versions: Sequence[Version] = VERSIONS) -> Schema:
    """The CRD of GptBot as plain data: structural OpenAPI v3 with descriptions, defaults and CEL rules."""
    schema: Schema = {
        "type": "object",
        "description": "A GPT chat bot that answers on Discord, Telegram and a web page at once.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "maxLength": 50, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"}
                },
            },
            "spec": structural(GptBotSpec),
            "status": structural(GptBotStatus),
        },
        "x-kubernetes-validations": [rule.schema() for rule in GptBot.rules],
    }
    columns = [
        {"name": name, "type": kind, "jsonPath": path}
        | ({"description": text} if text else {})
        | ({"priority": 1} if wide else {})
        for wide, those in enumerate((_COLUMNS, _WIDE))
        for name, kind, path, text in those
    ]
    definition: Schema = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gptbots.gptbot.dev", "labels": {"app.kubernetes.io/part-of": "gptbot"}},
        "spec": {
            "group": "gptbot.dev",
            "names": {
                "kind": "GptBot",
                "listKind": "GptBotList",
                "plural": "gptbots",
                "singular": "gptbot",
                "shortNames": ["gb"],
                "categories": ["all"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": version.name,
                    "served": True,
                    "storage": version.storage,
                    **({"deprecated": True, "deprecationWarning": version.deprecated} if version.deprecated else {}),
                    "subresources": {"status": {}, "scale": _SCALE},
                    "additionalPrinterColumns": columns,
                    "schema": {"openAPIV3Schema": schema},
                }
                for version in versions
            ],
        },
    }
    definition["metadata"]["annotations"] = {REVISION_ANNOTATION: str(_revision(definition["spec"])[0])}
    return definition


def _revision(spec: Schema) -> tuple[int, str]:
    """Number and digest of a CRD's spec: the number of before if it is as it was, else the next one."""
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    return (REVISION if digest == SCHEMA else REVISION + 1), digest


def structural(model: type[BaseModel]) -> Schema:
    """The model's JSON schema as Kubernetes wants it: no references, no nulls, CEL rules beside the properties."""
    raw = model.model_json_schema(by_alias=True)
    return _settle(_convert(raw, raw.get("$defs", {}), model))


def _settle(node: Any) -> Any:
    """Say the defaults that an installation may have its own instead of; leave filling them in to the operator."""
    if isinstance(node, list):
        return [_settle(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {key: _settle(value) for key, value in node.items() if key != _OF_INSTALLATION}
    value: Any = node.get(_OF_INSTALLATION)
    if value is not None and value not in ([], {}):
        shown = json.dumps(value, ensure_ascii=False)
        out["description"] += f" Default, if the installation has no other: {shown}."
    return out


def _convert(node: Schema, definitions: Schema, model: type[BaseModel] | None = None) -> Schema:
    if reference := node.get("$ref"):
        siblings = {k: v for k, v in node.items() if k != "$ref"}
        return _convert({**definitions[reference.rsplit("/", 1)[1]], **siblings}, definitions, model)
    if node.get("x-kubernetes-int-or-string"):
        return {k: v for k, v in node.items() if k not in ("title", "default")}
    if options := node.get("anyOf"):
        option = next(o for o in options if o.get("type") != "null")
        siblings = {k: v for k, v in node.items() if k not in ("anyOf", "default")}
        return _convert({**option, **siblings}, definitions, model)
    out: Schema = {}
    for key in (
        "type",
        "description",
        "format",
        "enum",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "maxProperties",
        "default",
        "required",
    ):
        if key in node:
            out[key] = node[key]
    out |= {k: v for k, v in node.items() if k.startswith("x-kubernetes-")}
    if "const" in node:
        out |= {"type": "string", "enum": [node["const"]]}
    if "description" in out:
        out["description"] = " ".join(out["description"].split())
    if node.get("properties"):  # the API server drops an empty one, and then sees a difference at each apply
        fields = _fields(model)
        out["properties"] = {
            name: _property(child, definitions, fields.get(name)) for name, child in node["properties"].items()
        }
        if _left_to_operator(model):
            for child in out["properties"].values():
                child[_OF_INSTALLATION] = child.pop("default", None)
    if "items" in node:
        out["items"] = _convert(node["items"], definitions, model)
    extra = node.get("additionalProperties")
    if isinstance(extra, dict):
        values = _convert(cast(Schema, extra), definitions)
        out["additionalProperties"] = values or {"x-kubernetes-preserve-unknown-fields": True}
        if values.get("type") == "object" and "properties" not in values:
            values["x-kubernetes-preserve-unknown-fields"] = True
    if node.get("type") == "object" and (rules := _rules(model)):
        out["x-kubernetes-validations"] = [rule.schema() for rule in rules]
    return out


def _left_to_operator(model: type[BaseModel] | None) -> bool:
    return model is not None and issubclass(model, ApiModel) and model.has_installation_defaults


def _rules(model: type[BaseModel] | None) -> tuple[Rule, ...]:
    return model.rules if model is not None and issubclass(model, ApiModel) else ()


def _property(node: Schema, definitions: Schema, info: FieldInfo | None) -> Schema:
    model = _model_of(info)
    out = _convert(node, definitions, model)
    if info is not None and info.default_factory is not None:
        value = info.default_factory()  # type: ignore[call-arg]
        out["default"] = (
            # Whole where rules look at it: the API server checks them on the default before filling in defaults inside.
            value.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=not _rules(model))
            if isinstance(value, BaseModel)
            else [_plain(item) for item in value]
            if isinstance(value, list)
            else value
        )
        if _left_to_operator(model) or (out["default"] in ([], {}) and model is None):
            del out["default"]
    return out


def _plain(item: Any) -> Any:
    return item.model_dump(mode="json", by_alias=True, exclude_none=True) if isinstance(item, BaseModel) else item


def _fields(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    return {} if model is None else {info.alias or name: info for name, info in model.model_fields.items()}


def _model_of(info: FieldInfo | None) -> type[BaseModel] | None:
    """The model that a field (or its list, or its optional) holds."""
    pending: list[Any] = [] if info is None else [info.annotation]
    while pending:
        kind = pending.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
        pending.extend(getattr(kind, "__args__", ()))
    return None


def render() -> str:
    """The CRD as YAML."""
    plain = json.loads(json.dumps(custom_resource_definition()))  # no object twice, so no YAML anchors
    text = yaml.safe_dump(plain, sort_keys=False, width=120, allow_unicode=True)
    return "# Made by `make crds` from crds/gptbot_api. Do not edit.\n" + text


def render_revision() -> str:
    """The module `revision.py`, which remembers the number and what it stands for."""
    number, digest = _revision(custom_resource_definition()["spec"])
    return (
        '"""The revision of the GptBot CRD. Made by `make crds`, which counts on when that changes. Do not edit."""\n\n'
        f'REVISION = {number}\n"""Grows with each change; the annotation `{REVISION_ANNOTATION}` of the CRD."""\n'
        f'SCHEMA = "{digest}"\n"""Digest of the spec of the CRD of that revision."""\n'
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(render())
