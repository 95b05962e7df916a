"""A GptBot in the cluster, as a test sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.controlplane.client import Client, Document
from tests.controlplane.plane import wait_for

CHILDREN = (
    "ConfigMap", "Secret", "ServiceAccount", "Deployment", "HorizontalPodAutoscaler", "Service", "NetworkPolicy",
    "PodDisruptionBudget", "Ingress", "HTTPRoute", "PodMonitor",
)  # fmt: skip
HASH = "gptbot.dev/config-hash"


@dataclass(frozen=True)
class Bot:
    """One GptBot and what the operator made of it."""

    api: Client
    namespace: str
    name: str

    def create(self, **spec: Any) -> None:
        """Create it: a web page and an endpoint, unless the spec says otherwise."""
        defaults = {"platforms": {"web": {}}, "llm": {"baseUrl": "http://model/v1", "model": "m"}}
        self.api.create(
            {
                "apiVersion": "gptbot.dev/v1alpha1",
                "kind": "GptBot",
                "metadata": {"name": self.name, "namespace": self.namespace},
                "spec": defaults | spec,
            }
        )

    def edit(self, **spec: Any) -> None:
        """Merge-patch its spec."""
        self.api.patch("GptBot", self.namespace, self.name, {"spec": spec})

    def secret(self, name: str, **values: str) -> None:
        """Create or change a Secret of the user's."""
        if self.api.get("Secret", self.namespace, name) is None:
            metadata = {"name": name, "namespace": self.namespace}
            self.api.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values})
        else:
            self.api.patch("Secret", self.namespace, name, {"stringData": values})

    @property
    def document(self) -> Document:
        """The object."""
        found = self.api.get("GptBot", self.namespace, self.name)
        assert found is not None
        return found

    def child(self, kind: str, suffix: str) -> Document | None:
        """A child by the end of its name, or None."""
        return self.api.get(kind, self.namespace, f"{self.name}-{suffix}")

    def the(self, kind: str, suffix: str) -> Document:
        """A child by the end of its name, once it is there."""
        return wait_for(lambda: self.child(kind, suffix), f"{kind} {self.name}-{suffix}")

    def children(self) -> dict[str, Document]:
        """All children, by kind and name."""
        return {
            f"{item['kind']} {item['metadata']['name']}": item
            for kind in CHILDREN
            for item in self.api.list(kind, self.namespace)
            if (item["metadata"].get("labels") or {}).get("gptbot.dev/bot") == self.name
        }

    def conditions(self) -> dict[str, tuple[str, str, str]]:
        """Condition to status, reason and message."""
        status = self.document.get("status") or {}
        return {c["type"]: (c["status"], c["reason"], c["message"]) for c in status.get("conditions", [])}

    def wait_condition(self, name: str, status: str, reason: str | None = None) -> str:
        """Wait until a condition is so; its message."""

        def so() -> bool:
            seen = self.conditions().get(name)
            return seen is not None and seen[0] == status and reason in (None, seen[1])

        try:
            wait_for(so, "condition")
        except AssertionError:
            raise AssertionError(f"{name} is not {status} {reason or ''} but {self.conditions()}") from None
        return self.conditions()[name][2]

    def wait_settled(self) -> None:
        """Wait until the operator and the Deployment controller have seen all there is."""

        def settled() -> bool:
            bot = self.document
            seen = (bot.get("status") or {}).get("observedGeneration") == bot["metadata"]["generation"]
            deployments = self.api.list("Deployment", self.namespace)
            return seen and all(
                d["status"].get("observedGeneration") == d["metadata"]["generation"] for d in deployments
            )

        wait_for(settled, f"{self.name} settles")

    def hashes(self) -> tuple[str, str]:
        """The configuration hashes of gateway and workers."""
        gateway, worker = (
            self.the("Deployment", suffix)["spec"]["template"]["metadata"]["annotations"][HASH]
            for suffix in ("gateway", "worker")
        )
        return gateway, worker

    def replicas(self) -> int:
        """Workers wanted."""
        return self.the("Deployment", "worker")["spec"]["replicas"]

    def run_pods(self) -> None:
        """Do what a kubelet would: all pods run and are ready."""

        def ready() -> bool:
            for pod in self.api.list("Pod", self.namespace):
                status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
                name = pod["metadata"]["name"]  # a rollout may have replaced it since it was listed
                self.api.patch_if_there("Pod", self.namespace, name, {"status": status}, subresource="status")
            return all(_rolled_out(d) for d in self.api.list("Deployment", self.namespace))

        wait_for(ready, "pods run")


def _rolled_out(deployment: Document) -> bool:
    """Whether all pods are of the newest template and no older one is left."""
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    return counts == {wanted} and status.get("observedGeneration") == deployment["metadata"]["generation"]
