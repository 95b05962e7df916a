"""Which of the kinds that not every cluster has are there: the Gateway API, the Prometheus operator."""

from __future__ import annotations

import asyncio
import time

import structlog

from gptbot_operator.cluster import Cluster
from gptbot_operator.desired.context import OPTIONAL

_LEAST_SECONDS = 5.0
"""Between two looks, whatever goes wrong."""

_log = structlog.get_logger("gptbot_operator")


class Discovery:
    """Asks the API server now and then: a kind may come, or go, while the operator runs."""

    def __init__(self, cluster: Cluster, max_age: float) -> None:
        self._cluster = cluster
        self._max_age = max_age
        self._at = float("-inf")
        self._lock = asyncio.Lock()
        self.served: frozenset[str] = frozenset()
        """Those that are there."""

    async def refresh(self) -> frozenset[str]:
        """Look again if it is long ago; what is there. Raises ApiError."""
        async with self._lock:
            if time.monotonic() - self._at >= self._max_age:
                served = frozenset([kind for kind in OPTIONAL if await self._cluster.serves(kind)])
                if served != self.served:
                    _log.info("optional kinds", served=sorted(served))
                self.served, self._at = served, time.monotonic()
        return self.served

    def doubt(self) -> None:
        """Something was refused, maybe since a kind is gone: look again soon."""
        if time.monotonic() - self._at >= _LEAST_SECONDS:
            self._at = float("-inf")
