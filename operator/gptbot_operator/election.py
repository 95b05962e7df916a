"""Of several operators one works: whoever holds the Lease.

The election that the Kubernetes client ships never gives a Lease back, writes the local time as UTC, and ends with the
first connection that breaks; so this is one of its own, on requests that are bounded in time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from datetime import UTC, datetime

import structlog

from gptbot_operator import metrics
from gptbot_operator.board import Board
from gptbot_operator.cluster import ApiError, Cluster, Document
from gptbot_operator.installations import SERVES_ANNOTATION, serves

_LABELS = {"app.kubernetes.io/part-of": "gptbot", "app.kubernetes.io/component": "operator"}
"""Of the Lease, for people to find it by."""
_STANDBY_SECONDS = 1.0
"""Between two looks of one that waits: so long takes a hand-over."""
_log = structlog.get_logger("gptbot_operator")


class LeaseLost(Exception):
    """Somebody else holds the Lease, or the API server could not be told in time that this one still does."""


class Election:
    """One Lease, and this candidate for it.

    A Lease counts as given up when it has not changed for as long as it lasts, by this process's own clock: clocks of
    nodes may differ. The holder stops working after two thirds of that without a renewal, before another may start.
    """

    def __init__(
        self, cluster: Cluster, lease: str, identity: str, seconds: float, namespaces: Collection[str] = (),
        board: Board | None = None,
    ) -> None:  # fmt: skip
        """`namespaces`: those that are served, for other installations to see; none: all.

        `board`: what else stands on the Lease.
        """
        self._cluster = cluster
        self._board = board or Board()
        self._serves = serves(namespaces)
        self._namespace, self._name = lease.split("/")
        self._identity = identity
        self._seconds = seconds
        self._seen = ""
        """The Lease's version when it changed last, as far as was seen."""
        self._seen_at = float("-inf")

    async def win(self) -> None:
        """Return once this candidate holds the Lease."""
        told = ""
        while True:
            try:
                lease = await self._cluster.get("Lease", self._namespace, self._name)
                if await self._take(lease):
                    metrics.LEADER.set(1)
                    _log.info("leading", lease=f"{self._namespace}/{self._name}", identity=self._identity)
                    return
                holder = str(((lease or {}).get("spec") or {}).get("holderIdentity") or "")
                if holder != told:
                    _log.info("standing by", leader=holder)
                told = holder
            except ApiError as error:
                _log.warning("the lease cannot be taken", reason=str(error))
            await asyncio.sleep(_STANDBY_SECONDS)

    async def hold(self) -> None:
        """Renew the Lease for ever. Raises LeaseLost."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(self._seconds / 6)
            try:
                async with asyncio.timeout_at(
                    asyncio.get_running_loop().time() + renewed + self._seconds * 2 / 3 - time.monotonic()
                ):
                    lease = await self._cluster.get("Lease", self._namespace, self._name)
                    if lease is None or lease["spec"].get("holderIdentity") != self._identity:
                        raise LeaseLost("another operator has taken the lease")
                    started = time.monotonic()
                    await self._cluster.replace(self._mine(lease))
                    renewed = started
            except TimeoutError:
                raise LeaseLost("the lease could not be renewed in time") from None
            except ApiError as error:
                _log.warning("the lease could not be renewed", reason=str(error))

    async def give_back(self) -> None:
        """Let go of the Lease, so that the next one need not wait for its end."""
        metrics.LEADER.set(0)
        try:
            lease = await self._cluster.get("Lease", self._namespace, self._name)
            if lease is not None and lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}
                await self._cluster.replace(lease)
        except ApiError as error:
            _log.info("the lease is not given back", reason=str(error))

    async def _take(self, lease: Document | None) -> bool:
        try:
            if lease is None:
                await self._cluster.create(self._mine({"metadata": {"name": self._name, "namespace": self._namespace}}))
                return True
            if lease["metadata"]["resourceVersion"] != self._seen:
                self._seen, self._seen_at = lease["metadata"]["resourceVersion"], time.monotonic()
            lasts = (lease.get("spec") or {}).get("leaseDurationSeconds") or self._seconds
            if (lease.get("spec") or {}).get("holderIdentity") and time.monotonic() - self._seen_at < lasts:
                return False
            await self._cluster.replace(self._mine(lease, taken=True))
            return True
        except ApiError as error:
            if error.status == 409:
                return False  # another one was quicker
            raise

    def _mine(self, lease: Document, *, taken: bool = False) -> Document:
        """The Lease held by this candidate from now on; its version makes sure that nobody else wrote it meanwhile."""
        now = _now()
        spec: Document = dict(lease.get("spec") or {})
        if taken:
            spec["leaseTransitions"] = spec.get("leaseTransitions", 0) + 1
        if taken or "acquireTime" not in spec:
            spec["acquireTime"] = now
        spec |= {
            "holderIdentity": self._identity, "leaseDurationSeconds": max(1, round(self._seconds)), "renewTime": now,
        }  # fmt: skip
        metadata: Document = {**lease["metadata"]}
        annotations: dict[str, str] = metadata.get("annotations") or {}
        self._board.read(annotations)
        metadata["annotations"] = {**annotations, SERVES_ANNOTATION: self._serves, **self._board.written()}
        metadata["labels"] = {**(metadata.get("labels") or {}), **_LABELS}
        return {
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec,
        }  # fmt: skip


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
