"""Typical bots. Their children are held as golden files in `tests/golden/expected`."""

from __future__ import annotations

from typing import Any

from gptbot_api import GptBot, parse
from gptbot_api.defaults import parse_defaults
from gptbot_api.references import references
from gptbot_api.store_rights import user_name
from gptbot_api.store_url import login_as
from gptbot_operator.desired.context import Context
from gptbot_operator.installation import effective, original_of
from gptbot_operator.settings import Settings

Spec = dict[str, Any]

OPENAI: Spec = {
    "baseUrl": "https://api.openai.com/v1",
    "model": "gpt-5-mini",
    "apiKeySecretRef": {"name": "keys", "key": "openai"},
}
TELEGRAM: Spec = {"tokenSecretRef": {"name": "keys", "key": "telegram"}}
DISCORD: Spec = {"tokenSecretRef": {"name": "keys", "key": "discord"}}

BOTS: dict[str, Spec] = {
    "telegram-only": {"platforms": {"telegram": TELEGRAM}, "llm": OPENAI},
    "discord-only": {"platforms": {"discord": DISCORD}, "llm": OPENAI},
    "telegram-webhook": {
        "platforms": {
            "telegram": TELEGRAM
            | {
                "mode": "webhook",
                "webhook": {"url": "https://bot.example/telegram", "secretRef": {"name": "hooks", "key": "telegram"}},
            }
        },
        "llm": OPENAI,
    },
    "all-platforms": {
        "platforms": {
            "telegram": TELEGRAM,
            "discord": DISCORD | {"messageContentIntent": True},
            "web": {"title": "Ask us"},
            "extra": {"irc": {"server": "irc.example", "passwordSecretRef": {"name": "irc", "key": "password"}}},
        },
        "llm": OPENAI | {"fallbacks": [{"baseUrl": "http://ollama:11434/v1", "model": "small"}]},
        "personas": [
            {"name": "consultant", "prompt": "You are a consultant in a home-appliance store."},
            {"name": "translator", "promptFrom": {"configMapKeyRef": {"name": "prompts", "key": "translator"}}},
        ],
    },
    "external-store": {
        "platforms": {"web": {}},
        "llm": OPENAI,
        "store": {"urlSecretRef": {"name": "store", "key": "url"}},
    },
    "suspend": {"platforms": {"web": {}}, "llm": OPENAI, "suspend": True},
    "pod-template": {
        "platforms": {"web": {}},
        "llm": OPENAI,
        "gateway": {"resources": {"requests": {"memory": "300Mi"}}},
        "workers": {"resources": {"requests": {"cpu": 1}, "limits": {"cpu": 2, "memory": "1Gi"}}},
        "podTemplate": {
            "metadata": {
                "labels": {"team": "store", "app.kubernetes.io/component": "mine"},
                "annotations": {"sidecar.example/inject": "true"},
            },
            "spec": {
                "nodeSelector": {"disk": "ssd"},
                "tolerations": [{"key": "bots", "operator": "Exists"}],
                "imagePullSecrets": [{"name": "registry"}],
                "securityContext": {"runAsUser": None},
                "containers": [
                    {
                        "name": "gptbot",
                        "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
                        "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
                    },
                    {"name": "proxy", "image": "proxy:1"},
                ],
                "volumes": [{"name": "cache", "emptyDir": {}}, {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
            },
        },
    },
    "no-workers": {"platforms": {"web": {}}, "llm": OPENAI, "workers": {"maxReplicas": 0}},
    "fixed-workers": {"platforms": {"web": {}}, "llm": OPENAI, "workers": {"minReplicas": 3, "maxReplicas": 3}},
    "cpu-autoscaling": {
        "platforms": {"web": {}},
        "llm": OPENAI,
        "gateway": {"replicas": 2, "concurrency": 0},
        "workers": {"minReplicas": 2, "maxReplicas": 40},
    },
    "own-autoscaling": {"platforms": {"web": {}}, "llm": OPENAI, "workers": {"autoscaling": "none"}},
    "scaled-by-hand": {"platforms": {"web": {}}, "llm": OPENAI, "workers": {"autoscaling": "none", "replicas": 4}},
    "scale-to-zero": {"platforms": {"web": {}}, "llm": OPENAI, "workers": {"minReplicas": 0, "maxReplicas": 5}},
    "embedded-model": {"platforms": {"web": {}}, "llm": {"embedded": {"parallel": 2}}},
    "defaults": {
        "platforms": {"telegram": TELEGRAM},
        "personas": [{"name": "consultant", "prompt": "You are a consultant."}],
        "limits": {"perChat": {"messages": 5}},
        "workers": {"resources": {"requests": {"memory": "96Mi"}}},
        "podTemplate": {"spec": {"priorityClassName": None, "nodeSelector": {"disk": "ssd"}}},
    },
    "role-pod-templates": {
        "platforms": {"web": {}},
        "llm": OPENAI,
        "podTemplate": {
            "spec": {
                "priorityClassName": "bots",
                "tolerations": [{"key": "bots", "operator": "Exists"}],
                "containers": [{"name": "gptbot", "env": [{"name": "TZ", "value": "UTC"}]}],
            }
        },
        "gateway": {
            "podTemplate": {
                "metadata": {"annotations": {"role": "gateway"}},
                "spec": {
                    "priorityClassName": "important",
                    "tolerations": [{"key": "spot", "operator": "Exists"}],
                    "topologySpreadConstraints": None,
                },
            }
        },
        "workers": {
            "podTemplate": {
                "spec": {
                    "nodeSelector": {"pool": "workers"},
                    "imagePullSecrets": [{"name": "registry"}],
                    "topologySpreadConstraints": [
                        {
                            "topologyKey": "topology.kubernetes.io/zone",
                            "whenUnsatisfiable": "ScheduleAnyway",
                            "maxSkew": 3,
                        }
                    ],
                    "containers": [
                        {"name": "gptbot", "image": "gptbot:next", "env": [{"name": "TZ", "value": "Europe/Berlin"}]}
                    ],
                }
            }
        },
    },
    "ingress": {
        "platforms": {"web": {}},
        "llm": OPENAI,
        "expose": {
            "host": "bot.example.com",
            "ingress": {
                "className": "nginx",
                "tlsSecretName": "bot-tls",
                "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"},
            },
        },
        "networkPolicy": {
            "webFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}],
            "egress": [{"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"port": 3128}]}],
        },
    },
    "httproute": {
        "platforms": {"web": {}},
        "llm": OPENAI,
        "expose": {
            "host": "bot.example.com",
            "route": {"parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}]},
        },
    },
    "network-policy-off": {"platforms": {"web": {}}, "llm": OPENAI, "networkPolicy": {"enabled": False}},
    "monitors": {
        "platforms": {"web": {}},
        "llm": OPENAI,
        "monitoring": {"interval": "15s", "labels": {"release": "prometheus"}},
    },
}
DEFAULTS: Spec = {
    "llm": OPENAI | {"contextWindow": 64000, "fallbacks": [{"baseUrl": "http://ollama:11434/v1", "model": "small"}]},
    "limits": {"perUser": {"messages": 10, "per": "5m"}, "perChat": {"messages": 30}, "tokensPerDay": 1000},
    "privacy": {"retention": "12h"},
    "workers": {"resources": {"requests": {"cpu": "200m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}},
    "podTemplate": {"spec": {"imagePullSecrets": [{"name": "registry"}], "priorityClassName": "bots"}},
}
"""Of the installation of the bot `defaults`; the others' has none."""


def bot(name: str, **changes: Any) -> GptBot:
    """A bot of the table, with some of its spec changed, and with the defaults of its installation."""
    made = parse(
        {
            "apiVersion": "gptbot.dev/v1alpha1",
            "kind": "GptBot",
            "metadata": {"name": name, "namespace": "store", "uid": "00000000-0000-0000-0000-000000000001"},
            "spec": {**BOTS[name], **changes},
        }
    )
    defaults = parse_defaults(DEFAULTS if name == "defaults" else {})
    return effective(made, Settings(image="gptbot:test", defaults=defaults))


def context(of: GptBot, **settings: Any) -> Context:
    """What an operator with a shared store and an embedded model adds to it, every Secret being there."""
    found = tuple(references(of))
    chosen: dict[str, Any] = {
        "store_url": "redis://:hunter2@valkey:6379/0",
        "model_url": "http://model:8000/v1",
    } | settings
    shared = chosen["store_url"] if of.spec.store is None else None
    key = f"{of.metadata.namespace}/{of.metadata.name}"
    return Context(
        settings=Settings(image="gptbot:test", **chosen),
        store_url=login_as(shared, user_name(key), "hunter2") if shared is not None else None,
        pepper="0123456789abcdef0123456789abcdef",
        own_store_url=None if of.spec.store is None else "rediss+sentinel://:hunter2@sentinel.redis.svc:26379/main/0",
        served=frozenset({"HTTPRoute", "PodMonitor"} if of.metadata.name in ("httproute", "monitors") else ()),
        references=found,
        copied={reference: "hunter3" for reference in found if original_of(of, reference)},
        digests={reference: f"digest of {reference.name}/{reference.key}" for reference in found},
    )
