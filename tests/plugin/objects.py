"""Objects as a cluster gives them, cut down to what is read and what stands around it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kubectl_gptbot.doctor.scene import BotScene

Document = dict[str, Any]
BOT, SPACE = "shop", "shops"


def _meta(name: str, component: str) -> Document:
    labels = {
        "app.kubernetes.io/name": "gptbot", "app.kubernetes.io/instance": BOT,
        "app.kubernetes.io/component": component, "gptbot.dev/bot": BOT,
    }  # fmt: skip
    return {
        "name": name, "namespace": SPACE, "uid": f"uid-{name}", "generation": 1, "labels": labels,
        "creationTimestamp": "2026-11-01T10:00:00Z",
    }  # fmt: skip


def condition(kind: str, status: str, reason: str = "", message: str = "") -> Document:
    return {
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-11-01T10:00:05Z",
    }  # fmt: skip


def bot(*conditions: Document, spec: Document | None = None, **status: Any) -> Document:
    return {
        "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": _meta(BOT, "") | {"generation": 3},
        "spec": spec or {"platforms": {"web": {"enabled": True, "title": ""}}},
        "status": {"observedGeneration": 3, "conditions": list(conditions), **status},
    }  # fmt: skip


def deployment(component: str, *conditions: Document, replicas: int = 1, available: int = 1) -> Document:
    counts = {f"{name}Replicas": available for name in ("available", "ready", "updated")} if available else {}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": _meta(f"{BOT}-{component}", component),
        "spec": {"replicas": replicas},
        "status": {"observedGeneration": 1, "replicas": replicas, **counts, "conditions": list(conditions)},
    }  # fmt: skip


def pod(*containers: Document, component: str = "gateway", phase: str = "Running", **fields: Any) -> Document:
    up = all(each["ready"] for each in containers) and bool(containers)
    conditions = fields.pop("conditions", [condition("Ready", "True" if up else "False")])
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": _meta(f"{BOT}-{component}-abc", component) | fields,
        "spec": {"containers": [{"name": "gptbot", "image": "gptbot:dev"}]},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": list(containers)},
    }  # fmt: skip


def container(state: Document, *, ready: bool = False, restarts: int = 0, last: Document | None = None) -> Document:
    return {
        "name": "gptbot", "image": "gptbot:dev", "imageID": "", "ready": ready, "restartCount": restarts,
        "state": state, "lastState": {"terminated": last} if last else {}, "started": ready,
    }  # fmt: skip


RUNNING = {"running": {"startedAt": "2026-11-01T10:00:02Z"}}


def waiting(reason: str, message: str = "") -> Document:
    return {"waiting": {"reason": reason, "message": message}}


def ended(reason: str, code: int, message: str = "") -> Document:
    return {
        "reason": reason, "exitCode": code, "startedAt": "2026-11-01T10:00:02Z",
        "finishedAt": "2026-11-01T10:00:09Z", **({"message": message} if message else {}),
    }  # fmt: skip


def autoscaler(*conditions: Document) -> Document:
    return {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": _meta(f"{BOT}-worker", "worker"),
        "spec": {"minReplicas": 1, "maxReplicas": 10}, "status": {"conditions": list(conditions)},
    }  # fmt: skip


def service() -> Document:
    return {"apiVersion": "v1", "kind": "Service", "metadata": _meta(f"{BOT}-web", "web"), "spec": {}}


def endpoints(*ready: bool) -> Document:
    return {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": f"{BOT}-web-x", "labels": {"kubernetes.io/service-name": f"{BOT}-web"}},
        "endpoints": [{"addresses": [f"10.0.0.{i}"], "conditions": {"ready": each}} for i, each in enumerate(ready)],
    }  # fmt: skip


def other(kind: str, name: str, component: str, **parts: Any) -> Document:
    """Another child of the bot."""
    return {"kind": kind, "metadata": _meta(f"{BOT}-{name}", component), **parts}


def warning(about: Document, message: str, at: str = "2026-11-01T10:01:00Z") -> Document:
    metadata = about["metadata"]
    return {
        "type": "Warning", "reason": "FailedMount", "message": message, "lastTimestamp": at, "eventTime": None,
        "metadata": {"name": f"e-{at}", "namespace": SPACE},
        "involvedObject": {"kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]},
    }  # fmt: skip


def operator(available: int, replicas: int = 1, *conditions: Document) -> Document:
    return {
        "metadata": {"name": "gptbot-operator", "namespace": "gptbot"},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"image": "gptbot-operator:dev"}]}}},
        "status": ({"availableReplicas": available} if available else {}) | {"conditions": list(conditions)},
    }


def installation(lease: str, namespaces: str = "") -> Document:
    """A Deployment of an operator that serves these namespaces, separated by commas."""
    env = [{"name": "GPTBOT_LEASE", "value": lease}, {"name": "GPTBOT_NAMESPACES", "value": namespaces}]
    made = operator(1)
    made["spec"]["template"]["spec"]["containers"][0]["env"] = env
    return made


def lease(**spec: Any) -> Document:
    """A Lease that is not old however long the tests take, unless the spec says otherwise."""
    now = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"kind": "Lease", "spec": {"holderIdentity": "pod", "leaseDurationSeconds": 15, "renewTime": now, **spec}}


def scene(seen: Document | None = None, **parts: Any) -> BotScene:
    """A scene of a bot, with nothing else in it but what is given."""
    of = seen or bot()
    return BotScene(bot=of, **({"spec": of["spec"]} | parts))
