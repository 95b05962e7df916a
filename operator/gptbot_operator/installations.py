"""Other installations of the operator in the cluster, as their Leases show them: alive, and for which namespaces."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass

import structlog

from gptbot_operator.cluster import ApiError, Cluster, Document

SERVES_ANNOTATION = "gptbot.dev/serves"
"""On an installation's Lease: the namespaces whose GptBots it serves, separated by commas; `*`: all."""
_log = structlog.get_logger("gptbot_operator")


def serves(namespaces: Collection[str]) -> str:
    """The value of the annotation; no namespaces: all."""
    return ",".join(sorted(namespaces)) or "*"


@dataclass(slots=True)
class _Look:
    """What was seen of one Lease."""

    at: float
    """When it was looked at last."""
    version: str
    """Its resourceVersion; empty: it is not there."""
    since: float
    """When that was seen first."""
    namespaces: tuple[str, ...] | None
    """Namespaces that its holder serves; None: all."""
    readable: bool


class Installations:
    """Looks at the Leases that others hold, each now and then and for all bots together."""

    def __init__(self, cluster: Cluster, takeover_seconds: float, refresh_seconds: float) -> None:
        """`takeover_seconds`: for how long a Lease must rest before its installation counts as gone."""
        self._cluster = cluster
        self._takeover = takeover_seconds
        self._max_age = min(refresh_seconds, takeover_seconds / 4)
        self._looks: dict[str, _Look] = {}
        self._lock = asyncio.Lock()

    async def serve(self, installation: str, namespace: str) -> bool | None:
        """Whether an installation is alive and serves a namespace. None: its Lease cannot be read.

        It counts as gone when its Lease has not changed, or has not been there, for `takeover_seconds` by this
        process's own clock: an upgrade or a lost node is no reason to move its bots.
        """
        async with self._lock:
            look = await self._look(installation)
        if not look.readable:
            return None
        if look.namespaces is not None and namespace not in look.namespaces:
            return False
        return look.at - look.since < self._takeover

    async def _look(self, installation: str) -> _Look:
        now, before = time.monotonic(), self._looks.get(installation)
        if before is not None and now - before.at < self._max_age:
            return before
        self._looks[installation] = look = await self._read(installation, now)
        if before is not None and before.readable and look.readable and before.version == look.version:
            look.since = before.since
        if before is None or before.readable != look.readable:
            _log.info("another installation", installation=installation, readable=look.readable)
        return look

    async def _read(self, installation: str, now: float) -> _Look:
        namespace, _, name = installation.partition("/")
        if not name:
            return _Look(now, "", now, None, readable=False)
        try:
            lease = await self._cluster.get("Lease", namespace, name)
        except ApiError as error:
            if error.status != 403:
                raise
            return _Look(now, "", now, None, readable=False)
        if lease is None:
            return _Look(now, "", now, None, readable=True)
        return _Look(now, str(lease["metadata"]["resourceVersion"]), now, _namespaces(lease), readable=True)


def _namespaces(lease: Document) -> tuple[str, ...] | None:
    text = str((lease["metadata"].get("annotations") or {}).get(SERVES_ANNOTATION, "*"))
    return None if text == "*" else tuple(text.split(","))
