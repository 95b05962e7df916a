"""What a tenant may try, and what a restricted installation lets through: for the rules and the API server."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]

NAMESPACE = "shop"
VALUES = "restricted"
"""Set of values (tests/chart/rendering.py) of the installation that the cases are about."""
REF = {"name": "keys", "key": "key"}
GOOD: Spec = {"platforms": {"web": {}}, "llm": {"baseUrl": "https://api.openai.com/v1", "model": "m"}}
ADDRESSES: dict[str, tuple[str, Any]] = {
    "spec.llm.baseUrl": ("llm", {"baseUrl": "URL", "model": "m", "apiKeySecretRef": REF}),
    "spec.llm.fallbacks[0].baseUrl": ("llm.fallbacks", [{"baseUrl": "URL", "model": "m", "apiKeySecretRef": REF}]),
    "spec.llm.transcription.baseUrl": ("llm.transcription", {"baseUrl": "URL", "model": "m", "apiKeySecretRef": REF}),
    "spec.safety.moderation.baseUrl": ("safety.moderation", {"baseUrl": "URL", "apiKeySecretRef": REF}),
    "spec.platforms.discord.apiBaseUrl": ("platforms.discord", {"apiBaseUrl": "URL", "tokenSecretRef": REF}),
    "spec.platforms.telegram.apiBaseUrl": ("platforms.telegram", {"apiBaseUrl": "URL", "tokenSecretRef": REF}),
    "spec.platforms.telegram.webhook.url": (
        "platforms.telegram", {"tokenSecretRef": REF, "webhook": {"url": "URL", "secretRef": REF}},
    ),
    "spec.platforms.web.access.oidc.issuer": (
        "platforms.web.access", {"mode": "oidc", "oidc": {"issuer": "URL", "clientId": "c", "clientSecretRef": REF}},
    ),
    "spec.platforms.web.access.token.keysUrl": (
        "platforms.web.access", {"mode": "token", "token": {"issuer": "i", "audience": "a", "keysUrl": "URL"}},
    ),
}  # fmt: skip
"""Path of each field that names whom a bot talks to, and how to set it."""

FAR_URLS = (
    "https://evil.example/v1",
    "https://api.openai.com@evil.example/v1",
    "https://api.openai.com:443@evil.example/v1",
    "https://user:password@api.openai.com/v1",
    "https://api.openai.com.evil.example/v1",
    "https://api.openai.com..evil.example/v1",
    "https://evilapi.openai.com/v1",
    "https://api.openai.com\\.evil.example/v1",
    "https://api.openai.com%2eevil.example/v1",
    "https://api.openai.com%40evil.example/v1",
    "https://аpi.openai.com/v1",
    "https://api.openai。com/v1",
    "https://\u212aelvin.models.example/v1",
    "https://models.example/v1",
    "https://evilmodels.example/v1",
    "https://-.models.example/v1",
    "https://10.1.2.3/v1",
    "https://10.1.2.3:8444/v1",
    "https://0x0a010203:8443/v1",
    "https://167838211:8443/v1",
    "http://169.254.169.254/latest",
    "http://[fd00::1]/v1",
    "http://[fd00::2]:443/v1",
    "http://[::ffff:10.1.2.3]:8443/v1",
    "http://localhost:8080/v1",
    "http://model/v1",
    "http://model.shop/v1",
    "http://model.other.svc/v1",
    "http://a.b.shop.svc/v1",
    "http://model.shop.svc.evil.example/v1",
    "http://shop.svc/v1",
    "http://kubernetes.default.svc.cluster.local/v1",
    "http://default.example/v1",
    "https://default.example:8443/v1",
    "http://api.telegram.org/v1",
    "http://demo-gptbot-model.bots.svc:9090/v1",
)
STORED_URLS = ("https://evil.example#.api.openai.com/v1", "https://evil.example?api.openai.com/v1")
"""The API server takes no such address any more, but may have taken it before."""
NEAR_URLS = (
    "https://api.openai.com/v1",
    "HTTPS://api.openai.com/v1".lower(),
    "https://API.OpenAI.com/v1",
    "https://api.openai.com./v1",
    "https://api.openai.com:8443/v1",
    "https://a.models.example/v1",
    "https://a.b.MODELS.example:1/v1",
    "https://10.1.2.3:8443/v1",
    "https://[fd00::1]/v1",
    "http://[fd00::1]:443/v1",
    "https://default.example/v1",
    "https://default.example:443/v1",
    "https://api.telegram.org",
    "http://model.shop.svc/v1",
    "http://model.shop.svc.cluster.local:8000/v1",
    "http://demo-gptbot-model.bots.svc:8000/v1",
)


@dataclass(frozen=True)
class Case:
    """A field of the spec (dots separate steps) with a value, and the path of the fault."""

    field: str
    value: Any
    fault: str = ""
    at_once: bool = True
    """Whether the API server says it too, and not the operator alone."""

    def spec(self) -> Spec:
        """A good spec but for that."""
        spec = copy.deepcopy(GOOD)
        *steps, last = self.field.split(".")
        place = spec
        for step in steps:
            place = place.setdefault(step, {})
        place[last] = copy.deepcopy(self.value)
        return spec

    def __str__(self) -> str:
        return f"{self.field}={str(self.value)[:70]}".encode("ascii", "backslashreplace").decode()


def address(path: str, url: str, *, refused: bool) -> Case:
    """The field at a path with a URL."""
    field, value = ADDRESSES[path]
    return Case(field, with_url(value, url), path if refused else "")


def with_url(node: Any, url: str) -> Any:
    """Plain data with a URL where it says `URL`."""
    if isinstance(node, dict):
        return {name: with_url(value, url) for name, value in node.items()}
    if isinstance(node, list):
        return [with_url(item, url) for item in node]
    return url if node == "URL" else node


def _pod(field: str, value: Any, at: str = "") -> Case:
    return Case("podTemplate.spec", {field: value}, f"spec.podTemplate.spec.{field}{at}")


def _container(field: str, value: Any, at: str = "") -> Case:
    return _pod("containers", [{"name": "gptbot", field: value}], f"[0].{field}{at}")


def _context(field: str, value: Any) -> list[Case]:
    return [
        _pod("securityContext", {field: value}, f".{field}"),
        _container("securityContext", {field: value}, f".{field}"),
    ]


POD_REFUSED = [
    _pod("hostPID", True),
    _pod("hostIPC", True),
    _pod("hostNetwork", True),
    _pod("hostUsers", True),
    _pod("shareProcessNamespace", True),
    _pod("initContainers", [{"name": "root", "image": "busybox", "securityContext": {"runAsUser": 0}}]),
    _pod("ephemeralContainers", [{"name": "debug", "image": "busybox"}]),
    _pod("volumes", [{"name": "host", "hostPath": {"path": "/"}}]),
    _pod("volumes", [{"name": "other", "secret": {"secretName": "others"}}]),
    _pod("volumes", [{"name": "refs", "projected": {"sources": [{"secret": {"name": "others"}}]}}]),
    _pod("volumes", [{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]),
    _pod("serviceAccountName", "operator"),
    _pod("serviceAccount", "operator"),
    _pod("automountServiceAccountToken", True),
    _pod("nodeName", "node-1"),
    _pod("hostAliases", [{"ip": "6.6.6.6", "hostnames": ["api.openai.com"]}]),
    _pod("dnsConfig", {"nameservers": ["6.6.6.6"]}),
    _pod("dnsPolicy", "Default"),
    _pod("imagePullSecrets", [{"name": "others"}]),
    _pod("runtimeClassName", "weak"),
    _pod("schedulerName", "mine"),
    _pod("hostname", "x"),
    _pod("enableServiceLinks", True),
    _pod("resourceClaims", [{"name": "gpu"}]),
    _pod("priorityClassName", "system-node-critical"),
    _pod("containers", [{"name": "side", "image": "evil"}], "[0]"),
    _pod("containers", [{"image": "evil"}], "[0]"),
    _pod("containers", ["gptbot"], "[0]"),
    _pod("containers", {"gptbot": {}}),
    _pod("containers", None),
    _pod("securityContext", None),
    _pod("securityContext", "none"),
    _container("image", "evil"),
    _container("command", ["sh"]),
    _container("args", ["run"]),
    _container("env", [{"name": "HTTPS_PROXY", "value": "http://evil.example"}]),
    _container("env", [{"name": "K", "valueFrom": {"secretKeyRef": {"name": "others", "key": "k"}}}]),
    _container("envFrom", [{"secretRef": {"name": "others"}}]),
    _container("ports", [{"containerPort": 80, "hostPort": 80}]),
    _container("volumeMounts", [{"name": "tmp", "mountPath": "/etc"}]),
    _container("volumeDevices", [{"name": "tmp", "devicePath": "/dev/sda"}]),
    _container("lifecycle", {"preStop": {"exec": {"command": ["sh"]}}}),
    _container("livenessProbe", {"exec": {"command": ["sh"]}}),
    _container("readinessProbe", {"httpGet": {"host": "169.254.169.254", "port": 80}}),
    _container("imagePullPolicy", "Always"),
    _container("workingDir", "/tmp"),
    _container("stdin", True),
    _container("resources", {"claims": [{"name": "gpu"}]}, ".claims"),
    _container("resources", None),
    _container("securityContext", None),
    *_context("privileged", True),
    *_context("privileged", "false"),
    *_context("allowPrivilegeEscalation", True),
    *_context("allowPrivilegeEscalation", None),
    *_context("runAsNonRoot", False),
    *_context("runAsNonRoot", None),
    *_context("runAsUser", 0),
    *_context("runAsUser", "0"),
    *_context("runAsUser", None),
    *_context("capabilities", {"add": ["SYS_ADMIN"]}),
    *_context("capabilities", {"add": ["NET_BIND_SERVICE", "NET_RAW"]}),
    *_context("capabilities", {"drop": []}),
    *_context("capabilities", {"drop": ["NET_RAW"]}),
    *_context("capabilities", None),
    *_context("procMount", "Unmasked"),
    *_context("seccompProfile", {"type": "Unconfined"}),
    *_context("seccompProfile", {"localhostProfile": "mine"}),
    *_context("seccompProfile", None),
    *_context("appArmorProfile", {"type": "Unconfined"}),
    *_context("seLinuxOptions", {"type": "spc_t"}),
    *_context("seLinuxOptions", {"user": "system_u"}),
    *_context("sysctls", [{"name": "kernel.msgmax", "value": "1"}]),
    *_context("windowsOptions", {"hostProcess": True}),
    Case("gateway.podTemplate", {"spec": {"hostPID": True}}, "spec.gateway.podTemplate.spec.hostPID"),
    Case("workers.podTemplate", {"spec": {"hostPID": True}}, "spec.workers.podTemplate.spec.hostPID"),
    Case("podTemplate.metadata", {"labels": {"teams": "a"}}, "spec.podTemplate.metadata.labels[teams]"),
    Case("podTemplate.metadata", {"labels": {"a.example/a": "a"}}, "spec.podTemplate.metadata.labels[a.example/a]"),
    Case(
        "podTemplate.metadata",
        {"annotations": {"sidecar.istio.io/proxyImage": "evil"}},
        "spec.podTemplate.metadata.annotations[sidecar.istio.io/proxyImage]",
    ),
    Case(
        "workers.podTemplate.metadata",
        {"annotations": {"gptbot.dev/config-hash": "same"}},
        "spec.workers.podTemplate.metadata.annotations[gptbot.dev/config-hash]",
    ),
]  # fmt: skip
"""All that makes more of a pod than a bot."""

_HTML = {"nginx.ingress.kubernetes.io/configuration-snippet": "x"}
_RULE = "spec.networkPolicy.egress[0].to"


def _ingress(**fields: Any) -> dict[str, Any]:
    return {"host": "a.bots.example", "ingress": fields}


def _egress(rule: Any, at: str = "[0]") -> Case:
    return Case("networkPolicy", {"egress": [rule]}, f"{_RULE}{at}")


def _namespace(**selector: Any) -> Any:
    return {"to": [{"namespaceSelector": selector}]}


_NAME = "kubernetes.io/metadata.name"
NETWORK_REFUSED = [
    Case("expose", _ingress(className="private"), "spec.expose.ingress.className"),
    Case("expose", _ingress(annotations=_HTML), f"spec.expose.ingress.annotations[{next(iter(_HTML))}]"),
    Case(
        "expose",
        _ingress(annotations={"kubernetes.io/ingress.class": "public"}),
        "spec.expose.ingress.annotations[kubernetes.io/ingress.class]",
    ),
    Case(
        "expose",
        {"host": "a.bots.example", "route": {"parentRefs": [{"name": "g"}], "annotations": {"a": "b"}}},
        "spec.expose.route.annotations[a]",
    ),
    Case("expose", {"host": "bots.example", "ingress": {}}, "spec.expose.host"),
    Case("expose", {"host": "*.example", "ingress": {}}, "spec.expose.host"),
    Case("expose", {"host": "bank.example", "ingress": {}}, "spec.expose.host"),
    Case("networkPolicy", {"enabled": False}, "spec.networkPolicy.enabled"),
    _egress({"ports": [{"port": 22}]}, ""),
    _egress({"to": []}, ""),
    _egress({"to": None}, ""),
    _egress({"to": "all"}, ""),
    _egress({"to": [{}]}),
    _egress({"to": [{"podSelector": {}}, {"namespaceSelector": {}}]}, "[1]"),
    _egress(_namespace()),
    _egress(_namespace(matchLabels={_NAME: "kube-system"})),
    _egress(_namespace(matchLabels={_NAME: []})),
    _egress(_namespace(matchLabels={_NAME: {}})),
    _egress(_namespace(matchLabels={_NAME: "monitoring", "a": "b"})),
    _egress(_namespace(matchLabels={"team": "monitoring"})),
    _egress(_namespace(matchLabels={_NAME: "monitoring"}, matchExpressions=[])),
    _egress(_namespace(matchExpressions=[{"key": _NAME, "operator": "Exists"}])),
    Case("networkPolicy", {"egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}, f"{_RULE}[0]", at_once=False),
    Case("networkPolicy", {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}, f"{_RULE}[0]", at_once=False),
    Case("networkPolicy", {"egress": [{"to": [{"ipBlock": {"cidr": "::/0"}}]}]}, f"{_RULE}[0]", at_once=False),
    Case("networkPolicy", {"egress": [{"to": [{"ipBlock": {}}]}]}, f"{_RULE}[0]", at_once=False),
    Case("platforms.extra", {"irc": {}}, "spec.platforms.extra.irc"),
    Case(
        "platforms.extra",
        {"matrix": {"deep": [{"server": "https://evil.example"}]}},
        "spec.platforms.extra.matrix.deep[0].server",
        at_once=False,
    ),
]
"""Ways out of and into a bot's pods that are not meant."""

