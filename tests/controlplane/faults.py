"""Bad manifests: what is changed in a good one, and the lines that say so. Every rule, every kind of fault."""
# ruff: noqa: E501 - a table

from __future__ import annotations

import copy
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gptbot_api.base import DURATION, Form
from gptbot_api.policy import MATCHES_SOMEBODY
from gptbot_api.refs import API_BASE
from gptbot_api.workload import QUANTITY

Document = dict[str, Any]

GOOD: Document = {
    "apiVersion": "gptbot.dev/v1alpha1",
    "kind": "GptBot",
    "metadata": {"name": "faulty"},
    "spec": {"platforms": {"web": {}}, "llm": {"baseUrl": "http://model/v1", "model": "m"}},
}


class Absent(Enum):
    """Stands for a field that is not there."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "absent"  # part of a test's name, which all test processes must agree on


ABSENT = Absent.ABSENT


@dataclass(frozen=True)
class Case:
    """Fields to set in the good manifest (dots separate steps), and the faults."""

    fields: dict[str, Any]
    faults: tuple[str, ...]

    def document(self, namespace: str = "default") -> Document:
        """The bad manifest."""
        document = copy.deepcopy(GOOD)
        document["metadata"]["namespace"] = namespace
        for path, value in self.fields.items():
            *steps, last = path.split(".")
            place = document
            for step in steps:
                place = place.setdefault(step, {})
            if value is ABSENT:
                del place[last]
            else:
                place[last] = value
        return document

    def __str__(self) -> str:
        return ",".join(f"{path}={str(value)[:24]}" for path, value in self.fields.items())


def _case(path: str, value: Any, *faults: str) -> Case:
    return Case({path: value}, faults)


def _type(path: str, value: Any, wanted: str, got: str, at: str | None = None) -> Case:
    at = at or path
    return _case(path, value, f'{at}: Invalid value: "{got}": {at} in body must be of type {wanted}: "{got}"')


def _least(path: str, value: float, least: float, at: str | None = None, root: Any = None) -> Case:
    at = at or path
    fault = f"{at}: Invalid value: {value}: {at} in body should be greater than or equal to {least}"
    return _case(path, value if root is None else root, fault)


def _most(path: str, value: float, most: float, at: str | None = None, root: Any = None) -> Case:
    at = at or path
    fault = f"{at}: Invalid value: {value}: {at} in body should be less than or equal to {most}"
    return _case(path, value if root is None else root, fault)


def _pattern(path: str, value: Any, shown: str, pattern: str, at: str | None = None) -> Case:
    at = at or path
    return _case(path, value, f"{at}: Invalid value: \"{shown}\": {at} in body should match '{pattern}'")


def _form(path: str, value: Any, shown: str, form: Form, at: str | None = None) -> Case:
    return _case(path, value, f'{at or path}: Invalid value: "{shown}": {form.message}')


def _unknown(path: str, value: Any = "x", at: str | None = None) -> Case:
    at = at or path
    return _case(path, value, f'{at}: unknown field "{at}"')


_REF = {"name": "a", "key": "b"}
_NAME = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_URL = r"^https?://[^\s/$.?#][^\s]*$"


def _persona(name: str) -> dict[str, str]:
    return {"name": name, "prompt": "Be kind."}


RULES = [
    _case(
        "metadata.name",
        "1shop",
        "metadata.name: Invalid value: must begin with a letter, such as shop1: Services of the bot are named after it",
    ),
    _case(
        "spec.personas",
        [{"name": f"p{number}", "prompt": "я" * 10_000} for number in range(40)],
        "spec.personas: Invalid value: the prompts of all personas together have 800000 bytes, and at most 786432 (768 KiB) fit into the ConfigMap of "
        "the bot: shorten them, or keep them in ConfigMaps of their own and name those by promptFrom",
    ),
    _case(
        "spec.platforms", {}, "spec.platforms: Invalid value: at least one platform is needed: telegram, discord or web"
    ),
    _case(
        "spec.platforms.web.enabled",
        False,
        "spec.platforms: Invalid value: at least one platform is needed: telegram, discord or web",
    ),
    _case("spec.llm.embedded", {}, "spec.llm: Invalid value: baseUrl and embedded must not both be set"),
    _case(
        "spec.safety",
        {"moderation": {"baseUrl": "https://api.example/v1", "input": False, "output": False}},
        "spec.safety.moderation: Invalid value: there is nothing to look at: input and output must not both be false",
    ),
    _case(
        "spec.llm",
        {"embedded": {"sha256": "a" * 64}},
        "spec.llm.embedded: Invalid value: sha256 is that of file: name the file too, or leave sha256 out",
    ),
    _case("spec.llm.model", ABSENT, "spec.llm: Invalid value: baseUrl needs the name of a model in model"),
    _case(
        "spec.llm",
        {"embedded": {}, "vision": True},
        "spec.llm: Invalid value: the embedded model sees no images: vision needs baseUrl",
    ),
    _case(
        "spec.llm.fallbacks",
        [{"baseUrl": "http://b/v1", "model": "b", "prices": {"input": 1, "output": 2}}],
        "spec.llm: Invalid value: prices of fallbacks and of transcription need those of the model itself: set prices too",
    ),
    _case(
        "spec.limits",
        {"costPerDay": 0.5},
        "spec.limits: Invalid value: costPerDay and costPerUserPerDay need prices: set llm.prices",
    ),
    _case(
        "spec.limits",
        {"costPerUserPerDay": 1},
        "spec.limits: Invalid value: costPerDay and costPerUserPerDay need prices: set llm.prices",
    ),
    _case(
        "spec.platforms.telegram",
        {"tokenSecretRef": _REF, "mode": "webhook"},
        "spec.platforms.telegram: Invalid value: mode webhook needs webhook.url and webhook.secretRef",
    ),
    _case(
        "spec.personas",
        [{"name": "a"}],
        "spec.personas[0]: Invalid value: exactly one of prompt and promptFrom must be set",
    ),
    _case(
        "spec.personas",
        [_persona("a"), _persona("b") | {"promptFrom": {"configMapKeyRef": _REF}}],
        "spec.personas[1]: Invalid value: exactly one of prompt and promptFrom must be set",
    ),
    _case(
        "spec.personas",
        [_persona("a"), _persona("a")],
        "spec.personas: Invalid value: names of personas must be unique",
    ),
    _case(
        "spec.defaultPersona",
        "nobody",
        "spec.defaultPersona: Invalid value: defaultPersona must be the name of one of personas",
    ),
    _case(
        "spec.workers",
        {"minReplicas": 5, "maxReplicas": 2},
        "spec.workers.minReplicas: Invalid value: minReplicas must not be greater than maxReplicas",
    ),
    _case(
        "spec.workers",
        {"replicas": 3},
        "spec.workers.replicas: Invalid value: replicas needs autoscaling: none; otherwise minReplicas and maxReplicas say"
        " how many",
    ),
    Case(
        {"spec.workers": {"maxReplicas": 0}, "spec.gateway": {"concurrency": 0}},
        (
            "spec: Invalid value: somebody has to answer: workers.maxReplicas and gateway.concurrency must not both be 0",
        ),
    ),
    Case(
        {
            "spec.llm.embedded": {},
            "spec.workers": {"minReplicas": 3, "maxReplicas": 2},
            "spec.personas": [_persona("a")] * 2,
        },
        (
            "spec.llm: Invalid value: baseUrl and embedded must not both be set",
            "spec.personas: Invalid value: names of personas must be unique",
            "spec.workers.minReplicas: Invalid value: minReplicas must not be greater than maxReplicas",
        ),
    ),
]

RULES.extend(
    _case(
        f"spec.access.{name}",
        ["telegram:user:5", "telegramm:user:5"],
        f"spec.access.{name}: Invalid value: telegramm:user:5 matches nobody: it must begin with telegram:, discord:, web: or a name of platforms.extra",
    )
    for name in ("allow", "deny", "administrators")
)
RULES.append(
    _case(
        "spec.platforms.extra",
        {"web": {}},
        "spec.platforms.extra: Invalid value: telegram, discord, web and terminal are no names of installed packages: switch them on beside extra",
    )
)

FIELDS = [
    # required
    _case("spec", ABSENT, "spec: Required value"),
    _case("spec.platforms", ABSENT, "spec.platforms: Required value"),
    _case("spec.platforms", ABSENT, "spec.platforms: Required value"),
    _case("spec.platforms.telegram", {}, "spec.platforms.telegram.tokenSecretRef: Required value"),
    _case("spec.platforms.discord", {"tokenSecretRef": {"name": "a"}}, "spec.platforms.discord.tokenSecretRef.key: Required value"),
    _case("spec.personas", [_persona("a"), {"prompt": "x"}], "spec.personas[1].name: Required value"),
    _case("spec.llm.fallbacks", [{"baseUrl": "http://b"}], "spec.llm.fallbacks[0].model: Required value"),
    _case("spec.limits.perUser", {"per": "1m"}, "spec.limits.perUser.messages: Required value"),
    _case("spec.store", {}, "spec.store.urlSecretRef: Required value"),
    # unknown
    _unknown("spec.platfroms"),
    _unknown("spec.platforms.irc", {}),
    _unknown("spec.answer_in", {}),
    _unknown("metadata.owner"),
    _unknown("spec.personas", [_persona("a"), _persona("b") | {"mood": {"a": 1}}], "spec.personas[1].mood"),
    _unknown("spec.gateway.resources.claims", []),
    _unknown("spec.podTemplate.nodeSelector", {}),
    Case(
        {"spec.llm.temperature": 1, "spec.suspendd": True},
        ('spec.llm.temperature: unknown field "spec.llm.temperature"', 'spec.suspendd: unknown field "spec.suspendd"'),
    ),
    # types
    _type("spec", "x", "object", "string"),
    _type("spec.platforms", [], "object", "array"),
    _type("spec.llm.baseUrl", 5, "string", "integer"),
    _type("spec.llm.timeoutSeconds", "60", "integer", "string"),
    _type("spec.llm.timeoutSeconds", True, "integer", "boolean"),
    _type("spec.llm.timeoutSeconds", 1.5, "integer", "number"),
    _type("spec.llm.parameters", {"temperature": "hot"}, "number", "string", "spec.llm.parameters.temperature"),
    _type("spec.llm.parameters", "x", "object", "string"),
    _type("spec.platforms.web.enabled", "yes", "boolean", "string"),
    _type("spec.context.summarize", 1, "boolean", "integer"),
    _type("spec.personas", {}, "array", "object"),
    _type("spec.personas", ["x"], "object", "string", "spec.personas[0]"),
    _type("spec.access.deny", [5], "string", "integer", "spec.access.deny[0]"),
    _type("spec.platforms.telegram", {"tokenSecretRef": "x"}, "object", "string", "spec.platforms.telegram.tokenSecretRef"),
    _type("spec.platforms.extra", {"irc": "x"}, "object", "string", "spec.platforms.extra.irc"),
    _type("spec.gateway.resources.requests", {"cpu": [1]}, "integer,string", "array", "spec.gateway.resources.requests.cpu"),
    _type("spec.gateway.resources.requests", {"int": 1.5}, "integer,string", "number", "spec.gateway.resources.requests.int"),
    _type("spec.podTemplate", {"spec": "x"}, "object", "string", "spec.podTemplate.spec"),
    _type("spec.podTemplate", {"metadata": {"labels": {"a": 1}}}, "string", "integer", "spec.podTemplate.metadata.labels.a"),
    # a null is no value
    _case("spec.platforms.telegram", {"tokenSecretRef": None}, "spec.platforms.telegram.tokenSecretRef: Required value"),
    # enums
    _case(
        "spec.platforms.telegram",
        {"tokenSecretRef": _REF, "mode": "push"},
        'spec.platforms.telegram.mode: Unsupported value: "push": supported values: "polling", "webhook"',
    ),
    _case("spec.customPersona", "maybe", 'spec.customPersona: Unsupported value: "maybe": supported values: "allowed", "forbidden"'),
    _case(
        "spec.answerIn.groups",
        "never",
        'spec.answerIn.groups: Unsupported value: "never": supported values: "always", "mentioned", "commands"',
    ),
    _case(
        "spec.privacy.redact",
        ["email", "name"],
        'spec.privacy.redact[1]: Unsupported value: "name": supported values: '
        '"email", "phone", "card", "iban", "ip", "passport", "taxid", "secret"',
    ),
    # bounds
    _least("spec.llm.timeoutSeconds", 0, 1),
    _most("spec.llm.timeoutSeconds", 3601, 3600),
    _least("spec.llm.contextWindow", 255, 256),
    _least("spec.llm.parameters", -0.5, 0, "spec.llm.parameters.temperature", {"temperature": -0.5}),
    _most("spec.llm.parameters", 2.5, 2, "spec.llm.parameters.temperature", {"temperature": 2.5}),
    _least("spec.context.maxMessages", -1, 0),
    _least("spec.limits.tokensPerDay", -1, 0),
    _most("spec.limits.tokensPerDay", 10**13, 10**12),
    _least("spec.limits.perChat", 0, 1, "spec.limits.perChat.messages", {"messages": 0}),
    _least("spec.gateway.replicas", 0, 1),
    _most("spec.gateway.replicas", 17, 16),
    _most("spec.workers.maxReplicas", 1001, 1000),
    _least("spec.workers.target.backlogPerReplica", 0, 1),
    Case(
        {"spec.gateway.replicas": 17, "spec.workers.concurrency": 0},
        (
            "spec.gateway.replicas: Invalid value: 17: spec.gateway.replicas in body should be less than or equal to 16",
            "spec.workers.concurrency: Invalid value: 0: spec.workers.concurrency in body should be greater than or equal to 1",
        ),
    ),
    # patterns
    _pattern("spec.llm.baseUrl", "ftp://x", "ftp://x", _URL),
    _form("spec.context.ttl", "1x", "1x", DURATION),
    _form("spec.privacy.retention", "0s", "0s", DURATION),
    _form("spec.privacy.retention", "24", "24", DURATION),
    _pattern("spec.personas", [{"name": "A!", "prompt": "x"}], "A!", _NAME, "spec.personas[0].name"),
    _pattern(
        "spec.platforms.discord",
        {"tokenSecretRef": {"name": "A B", "key": "b"}},
        "A B",
        "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        "spec.platforms.discord.tokenSecretRef.name",
    ),
    _pattern("spec.access.allow", ["telegram:user:1", "bob"], "bob", "^[a-z0-9-]+:[a-z]+:[A-Za-z0-9_-]+$", "spec.access.allow[1]"),
    _form("spec.gateway.resources.limits", {"cpu": "lots"}, "lots", QUANTITY, "spec.gateway.resources.limits[cpu]"),
    _form("spec.workers.resources.requests", {"memory": "512MB"}, "512MB", QUANTITY, "spec.workers.resources.requests[memory]"),
    *(
        _form("spec.access.deny", ["web:page:public", entry], entry, MATCHES_SOMEBODY, "spec.access.deny[1]")
        for entry in ("telegram:user:anna", "telegram:user:-5", "telegram:chat:0", "discord:server:1", "web:page:private", "discord:user:x1")
    ),
    *(
        _form("spec.llm.baseUrl", url, url, API_BASE)
        for url in ("https://a/v1/chat/completions", "http://a/models/", "https://api.openai.com", "https://a/v1?b=c", "https://a/v1#b")
    ),
    _form("spec.llm.fallbacks", [{"baseUrl": "https://a/v1/completions", "model": "m"}], "https://a/v1/completions", API_BASE, "spec.llm.fallbacks[0].baseUrl"),
    # lengths
    _case("spec.llm.model", "", 'spec.llm.model: Invalid value: "": spec.llm.model in body should be at least 1 chars long'),
    _case("spec.llm.model", "m" * 257, "spec.llm.model: Too long: may not be more than 256 bytes"),
    _case("spec.personas", [{"name": "a", "prompt": "x" * 20_001}], "spec.personas[0].prompt: Too long: may not be more than 20000 bytes"),
    _case("spec.personas", [], "spec.personas: Invalid value: 0: spec.personas in body should have at least 1 items"),
    _case("spec.personas", [_persona(f"p{i}") for i in range(51)], "spec.personas: Too many: 51: must have at most 50 items"),
    _case(
        "spec.platforms.extra", {f"p{i}": {} for i in range(17)}, "spec.platforms.extra: Too many: 17: must have at most 16 items"
    ),
    _case("metadata.name", "a" * 51, "metadata.name: Too long: may not be more than 50 bytes"),
]  # fmt: skip

CASES = RULES + FIELDS

ACCEPTED = [
    Case({"spec.safety": {"moderation": {"baseUrl": "https://api.example/v1", "output": False}}}, ()),
    Case({"spec.limits": {"perBot": {"messages": 100}, "mute": {"after": 0}}}, ()),
    # nulls stand for the default
    Case({"spec.suspend": None, "spec.answerIn": None, "spec.personas": None, "spec.platforms.telegram": None}, ()),
    Case(
        {
            "spec.platforms.extra": {"matrix": {}},
            "spec.access": {
                "allow": [
                    "telegram:user:5",
                    "telegram:chat:-1001234567890",
                    "discord:guild:2",
                    "discord:role:3",
                    "discord:channel:4",
                    "web:page:public",
                ],
                "deny": ["matrix:user:Anna", "terminal:user:gptbot"],
            },
        },
        (),
    ),
    Case(
        {"spec.llm": {"baseUrl": "https://generativelanguage.googleapis.com/v1beta/openai/", "model": "gemini-3"}}, ()
    ),
    Case({"spec.workers": {"maxReplicas": 0}}, ()),
    Case({"spec.workers": {"minReplicas": 0, "maxReplicas": 0}}, ()),
    Case({"spec.llm": {"embedded": {}}}, ()),
    Case({"spec.llm": ABSENT}, ()),
    Case({"spec.llm": ABSENT, "spec.limits": {"costPerDay": 5}}, ()),
    Case({"spec.llm.prices": {"input": 1, "output": 2.5, "currency": "EUR"}, "spec.limits": {"costPerDay": 5}}, ()),
    Case({"spec.limits": {"costPerDay": 0, "costPerUserPerDay": 0}}, ()),
    Case({"spec.llm": {"vision": True, "apiKeySecretRef": {"name": "mine", "key": "openai"}}}, ()),
    Case({"spec.llm.parameters": {"temperature": 1, "top_p": 0.5, "stop": ["a"], "logit_bias": {"5": None}}}, ()),
    Case({"spec.platforms": {"extra": {"irc": {"server": "irc.example", "ports": [1, 2]}}}}, ()),
    Case({"spec.gateway.resources": {"requests": {"cpu": 1, "memory": "1.5Gi"}, "limits": {"memory": "2e9"}}}, ()),
    Case({"spec.podTemplate": {"metadata": {"labels": {"team": "a"}}, "spec": {"nodeSelector": {"disk": "ssd"}}}}, ()),
    Case({"metadata.labels": {"team": "a"}, "metadata.annotations": {"note": "b"}}, ()),
]
