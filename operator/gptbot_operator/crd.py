"""Brings the cluster's GptBot CRD to the version this operator was built with: `python -m gptbot_operator.crd`.

Helm installs a CRD and never upgrades it, so the operator's pod runs this before the operator itself.
"""

from __future__ import annotations

import sys
from typing import Any

from kubernetes import client, config  # pyright: ignore[reportAttributeAccessIssue]
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from gptbot_api.crd import custom_resource_definition

FIELD_MANAGER = "helm"
"""Helm's own: a later `helm install` over a CRD that was left behind is not in conflict with itself."""
TIMEOUT_SECONDS = 30


class CrdNotApplied(Exception):
    """The CRD could not be brought up to date. The text says why and what to do."""


def apply() -> str:
    """Apply the CRD server-side (KEP-555) and return its name. Raises CrdNotApplied."""
    definition: dict[str, Any] = custom_resource_definition()
    name = str(definition["metadata"]["name"])
    try:
        try:
            config.load_incluster_config()
        except ConfigException:
            config.load_kube_config()
        client.ApiextensionsV1Api().patch_custom_resource_definition(
            name,
            definition,
            field_manager=FIELD_MANAGER,
            force=True,
            _content_type="application/apply-patch+yaml",
            _request_timeout=TIMEOUT_SECONDS,
        )
    except ApiException as error:
        reason = {
            403: "this service account may not patch it, or it is not there and may not be created; apply it by hand"
            " (it is in crds/ of the chart) or set crd.upgrade=true in the chart",
            422: "the API server does not accept it; is this Kubernetes older than 1.30?",
        }.get(error.status or 0, f"the API server answered {error.status} {error.reason}")
        raise CrdNotApplied(f"CRD {name}: {reason}") from None
    except (HTTPError, ConfigException) as error:
        raise CrdNotApplied(f"CRD {name}: the API server cannot be reached: {error}") from None
    return name


if __name__ == "__main__":
    try:
        print(f"applied CRD {apply()}")  # noqa: T201
    except CrdNotApplied as fault:
        sys.exit(str(fault))