URLS_REFUSED = [address("spec.llm.baseUrl", url, refused=True) for url in FAR_URLS]
FIELDS_REFUSED = [address(path, "https://evil.example/v1", refused=True) for path in ADDRESSES]
REFUSED = POD_REFUSED + NETWORK_REFUSED + URLS_REFUSED + FIELDS_REFUSED

_PEER = {"podSelector": {"matchLabels": {"app": "proxy"}}}
ALLOWED = [
    *(address("spec.llm.baseUrl", url, refused=False) for url in NEAR_URLS),
    *(address(path, "https://api.openai.com/v1", refused=False) for path in ADDRESSES),
    Case("llm", {}),
    Case("llm", {"embedded": {}}),
    Case("about.source", "https://anywhere.example"),
    Case(
        "podTemplate",
        {
            "metadata": {"labels": {"team": "a", "example.com/cost": "1"}, "annotations": {"note": "n"}},
            "spec": {
                "affinity": {"nodeAffinity": {}},
                "nodeSelector": {"disk": "ssd"},
                "priorityClassName": "bots",
                "tolerations": [{"key": "bots", "operator": "Exists"}],
                "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}],
                "securityContext": {
                    "runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000, "runAsNonRoot": True,
                    "supplementalGroups": [5], "seccompProfile": {"type": "Localhost", "localhostProfile": "p"},
                    "seLinuxOptions": {"level": "s0", "type": "container_t"},
                },
                "containers": [
                    {
                        "name": "gptbot",
                        "resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": 1}},
                        "securityContext": {
                            "allowPrivilegeEscalation": False, "privileged": False, "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}, "procMount": "Default",
                            "appArmorProfile": {"type": "RuntimeDefault"},
                        },
                    }
                ],
            },
        },
    ),
    Case("podTemplate.spec", {"nodeSelector": None, "tolerations": None}),
    Case("gateway", {"resources": {"limits": {"memory": "1Gi"}}, "podTemplate": {"spec": {"containers": []}}}),
    Case("expose", _ingress(className="public", annotations={"cert-manager.io/cluster-issuer": "x"})),
    Case("expose", {"host": "a.b.bots.example", "route": {"parentRefs": [{"name": "g"}]}}),
    Case("networkPolicy", {"webFrom": [_PEER], "ingress": [{"ports": [{"port": 1}]}], "egress": [{"to": [_PEER]}]}),
    Case("networkPolicy", {"egress": [{"to": [{"ipBlock": {"cidr": "10.1.2.0/24"}}], "ports": [{"port": 1}]}]}),
    Case("networkPolicy", {"egress": [{"to": [{"ipBlock": {"cidr": "fd00:1::/32"}}]}]}),
    Case("networkPolicy", {"egress": [_namespace(matchLabels={_NAME: "monitoring"})]}),
    Case("networkPolicy", {"egress": [_namespace(matchLabels={_NAME: NAMESPACE})]}),
    Case("platforms.extra", {"matrix": {"server": "https://api.openai.com", "room": "#a"}}),
]  # fmt: skip
"""What stays possible."""
