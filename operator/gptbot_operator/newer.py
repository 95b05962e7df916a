"""Bots under a CRD that is newer than this operator: what they say in fields that only a newer one knows.

The API server fills in defaults when it reads an object, so a default in the next CRD is in every bot at once, whoever
wrote it. Such fields are left out: they mean what a bot without them means (docs/api-versions.md).
"""

from __future__ import annotations

import asyncio
import time
from functools import cache
from typing import Any

import structlog

from gptbot_api import KIND, Fault, GptBot, InvalidManifest, parse
from gptbot_api.crd import custom_resource_definition
from gptbot_operator.bounds import refuse_too_large
from gptbot_operator.cluster import ApiError, Cluster, Document
from gptbot_operator.crd_fields import field_at, without_defaults

_UNKNOWN = "unknown field"
"""What the faults of fields that nobody knows begin with."""
_LEAST_SECONDS, _MOST_SECONDS = 5.0, 60.0
"""How old the CRD's schema may be where it has all of a bot's fields, and where it has not."""
_NOT_FOR_US = (403, 404)

_log = structlog.get_logger("gptbot_operator")


class NewerCrd:
    """Reads bots, with the cluster's own schema where this operator's does not suffice."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lock = asyncio.Lock()
        self._there: dict[str, Any] = {}
        """Schema of a bot's spec in the cluster."""
        self._read_at = float("-inf")
        self._told: set[str] = set()

    async def read(self, document: Document) -> GptBot:
        """The bot. Raises InvalidManifest; ApiError where the API server is away."""
        plain = {name: value for name, value in document.items() if name != "status"}
        refuse_too_large(plain.get("spec"))
        try:
            return parse(plain)
        except InvalidManifest as error:
            if not unknown_alone(error):
                raise
            there = await self._schema(error)
        spec, left_out = without_defaults(plain["spec"], there, _ours())
        try:
            bot = parse(plain | {"spec": spec})
        except InvalidManifest as error:
            raise InvalidManifest([_explained(fault, there) for fault in error.faults], error.source) from None
        self._tell(left_out)
        return bot

    async def _schema(self, error: InvalidManifest) -> dict[str, Any]:
        """The schema of a bot's spec in the cluster, asked for anew where it does not explain an error.

        Raises ApiError.
        """
        async with self._lock:
            explains = all(field_at(self._there, fault.path) is not None for fault in error.faults)
            if time.monotonic() - self._read_at >= (_MOST_SECONDS if explains else _LEAST_SECONDS):
                self._there = await self._read()
                self._read_at = time.monotonic()
            return self._there

    async def _read(self) -> dict[str, Any]:
        try:
            found = await self._cluster.schema(KIND)
        except ApiError as error:
            if error.status not in _NOT_FOR_US:
                raise
            _log.warning("the CRD's schema cannot be read, so what is newer in it is not known", reason=str(error))
            found = None
        return ((found or {}).get("properties") or {}).get("spec") or {}

    def _tell(self, left_out: set[str]) -> None:
        if news := left_out - self._told:
            self._told |= news
            _log.info(
                "the CRD is newer than this operator; fields of it that bots leave at their default are ignored",
                fields=sorted(news),
            )


def unknown_alone(error: InvalidManifest) -> bool:
    """Whether a spec is wrong by fields alone that this operator does not know."""
    return all(fault.message.startswith(_UNKNOWN) for fault in error.faults)


def _explained(fault: Fault, there: dict[str, Any]) -> Fault:
    """The same, with what to do about a field that the CRD of the cluster knows."""
    if not fault.message.startswith(_UNKNOWN) or field_at(there, fault.path) is None:
        return fault
    text = "the CRD of the cluster has it, and is newer than this operator: upgrade the operator, or leave it out"
    return Fault(fault.path, f"{fault.message}: {text}")


@cache
def _ours() -> dict[str, Any]:
    version = custom_resource_definition()["spec"]["versions"][0]
    return version["schema"]["openAPIV3Schema"]["properties"]["spec"]
