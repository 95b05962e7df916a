"""What the doctor looks at, read once. Values of Secrets are never among it, only the names of their keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml

from kubectl_gptbot.doctor.named import Reference, references
from kubectl_gptbot.kubectl import BOT_LABEL, Document, Forbidden, Kubectl, NoSuchKind
from kubectl_gptbot.objects import name, status

T = TypeVar("T")

GROUP = "gptbot.dev"
VERSION = "v1alpha1"
_OPERATORS = "--selector=app.kubernetes.io/part-of=gptbot,app.kubernetes.io/component=operator"
_KEYS = '-o=go-template={{range $key, $value := .data}}{{$key}} {{len $value}}{{"\\n"}}{{end}}'


@dataclass(frozen=True, slots=True)
class Hidden:
    """The user may not see it."""


@dataclass(frozen=True, slots=True)
class NotServed:
    """The cluster does not know the kind."""


Seen = list[Document] | Hidden


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterScene:
    """The cluster around the bots."""

    versions: tuple[str, ...]
    """Versions of the GptBot API that are served, by discovery, which everybody may read."""
    definition: Document | Hidden | None = None
    """The CRD."""
    operators: Seen = field(default_factory=Hidden)
    """Deployments of operators in all namespaces."""

    @property
    def served(self) -> bool:
        """Whether there are GptBots that this program understands."""
        return VERSION in self.versions


@dataclass(frozen=True, slots=True, kw_only=True)
class BotScene:
    """One bot and what belongs to it."""

    bot: Document
    spec: Document
    """The effective one, from the bot's ConfigMap; else the bot's own."""
    keys: Mapping[tuple[str, str], frozenset[str] | Hidden | None] = field(default_factory=dict)
    """Kind and name of what the spec refers to, to the keys in it that are not empty. None: it is not there."""
    references: tuple[Reference, ...] = ()
    deployments: Seen = field(default_factory=list[Document])
    pods: Seen = field(default_factory=list[Document])
    autoscalers: Seen = field(default_factory=list[Document])
    services: Seen = field(default_factory=list[Document])
    endpoint_slices: Seen = field(default_factory=list[Document])
    network_policies: Seen = field(default_factory=list[Document])
    budgets: Seen = field(default_factory=list[Document])
    ingresses: Seen = field(default_factory=list[Document])
    routes: Seen | NotServed = field(default_factory=NotServed)
    """HTTPRoutes."""
    monitors: Seen | NotServed = field(default_factory=NotServed)
    """PodMonitors."""
    lease: Document | Hidden | None = None
    """Of the installation that serves the bot (`status.servedBy`). None: it is not there."""
    warnings: Seen = field(default_factory=list[Document])
    """Events of the namespace that warn."""

    @property
    def name(self) -> str:
        """The bot's name."""
        return name(self.bot)


def look_at_cluster(kubectl: Kubectl) -> ClusterScene:
    """Read what is around the bots. Raises ClusterError when the cluster does not answer at all."""
    with ThreadPoolExecutor() as pool:
        discovered = pool.submit(_versions, kubectl)
        definition = pool.submit(_unless_hidden, lambda: kubectl.get("crd", f"gptbots.{GROUP}"))
        operators = pool.submit(_unless_hidden, lambda: kubectl.items("deployments", "--all-namespaces", _OPERATORS))
    return ClusterScene(
        versions=discovered.result(), definition=definition.result(), operators=operators.result()
    )  # fmt: skip


def _versions(kubectl: Kubectl) -> tuple[str, ...]:
    answer = yaml.safe_load(kubectl.run("get", "--raw", "/apis"))
    groups = {each["name"]: each for each in answer["groups"]}
    return tuple(each["version"] for each in groups.get(GROUP, {}).get("versions", ()))


def look_at_bot(kubectl: Kubectl, bot: Document) -> BotScene:
    """Read a bot's children and what it refers to, in its namespace alone. Raises ClusterError."""
    here = Kubectl(bot["metadata"]["namespace"], kubectl.context, kubectl.kubeconfig)
    own = f"--selector={BOT_LABEL}={name(bot)}"
    wanted = {
        "deployments": ("deployments", own),
        "pods": ("pods", own),
        "autoscalers": ("horizontalpodautoscalers.v2.autoscaling", own),
        "services": ("services", own),
        "endpoint_slices": (
            "endpointslices.discovery.k8s.io",
            f"--selector=kubernetes.io/service-name={name(bot)}-web",
        ),
        "network_policies": ("networkpolicies.v1.networking.k8s.io", own),
        "budgets": ("poddisruptionbudgets.v1.policy", own),
        "ingresses": ("ingresses.v1.networking.k8s.io", own),
        "routes": ("httproutes.v1.gateway.networking.k8s.io", own),
        "monitors": ("podmonitors.v1.monitoring.coreos.com", own),
        "warnings": ("events", "--field-selector=type=Warning"),
    }
    spec = _effective(here, bot)
    found = references(spec)
    with ThreadPoolExecutor() as pool:
        lists = {
            part: pool.submit(_unless_hidden, lambda arguments=arguments: _items(here, *arguments))
            for part, arguments in wanted.items()
        }
        keys = {
            each: pool.submit(_unless_hidden, lambda each=each: _keys(here, *each))
            for each in {(reference.kind, reference.name) for reference in found}
        }
        lease = pool.submit(_unless_hidden, lambda: _lease(kubectl, bot))
        seen: dict[str, Any] = {part: each.result() for part, each in lists.items()} | {"lease": lease.result()}
    return BotScene(
        bot=bot, spec=spec, references=tuple(found), keys={each: part.result() for each, part in keys.items()}, **seen
    )


def _lease(kubectl: Kubectl, bot: Document) -> Document | None:
    namespace, _, lease = str(status(bot).get("servedBy") or "").partition("/")
    return Kubectl(namespace, kubectl.context, kubectl.kubeconfig).get("lease", lease) if lease else None


def _items(kubectl: Kubectl, *arguments: str) -> list[Document] | NotServed:
    try:
        return kubectl.items(*arguments)
    except NoSuchKind:
        return NotServed()


def _effective(kubectl: Kubectl, bot: Document) -> Document:
    config = _unless_hidden(lambda: kubectl.get("configmap", f"{name(bot)}-gptbot"))
    text = "" if config is None or isinstance(config, Hidden) else (config.get("data") or {}).get("bot.yaml", "")
    try:
        document: Any = yaml.safe_load(text)
        return document["spec"]
    except (yaml.YAMLError, TypeError, KeyError):
        return bot.get("spec") or {}


def _keys(kubectl: Kubectl, kind: str, wanted: str) -> frozenset[str] | None:
    try:
        lines = kubectl.run("get", kind.lower(), wanted, _KEYS).splitlines()
    except NoSuchKind:  # which is how kubectl calls an object that is not there
        return None
    return frozenset(key for key, _, length in (line.partition(" ") for line in lines) if length != "0")


def _unless_hidden(look: Callable[[], T]) -> T | Hidden:
    try:
        return look()
    except Forbidden:
        return Hidden()
