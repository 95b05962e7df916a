"""Bad manifests of what is about the network, and good ones: what `faults.py` is for the rest."""
# ruff: noqa: E501 - a table

from __future__ import annotations

from tests.controlplane.faults import Case

_HOST = r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_TELEGRAM = {"tokenSecretRef": {"name": "a", "key": "b"}}
_EXPOSED = {"host": "bot.example.com", "ingress": {}}

_ISSUER = {"issuer": "https://id.example.com", "clientId": "page"}
_HOST_TOKEN = {"issuer": "https://shop.example.com", "audience": "bot"}

RULES = [
    Case(
        {"spec.expose": {"host": "bot.example.com"}}, ("spec.expose: Invalid value: expose needs ingress or route",)
    ),
    Case(
        {"spec.platforms": {"telegram": _TELEGRAM}, "spec.expose": _EXPOSED},
        ("spec.expose: Invalid value: there is nothing to expose: it needs platforms.web, a webhook, or a platform of an installed package",),
    ),
    Case(
        {"spec.platforms.web.access": {"mode": "open", "passwordSecretRef": {"name": "a", "key": "b"}}},
        ("spec.platforms.web.access: Invalid value: passwordSecretRef goes with mode password, which needs it",),
    ),
    Case(
        {"spec.platforms.web.access": {"mode": "oidc"}},
        ("spec.platforms.web.access: Invalid value: oidc goes with mode oidc, which needs it",),
    ),
    Case(
        {"spec.platforms.web.access": {"mode": "token"}},
        ("spec.platforms.web.access: Invalid value: token goes with mode token, which needs it",),
    ),
    Case(
        {"spec.platforms.web.access": {"mode": "token", "token": _HOST_TOKEN}},
        ("spec.platforms.web.access.token: Invalid value: exactly one of keysUrl, publicKeySecretRef and secretRef must be set",),
    ),
]  # fmt: skip

FIELDS = [
    Case(
        {"spec.platforms.web.access": {"passwordSecretRef": {"name": "a", "key": "b"}}},
        ("spec.platforms.web.access.mode: Required value",),
    ),
    Case(
        {"spec.platforms.web.hosts": ["*"]},
        (f"spec.platforms.web.hosts[0]: Invalid value: \"*\": spec.platforms.web.hosts[0] in body should match '{_HOST}'",),
    ),
    Case(
        {"spec.platforms.web.trustedProxies": 9},
        ("spec.platforms.web.trustedProxies: Invalid value: 9: spec.platforms.web.trustedProxies in body should be less than or equal to 8",),
    ),
    Case({"spec.expose": {"ingress": {}}}, ("spec.expose.host: Required value",)),
    Case(
        {"spec.expose": _EXPOSED | {"host": "https://bot"}},
        (f"spec.expose.host: Invalid value: \"https://bot\": spec.expose.host in body should match '{_HOST}'",),
    ),
    Case(
        {"spec.expose": {"host": "bot", "route": {"parentRefs": []}}},
        ("spec.expose.route.parentRefs: Invalid value: 0: spec.expose.route.parentRefs in body should have at least 1 items",),
    ),
    Case(
        {"spec.expose": {"host": "bot", "route": {"parentRefs": [{}]}}},
        ("spec.expose.route.parentRefs[0].name: Required value",),
    ),
    Case(
        {"spec.networkPolicy": {"egress": ["x"]}},
        ('spec.networkPolicy.egress[0]: Invalid value: "string": spec.networkPolicy.egress[0] in body must be of type object: "string"',),
    ),
    Case({"spec.monitoring": {"every": "1m"}}, ('spec.monitoring.every: unknown field "spec.monitoring.every"',)),
    Case(
        {"spec.workers": {"podTemplate": {"nodeSelector": {}}}},
        ('spec.workers.podTemplate.nodeSelector: unknown field "spec.workers.podTemplate.nodeSelector"',),
    ),
]  # fmt: skip

ACCEPTED = [
    Case(
        {
            "spec.platforms.web.access": {
                "mode": "oidc",
                "oidc": _ISSUER
                | {"allowedDomains": ["example.com"], "claims": [{"name": "groups", "values": ["support"]}]},
            }
        },
        (),
    ),
    Case(
        {
            "spec.platforms.web.access": {
                "mode": "token",
                "token": _HOST_TOKEN | {"keysUrl": "https://shop.example.com/keys"},
            }
        },
        (),
    ),
    Case(
        {
            "spec.platforms.web.access": {
                "mode": "password",
                "passwordSecretRef": {"name": "a", "key": "b"},
                "session": "1h",
            }
        },
        (),
    ),
    Case(
        {
            "spec.platforms.web": {
                "hosts": ["a.example.com", "*.example.org"],
                "trustedProxies": 0,
                "perAddress": {"sessions": 0},
            }
        },
        (),
    ),
    Case({"spec.expose": _EXPOSED | {"route": {"parentRefs": [{"name": "public", "sectionName": "https"}]}}}, ()),
    Case({"spec.networkPolicy": {"webFrom": [{"podSelector": {}}], "egress": [{"ports": [{"port": 1}]}]}}, ()),
    Case({"spec.monitoring": {"enabled": False}, "spec.networkPolicy": {"enabled": False}}, ()),
    Case({"spec.gateway": {"podTemplate": {"spec": {"tolerations": [{"operator": "Exists"}]}}}}, ()),
]
