"""The API server as plain dicts: the one place that touches the untyped Kubernetes client."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.dynamic import DynamicClient, Resource

from gptbot_api import API_VERSION, KIND
from gptbot_operator import metrics

Document = dict[str, Any]

FIELD_MANAGER = "gptbot-operator"
ABSENT = "1"
"""A version that no object has: the first write to an empty store makes version 2."""
_OF_KINDS = "x-kubernetes-group-version-kind"
_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
_IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount/token").exists()
_PLURALS = {
    ("v1", "ConfigMap"): "configmaps",
    ("v1", "Secret"): "secrets",
    ("v1", "Service"): "services",
    ("v1", "ServiceAccount"): "serviceaccounts",
    ("v1", "Pod"): "pods",
    ("apps/v1", "Deployment"): "deployments",
    ("autoscaling/v2", "HorizontalPodAutoscaler"): "horizontalpodautoscalers",
    ("policy/v1", "PodDisruptionBudget"): "poddisruptionbudgets",
    ("networking.k8s.io/v1", "NetworkPolicy"): "networkpolicies",
    ("networking.k8s.io/v1", "Ingress"): "ingresses",
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): "httproutes",
    ("monitoring.coreos.com/v1", "PodMonitor"): "podmonitors",
    ("events.k8s.io/v1", "Event"): "events",
    ("coordination.k8s.io/v1", "Lease"): "leases",
    (API_VERSION, KIND): "gptbots",
}


class ApiError(Exception):
    """The API server said no, or nothing. The text is its own message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status; 0: no answer."""


class Cluster:
    """The few requests the operator makes, each bounded in time. All raise ApiError."""

    def __init__(self, api: Any, identity: str = "") -> None:
        self._api = api
        self.identity = identity
        """Tells this cluster from others."""
        dynamic: Any = DynamicClient(api)  # without discovery: the kinds are known
        self._dynamic = dynamic
        self._resources: dict[str, Any] = {}
        for (api_version, kind), plural in _PLURALS.items():
            group, _, version = api_version.rpartition("/")
            self._resources[kind] = Resource(
                prefix="apis" if group else "api", group=group, api_version=version, kind=kind, namespaced=True,
                name=plural, client=dynamic,
                subresources={"status": {"kind": kind, "name": f"{plural}/status", "namespaced": True}},
            )  # fmt: skip

    @staticmethod
    @asynccontextmanager
    async def connect() -> AsyncGenerator[Cluster]:
        """The cluster the process runs in, else the current context of the kubeconfig."""
        settings: Any = client.Configuration()
        if _IN_CLUSTER:
            config.load_incluster_config(client_configuration=settings)
        else:
            await config.load_kube_config(client_configuration=settings)
        async with client.ApiClient(configuration=settings) as api:
            yield Cluster(api, _identity(settings))

    async def serves(self, kind: str) -> bool:
        """Whether the API server has a kind; the CRD of one may be missing."""
        resource = self._resources[kind]
        path = f"/{resource.prefix}/{resource.group_version}"
        found = await self._request("get", path, missing_ok=True)
        return found is not None and any(r.get("name") == resource.name for r in found.get("resources", []))

    async def schema(self, kind: str) -> Document | None:
        """What an object of a kind is made of, with defaults (OpenAPI v3): the CRD's schema, for all who may log in."""
        resource = self._resources[kind]
        found = await self._request("get", f"/openapi/v3/apis/{resource.group_version}", missing_ok=True)
        wanted = {"group": resource.group, "version": resource.api_version.rpartition("/")[2], "kind": kind}
        schemas: Document = ((found or {}).get("components") or {}).get("schemas") or {}
        return next((each for each in schemas.values() if wanted in each.get(_OF_KINDS, [])), None)

    async def get(self, kind: str, namespace: str, name: str) -> Document | None:
        """The object, or None when it is not there."""
        path = self._resources[kind].path(name=name, namespace=namespace)
        return await self._request("get", path, missing_ok=True)

    async def list(self, kind: str, namespace: str, labels: Mapping[str, str]) -> list[Document]:
        """The objects with these labels, as the API server remembers them, which may be a moment ago.

        Asked without a version, it makes sure that etcd has nothing newer, and may read a whole namespace there.
        https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
        """
        path = self._resources[kind].path(namespace=namespace)
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        found = await self._request("get", path, label_selector=selector, resource_version="0")
        return (found or {}).get("items") or []

    async def apply(
        self, manifest: Document, *, manager: str = FIELD_MANAGER, version: str | None = None, status: bool = False
    ) -> Document:
        """Apply server-side, taking fields over from others. `status`: the status subresource instead.

        `version`: to the object of that `resourceVersion` alone; status 409: there is another. ABSENT: make one, if
        there is none.
        """
        if version is not None:
            manifest = manifest | {"metadata": manifest["metadata"] | {"resourceVersion": version}}
        metadata = manifest["metadata"]
        resource = self._resources[manifest["kind"]]
        target = resource.subresources["status"] if status else resource
        path = target.path(name=metadata["name"], namespace=metadata["namespace"])
        applied = await self._request(
            "patch", path, body=manifest, content_type="application/apply-patch+yaml", field_manager=manager,
            force_conflicts=True,
        )  # fmt: skip
        assert applied is not None
        return applied

    async def delete(self, kind: str, namespace: str, name: str, uid: str) -> None:
        """Delete the object if it still is the one with that uid; its dependents follow in the background."""
        path = self._resources[kind].path(name=name, namespace=namespace)
        options = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        await self._request("delete", path, body=options, missing_ok=True)

    async def create(self, manifest: Document, *, dry_run: bool = False) -> None:
        """Create an object; `dry_run`: only see whether that would go well."""
        path = self._resources[manifest["kind"]].path(namespace=manifest["metadata"]["namespace"])
        await self._request(
            "post", path, body=manifest, field_manager=FIELD_MANAGER, dry_run="All" if dry_run else None
        )

    async def replace(self, document: Document) -> None:
        """Put an object in place of the one of its `resourceVersion`; status 409: somebody has changed that."""
        metadata = document["metadata"]
        path = self._resources[document["kind"]].path(name=metadata["name"], namespace=metadata["namespace"])
        await self._request("put", path, body=document, field_manager=FIELD_MANAGER)

    async def _request(self, method: str, path: str, *, missing_ok: bool = False, **options: Any) -> Document | None:
        metrics.REQUESTS.labels(method.upper()).inc()
        try:
            response: Any = await self._dynamic.request(
                method, path, serialize=False, _request_timeout=_TIMEOUT, **options
            )
            return cast(Document, await response.json())
        except ApiException as error:
            if missing_ok and error.status == 404:
                return None
            message = _message(error)
            raise ApiError(_status(error.status or 0, message), message) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, f"no answer from the API server: {type(error).__name__}") from None


def _identity(settings: Any) -> str:
    """Of the cluster's certificate authority, which every pod may read; of its address where none is named."""
    authority = Path(settings.ssl_ca_cert).read_bytes() if settings.ssl_ca_cert else str(settings.host).encode()
    return hashlib.sha256(authority).hexdigest()[:16]


def _status(status: int, message: str) -> int:
    """What a refusal is about: some the API server calls its own fault, 500."""
    if message.startswith("failed to create typed patch object"):
        return 422  # a field that no schema knows
    if status == 500 and "failed calling webhook" in message:
        return 403  # who is to judge objects of this kind does not answer
    return status


def _message(error: Any) -> str:
    try:
        return str(json.loads(error.body)["message"])
    except (KeyError, TypeError, ValueError):
        return f"{error.status} {error.reason}"
