"""A small client of the API server for tests that poll: kubectl would take a fifth of a second of CPU each time."""

from __future__ import annotations

import json
import ssl
import threading
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from typing import Any

Document = dict[str, Any]

_PATHS = {
    "EndpointSlice": ("apis/discovery.k8s.io/v1", "endpointslices"),
    "ConfigMap": ("api/v1", "configmaps"),
    "Secret": ("api/v1", "secrets"),
    "Service": ("api/v1", "services"),
    "ServiceAccount": ("api/v1", "serviceaccounts"),
    "Pod": ("api/v1", "pods"),
    "Deployment": ("apis/apps/v1", "deployments"),
    "ReplicaSet": ("apis/apps/v1", "replicasets"),
    "HorizontalPodAutoscaler": ("apis/autoscaling/v2", "horizontalpodautoscalers"),
    "PodDisruptionBudget": ("apis/policy/v1", "poddisruptionbudgets"),
    "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies"),
    "Ingress": ("apis/networking.k8s.io/v1", "ingresses"),
    "HTTPRoute": ("apis/gateway.networking.k8s.io/v1", "httproutes"),
    "PodMonitor": ("apis/monitoring.coreos.com/v1", "podmonitors"),
    "GptBot": ("apis/gptbot.dev/v1alpha1", "gptbots"),
    "Event": ("apis/events.k8s.io/v1", "events"),
}


class Client:
    """Requests as an administrator, over a connection that is kept: one a thread."""

    def __init__(self, url: str, token: str, authority: str) -> None:
        self._address = url.removeprefix("https://")
        self._token = token
        self._kept = threading.local()
        self._tls = ssl.create_default_context(cafile=authority)

    def get(self, kind: str, namespace: str, name: str) -> Document | None:
        """An object, or None."""
        return self._request("GET", self._path(kind, namespace, name))

    def list(self, kind: str, namespace: str) -> list[Document]:
        """All objects of a kind in a namespace."""
        found = self._request("GET", self._path(kind, namespace)) or {"items": []}  # a kind that the cluster has not
        return [item | {"kind": kind} for item in found["items"]]

    def create(self, document: Document) -> Document:
        """Create an object."""
        made = self._request("POST", self._path(document["kind"], document["metadata"]["namespace"]), document)
        assert made is not None
        return made

    def refusal(self, document: Document) -> str:
        """What is said against creating an object; empty when it could be. Nothing is created."""
        path = self._path(document["kind"], document["metadata"]["namespace"])
        try:
            self._request("POST", f"{path}?dryRun=All", document)
        except AssertionError as error:
            return str(error)
        return ""

    def refused(self, document: Document) -> Document | None:
        """The Status with which creating an object is refused, for unknown fields too; None when it could be."""
        path = self._path(document["kind"], document["metadata"]["namespace"])
        answer = self._send("POST", f"{path}?dryRun=All&fieldValidation=Strict", json.dumps(document).encode())
        status = json.loads(answer.read())
        return status if answer.status >= 400 else None

    def patch(self, kind: str, namespace: str, name: str, change: Document, *, subresource: str = "") -> Document:
        """Merge-patch an object that is there."""
        patched = self.patch_if_there(kind, namespace, name, change, subresource=subresource)
        assert patched is not None, f"{kind} {name} is not there"
        return patched

    def patch_if_there(
        self, kind: str, namespace: str, name: str, change: Document, *, subresource: str = ""
    ) -> Document | None:
        """Merge-patch an object; None when it is gone."""
        path = self._path(kind, namespace, name) + (f"/{subresource}" if subresource else "")
        return self._request("PATCH", path, change, "application/merge-patch+json")

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete an object."""
        self._request("DELETE", self._path(kind, namespace, name), {"propagationPolicy": "Background"})

    def create_namespace(self, name: str) -> None:
        """Create a namespace."""
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self._request("POST", "/api/v1/namespaces", document)

    def delete_namespace(self, name: str) -> None:
        """Delete a namespace; what is in it goes later."""
        self._request("DELETE", f"/api/v1/namespaces/{name}")

    def end(self, pod: str, namespace: str) -> None:
        """What a kubelet says when all of a pod's containers have ended."""
        self._request("DELETE", self._path("Pod", namespace, pod), {"gracePeriodSeconds": 0})

    def bind(self, pod: str, namespace: str) -> None:
        """What the scheduler does: from now on the pod ends when a kubelet says so."""
        target = {"apiVersion": "v1", "kind": "Node", "name": "somewhere"}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod}, "target": target}
        self._request("POST", f"{self._path('Pod', namespace, pod)}/binding", binding)

    @staticmethod
    def _path(kind: str, namespace: str, name: str = "") -> str:
        version, plural = _PATHS[kind]
        return f"/{version}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")

    def _request(
        self, method: str, path: str, body: Document | None = None, content_type: str = "application/json"
    ) -> Document | None:
        answer = self._send(method, path, None if body is None else json.dumps(body).encode(), content_type)
        said = answer.read()
        if answer.status == 404:
            return None
        if answer.status >= 400:
            raise AssertionError(f"{method} {path}: {answer.status} {said.decode()}")
        return json.loads(said)

    def _send(self, method: str, path: str, body: bytes | None, content_type: str = "application/json") -> HTTPResponse:
        """Send a request; once more over a new connection if the server has ended the one that was kept."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": content_type}
        kept: HTTPSConnection | None = getattr(self._kept, "connection", None)
        if kept is not None:
            try:
                kept.request(method, path, body, headers)
                return kept.getresponse()
            except (OSError, HTTPException):
                kept.close()
                self._kept.connection = None
        new = HTTPSConnection(self._address, context=self._tls, timeout=30)
        new.request(method, path, body, headers)
        answer = new.getresponse()
        self._kept.connection = new
        return answer
